"""Train, validation and test without leaks: what is alike stays on one side."""
