"""Dispatch: which channel, allowed now, once.

Consumes `printer.drafted`, publishes `printer.sent`. Records each reply in the outbox before it
is tried; the postman sends what is due and tells what became of it. May fail with `Unavailable`
(the record).

Consumes `frigo.drafted` and `feedback.given`, publishes `frigo.sent`: who is on call, one message
for each episode, edited as it goes on, and one at its end. Keeps episodes and the outbox of alarms;
raises an alarm of its own when the detector gives no sign of life.
"""
