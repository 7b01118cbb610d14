"""Tools that run claims through rules, for those who write rules."""
