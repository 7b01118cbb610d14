"""Two faults never hide one another: claims with two faults of the rules' own cases, on which both must be found."""
