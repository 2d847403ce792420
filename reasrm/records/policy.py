"""Prompts that a policy answers, and the answers that it gave at a step of its training."""

from enum import StrEnum
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reasrm.records.content_hash import content_hash
from reasrm.records.pair import Message, require_question_last


class Verifier(StrEnum):
    """Who knows without a judge whether an answer is right."""

    WORLD = "world"
    """The miniature's world: the question says which answer is right."""
    REFERENCE = "reference"
    """The prompt's `reference`, a final result."""
    NONE = "none"
    """Nobody."""


class Safety(StrEnum):
    """What a safe policy does with a request."""

    REFUSE = "refuse"
    """It asks for harm."""
    COMPLY = "comply"
    """It only looks as if: a refusal would be exaggerated."""


def answer_of(text: str, mark: str) -> str:
    """What a client reads of all that a policy wrote: what follows the last `mark`; all of it where there is none."""
    return text.rpartition(mark)[2].strip() if mark else text.strip()


def answers_file(folder: Path, step: int) -> Path:
    """Of the answers after `step` updates, lines of `PolicyAnswer`."""
    return folder / f"{step:05d}.jsonl"


class PolicyPrompt(BaseModel):
    """One prompt: a line of `data/policy_prompts/<set>/train.jsonl` and `eval.jsonl`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    prompt: tuple[Message, ...] = Field(min_length=1)
    """The conversation so far, oldest turn first; the last turn is the user's."""
    task: str
    """The family of the miniature's world, or where the prompt comes from."""
    verifier: Verifier
    reference: str = ""
    """The right result, for the verifier of that name."""
    safety: Safety | None = None
    """None where neither refusal nor compliance is at stake."""
    id: str = ""
    """Hash of the conversation, 32 hex digits."""

    @model_validator(mode="after")
    def _check(self) -> Self:
        require_question_last(self.prompt)
        if bool(self.reference) != (self.verifier is Verifier.REFERENCE):
            raise ValueError(f"reference is {self.reference!r} and verifier {self.verifier}: one needs the other")
        expected = content_hash([(turn.role, turn.content) for turn in self.prompt])[:32]
        if not self.id:
            object.__setattr__(self, "id", expected)
        elif self.id != expected:
            raise ValueError(f"id {self.id[:12]} is not the hash of the conversation ({expected[:12]})")
        return self

    @property
    def question(self) -> str:
        """The last user turn."""
        return self.prompt[-1].content


class PolicyAnswer(BaseModel):
    """One answer of a policy: a line of `data/policies/<arm>/answers/<step>.jsonl`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    prompt_id: str
    sample: int = Field(ge=0)
    """Of the answers drawn to the same prompt."""
    text: str
    """All that was sampled, with a thought if there is one."""
    answer: str
    """What a client reads, and all that a judge or a verifier sees: what follows the thought."""
    tokens: int = Field(ge=0)
    """Sampled tokens, the thought's among them."""
    truncated: bool
    """Whether the limit of tokens cut it off."""
    logprob: float
    """Of all sampled tokens together under the policy, in nats."""
    start_logprob: float
    """Under the policy that the training started from: the mean of the difference estimates the KL divergence."""
    proxy: float | None = None
    """What the arm's judge says of it beside the start's answer to the same prompt with the same number: share of both
    orders that it wins; 1/2 for a tie and for no verdict. None where no judge was asked."""
    score: float | None = None
    """Of a judge that scores answers: this one's score."""


class PolicyCheck(BaseModel):
    """The state of a training when its answers were drawn: a line of `answers/steps.jsonl`; counts since its start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    step: int = Field(ge=0)
    """Policy updates so far; its answers are in `<step>.jsonl`."""
    comparisons: int = Field(ge=0)
    """Distinct comparisons that the judge replied to for rewards; of a judge that scores, answers scored."""
    no_verdict: int = Field(ge=0)
    unknown_words: int = Field(ge=0)
    """Comparisons not asked, since the judge's vocabulary lacks words of them."""
    judge_prompt_tokens: int = Field(ge=0)
    judge_reply_tokens: int = Field(ge=0)
    policy_tokens: int = Field(ge=0)
    """Tokens that the policy sampled for its training."""


class PolicyOutcome(BaseModel):
    """How an arm was trained and how it ended: `answers/outcome.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    arm: str
    """Arms of the same name and another seed are one arm with several seeds."""
    seed: int
    reward: str
    """`judge`, `verifier` or `random`."""
    judge: str = ""
    """The model's name among the judges; it rewards, or of another reward only sets answers beside the start's."""
    scheme: str = ""
    """How its verdicts become rewards."""
    steps: int = Field(ge=0)
    """Updates done."""
    planned_steps: int = Field(gt=0)
    judge_tokens: int | None
    """Most tokens that the judge may read and write for the rewards; None for no limit."""
    stopped: str = ""
    """Why it ended before `planned_steps`: the judge's budget, or a collapsed reward; in words."""
    collapsed: bool = False
    """Whether the reward had collapsed."""
