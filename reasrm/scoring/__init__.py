"""Judgments to official scores, intervals and comparisons."""
