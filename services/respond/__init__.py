"""Respond: a grounded reply, or a hand-over that says why.

Consumes `printer.grounded`, publishes `printer.drafted`. Asks the language model when one
answers, and never waits for it longer than its time-out: the template says the same.
"""
