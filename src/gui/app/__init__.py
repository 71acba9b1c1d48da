"""The window's frame and its desktop: sidebar, the way between panels, start and end."""
