"""Paid APIs: asking, pacing, accounting."""
