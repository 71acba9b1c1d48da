"""A video over time: when things are seen, what answers a query, and ranges to work on."""
