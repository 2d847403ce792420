"""The two kinds of judges; light to import, since commands name it."""

from enum import StrEnum


class JudgeKind(StrEnum):
    """What a judge gives back; some benchmarks have a rule for each."""

    GENERATIVE = "generative"
    """A text with a verdict in it, which may be unreadable."""
    SCALAR = "scalar"
    """One number per answer; equal numbers are a tie."""
