"""Extract: printer, error code, serial, order and invoice numbers, each with its place.

Consumes `printer.classified`, publishes `printer.extracted`. Keeps nothing. Reads the customers'
devices and what people said of findings; may fail with `Unavailable` (the record).

Consumes `frigo.classified`, publishes `frigo.extracted`: since when, how bad, what is at risk, in
facts with their numbers. Keeps nothing.
"""
