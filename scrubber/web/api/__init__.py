"""Around the path: one blueprint per resource."""
