"""Classify: category, intent, priority, language, each with a confidence.

Consumes `printer.received`, publishes `printer.classified`. Keeps nothing.
"""
