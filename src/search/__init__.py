"""Search: a query with its filter -> segments, best first."""
