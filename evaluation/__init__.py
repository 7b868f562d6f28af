"""Figures of quality, each by one command, on data split so that they can be wrong."""
