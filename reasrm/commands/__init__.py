"""The commands that work without a clone: judge, score, compare, oracle."""
