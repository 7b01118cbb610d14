"""What the API's document says besides the schemas of responses, which stand where responses are written."""
