"""Ingest: who writes, which conversation, clean text, once.

Consumes `printer.inbound`, publishes `printer.received`. Writes customer, conversation and
message before it publishes; a message that is there and still on its road is told again, with
the same ids, and one whose road is finished is left alone. May fail with `Unavailable` (the
record) and `Rejected` (a date ahead of our clock).

Consumes `frigo.inbound`, publishes `frigo.received`: readings under our names and in our units of
measure. Writes only units that it never heard of.
"""
