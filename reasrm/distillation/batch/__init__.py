"""Asking in batches: half the price, within a day, none paid twice."""
