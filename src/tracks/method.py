"""Which version of the linker this is."""

# Videos that another version has linked are linked anew: count up when tracks come out otherwise.
METHOD = "overlap 3"
