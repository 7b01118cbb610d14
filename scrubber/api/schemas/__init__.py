"""Parts of the OpenAPI document besides the schemas of responses, which stand where responses are written."""
