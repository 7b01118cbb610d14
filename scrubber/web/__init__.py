"""Around the path: the claim's way in and out over HTTP."""
