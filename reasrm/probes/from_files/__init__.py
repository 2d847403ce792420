"""Probing any judge on a file of pairs, outside of the pipeline: its items, the default suite, what it costs."""
