"""Grids of cards: what one shows, and how they are drawn, pointed at and walked through."""
