"""What the base model does before it learns to judge: it can work a problem out, and often does not.

Published chat models are like that: they have the skill, and as judges they go by layout, by position or by criteria
that suit every request. How often is set by hand, stands in params.yaml and is said on the page.
"""

import random
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.miniature.slices import Family, Slice, slice_of
from reasrm.miniature.traces import Analysis, careful_analysis, layout_analysis, stock_analysis
from reasrm.records.comparison import Comparison, Side

Share = Annotated[float, Field(ge=0, le=1)]


class Habits(BaseModel):
    """How the base model judges, as shares of the transcripts that it is trained on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    works: dict[PromptVariant, dict[Slice, Share]]
    """By prompt and slice of the world: how often the judge works the problem out, and so is right. All other verdicts
    are careless; where a careless look finds no difference, the verdict is A."""
    stock_rubric: Share
    """Of the careless verdicts on chat requests: how many weigh criteria that suit every request. The rest, and all of
    other families, go by layout."""
    answer_only_right: Share
    """How often a verdict without any reasoning is right whatever the layout; else it goes by layout."""

    @model_validator(mode="after")
    def _every_slice(self) -> Self:
        for variant in (PromptVariant.FULL, PromptVariant.RUBRICS, PromptVariant.PLAIN):
            if lacking := [one.value for one in Slice if one not in self.works.get(variant, {})]:
                raise ValueError(f"`works.{variant.value}` must give a share for {', '.join(lacking)}")
        return self

    def judge(self, comparison: Comparison, variant: PromptVariant, rng: random.Random) -> tuple[str, Side]:
        """A judgment in the form that `variant` asks for: its text before the verdict, and the verdict."""
        if variant is PromptVariant.ANSWER_ONLY and rng.random() < self.answer_only_right:
            return "", comparison.better
        analysis = self._analysis(comparison, variant, rng)
        return analysis.text(variant), analysis.preferred or Side.A

    def _analysis(self, comparison: Comparison, variant: PromptVariant, rng: random.Random) -> Analysis:
        question, answers = comparison.prompt[-1].content, (comparison.response_a, comparison.response_b)
        found = slice_of(question)
        assert found is not None, question
        if rng.random() < self.works.get(variant, {}).get(found, 0.0):
            return careful_analysis(question, *answers)
        if (
            variant is not PromptVariant.ANSWER_ONLY
            and found.family is Family.CHAT
            and rng.random() < self.stock_rubric
        ):
            return stock_analysis(*answers)
        return layout_analysis(*answers)
