"""The claim's way in and out over HTTP."""
