"""The outside: one file per kind of neighbour, in and out. Doors decide nothing."""
