"""The embedded default: a small world, its oracle and its model."""
