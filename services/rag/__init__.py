"""Rag: the articles near enough to answer, or none.

Consumes `printer.extracted`, publishes `printer.grounded`. Keeps nothing.

Consumes `frigo.extracted`, publishes `frigo.grounded`: maintenance sheets, what the unit had before
(from the record), the test that tells two causes apart. May fail with `Unavailable` (the record).
"""
