"""What keeps generated files in step with the rest: each module is a command."""
