"""The export formats and importers, and what they share; `src.datasets.registry` lists them."""
