"""What is shown of running jobs."""
