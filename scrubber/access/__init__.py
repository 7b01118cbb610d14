"""Who may ask: API keys, the tenants that they belong to, and how much each may ask."""
