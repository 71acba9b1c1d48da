"""The panel of near-duplicates: groups of pictures, and what a person decides about them."""
