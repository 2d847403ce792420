"""Which answer something that a judge wrote speaks for."""

from enum import StrEnum

from reasrm.records.comparison import Side


class Stance(StrEnum):
    """What a statement prefers."""

    A = "A"
    B = "B"
    NEITHER = "neither"
    """It says that both answers are alike."""
    UNCLEAR = "unclear"
    """It does not say, or cannot be read without a guess."""

    @property
    def side(self) -> Side | None:
        """The preferred side."""
        return Side(self.value) if self in (Stance.A, Stance.B) else None


def larger(of_a: float, of_b: float) -> Stance:
    """For the side with the larger number."""
    return Stance.NEITHER if of_a == of_b else Stance.A if of_a > of_b else Stance.B
