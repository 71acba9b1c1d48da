"""The window: panels over the library, the worker and their events."""
