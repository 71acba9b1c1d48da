"""What the window knows, without a widget: the open library, its jobs, its wording."""
