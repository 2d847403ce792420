"""What probing will ask at most, known before anything is asked, and how much of it a budget allows."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from reasrm.probes.probe import Probe
from reasrm.probes.probe_run import most_queries
from reasrm.probes.query import JudgeTraits
from reasrm.records.comparison import Side


class CostPlan(BaseModel):
    """The most that a judge is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pairs: int = Field(gt=0)
    """In the file; probing asks about a sample of them."""
    questions: int = Field(gt=0)
    """In the sample."""
    plain: int
    """Judgments without any perturbation: each question in both orders."""
    probes: dict[str, int]
    """Queries of each probe; 0 for one that reads plain judgments alone, or that such a judge cannot be asked."""

    @property
    def total(self) -> int:
        """All that is asked."""
        return self.plain + self.added

    @property
    def added(self) -> int:
        """What the probes ask beside the plain judgments."""
        return sum(self.probes.values())

    @property
    def ratio(self) -> float:
        """What the probes ask by what plain judging of the sample asks."""
        return self.added / self.plain

    @property
    def ratio_of_all(self) -> float:
        """What the probes ask by what plain judging of all pairs would ask."""
        return self.added / (len(Side) * self.pairs)


def cost_plan(suite: Sequence[Probe], pairs: int, questions: int, traits: JudgeTraits) -> CostPlan:
    """What the plain judgments and all probes of `suite` ask at most about so many questions of so many pairs."""
    probes = most_queries(suite, questions, traits)
    return CostPlan(pairs=pairs, questions=questions, plain=len(Side) * questions, probes=probes)


def over_budget(suite: Sequence[Probe], plan: CostPlan, traits: JudgeTraits, budget: int) -> str:
    """Why `plan` asks more than `budget`, and how to ask less; empty if it does not."""
    if plan.total <= budget:
        return ""
    smaller = (cost_plan(suite, plan.pairs, number, traits) for number in range(plan.questions - 1, 0, -1))
    fits = next((one.questions for one in smaller if one.total <= budget), 0)
    fewer = f"--questions {fits} fits" if fits else "not even one question fits"
    name, most = max(plan.probes.items(), key=lambda entry: entry[1], default=("", 0))
    without = f", or leave probes out (--suite): {name} alone asks {most:,}" if most else ""
    return (
        f"{plan.questions:,} questions ask up to {plan.total:,} judgments ({plan.plain:,} plain, {plan.added:,} of "
        f"probes), more than --budget {budget:,}: {fewer}{without}. Nothing was asked"
    )
