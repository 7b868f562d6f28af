"""Dispatch: which channel, allowed now, once.

Consumes `printer.drafted`, publishes `printer.sent`. Records each reply in the outbox before it
is tried; the postman sends what is due and tells what became of it. May fail with `Unavailable`
(the record).
"""
