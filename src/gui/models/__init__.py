"""The panel of models: what is in use, what can be fetched, how fast each is."""
