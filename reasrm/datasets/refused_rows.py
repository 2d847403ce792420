"""Rows that others wrote, and why one of them cannot be used."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

Row = Mapping[str, Any]
"""One parsed JSON object."""


class Refusal(StrEnum):
    """Why a row cannot be used."""

    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    UNKNOWN_SUBSET = "unknown_subset"
    DUPLICATE_ID = "duplicate_id"
    WRONG_SHAPE = "wrong_shape"
    """Not the number of answers, styles or turns that the benchmark has."""
    NEEDS_RATINGS = "needs_ratings"
    """The official rule asks for ratings of single answers, which a judge of pairs does not give."""
    USED_FOR_TRAINING = "used_for_training"
    OVER_LIMIT = "over_limit"
    NOT_IN_LAYOUT = "not_in_layout"
    """A file beside the benchmark's own that nothing reads."""


class RowRefusedError(ValueError):
    """A row cannot be used; says why and what was found."""

    def __init__(self, reason: Refusal, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
