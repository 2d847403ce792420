"""The pairs that one request answers: equal rows, or rows of equal prompts, are asked about once."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Self

from reasrm.distillation.questions import Case
from reasrm.records.comparison import Side


@dataclass(slots=True)
class Askers:
    """How many pairs wait for one reply, by the side of their better answer: all that their counting needs."""

    better: Counter[Side] = field(default_factory=Counter)

    @classmethod
    def of(cls, case: Case) -> Self:
        """The first one."""
        askers = cls()
        askers.add(case)
        return askers

    def add(self, case: Case) -> None:
        """One more pair whose question is the same."""
        self.better[case.comparison.better] += 1
