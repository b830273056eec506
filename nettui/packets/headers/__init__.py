"""Headers of one packet as a tree: a module for each layer, each header a table of its fields."""
