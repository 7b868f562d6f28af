"""Rag: the articles near enough to answer, or none.

Consumes `printer.extracted`, publishes `printer.grounded`. Keeps vectors of what the record holds;
every process listens to `knowledge.changed`, and searches all that ships and all of the record.

Consumes `frigo.extracted`, publishes `frigo.grounded`: maintenance sheets, what the unit had before
(from the record), the test that tells two causes apart. May fail with `Unavailable` (the record).
"""
