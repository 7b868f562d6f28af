"""Respond: a grounded reply, or a hand-over that says why.

Consumes `printer.grounded`, publishes `printer.drafted`. Asks the language model when one
answers, and never waits for it longer than its time-out: the template says the same.

Consumes `frigo.grounded`, publishes `frigo.drafted`: the alert in the lengths that channels take.
The model may put it into other words; class, probability and numbers are checked against the
evidence.
"""
