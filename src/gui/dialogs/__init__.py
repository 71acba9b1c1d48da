"""Dialogs inside the window: messages, settings, export."""
