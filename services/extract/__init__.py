"""Extract: printer, error code, serial, order and invoice numbers, each with its place.

Consumes `printer.classified`, publishes `printer.extracted`. Keeps nothing.
"""
