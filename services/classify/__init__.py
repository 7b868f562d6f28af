"""Classify: category, intent, priority, language, each with a confidence.

Consumes `printer.received`, publishes `printer.classified`. Keeps nothing of it.

Consumes `frigo.received`, publishes `frigo.classified` when a unit's state moved, and only then.
Keeps what each unit's detector remembers, and gives a sign of life. May fail with `Unavailable`
(the record).
"""
