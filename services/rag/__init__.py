"""Rag: the articles near enough to answer, or none.

Consumes `printer.extracted`, publishes `printer.grounded`. Keeps nothing.
"""
