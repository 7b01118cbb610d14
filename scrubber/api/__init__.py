"""The API over HTTP: one blueprint for each resource."""
