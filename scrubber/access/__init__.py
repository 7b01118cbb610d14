"""Controls who may use the service: API keys, the tenants that they belong to, and the limits of each key."""
