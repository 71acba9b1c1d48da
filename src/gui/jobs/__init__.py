"""What is said of running jobs."""
