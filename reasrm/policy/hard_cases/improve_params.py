"""Section `improve` of params.yaml: what the rounds of `reasrm improve` begin with; no stage reads it."""

from typing import Any, ClassVar

from pydantic import Field, model_validator

from reasrm.runtime.params import StageParams

SET_BY_THE_ROUND = ("start", "pairs", "reads")


class ImproveParams(StageParams):
    """What a loop begins with; each round lays its own variants of the stages over params.yaml."""

    section: ClassVar[str] = "improve"

    judge: str
    """The first round's judge, a key of `judge_variants`; later rounds begin with the last one that was kept."""
    policy: str
    """The checkpoint whose answers are compared."""
    prompts: str
    """Its training prompts, a file of `PolicyPrompt`."""
    most_train_questions: int = Field(ge=2)
    """The cap on what the oracle is asked for the judge to learn from, in each round."""
    most_held_out_questions: int = Field(ge=2)
    """The cap on what it is asked where the old and the new judge differ."""
    arm: str | None
    """The arm of `policy_variants` that is trained with each kept judge, from the policy before; the next round draws
    its answers. Null keeps the policy."""
    grpo: dict[str, Any]
    """Laid over section `grpo` for the retraining."""

    @model_validator(mode="after")
    def _leaves_the_round_its_own(self) -> "ImproveParams":
        if taken := [key for key in SET_BY_THE_ROUND if key in self.grpo]:
            raise ValueError(f"`grpo.{taken[0]}` is set by each round itself: take it out")
        return self
