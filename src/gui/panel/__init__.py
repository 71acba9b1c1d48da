"""What every panel is made with, and what the window asks of it."""
