"""Grids of cards: their contents, drawing, pointer and keyboard."""
