"""What `/compare` takes and gives, as JSON."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from reasrm.evaluation.pairwise_judgment import PairwiseJudgment
from reasrm.records.json_parsing import not_unicode
from reasrm.records.pair import Message, Role, require_question_last

MOST_ANSWERS = 64
"""Of one request. Every pair in both orders is 4,032 comparisons then."""
LONGEST_TEXT = 400_000
"""Characters of one text: about a hundred thousand tokens. A longer one would fit into no judge's context, and to find
that out would hold up everybody else."""
SCHEME = "debiased_tournament"
"""Every pair in both orders; what an answer wins in both counts, what it loses in both counts against it."""


Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
"""One text of a request."""


class CompareRequest(BaseModel):
    """A question and its answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    prompt: Text | tuple[Message, ...]
    """The client's question, or a conversation of `{"role", "content"}` that ends with it."""
    answers: tuple[Text, ...] = Field(min_length=2, max_length=MOST_ANSWERS)
    scheme: str = SCHEME
    """How comparisons become rewards (`reasrm.policy.pairwise_rewards`)."""
    anchor: Text | None = None
    """The answer that all others are compared with, for schemes that have one."""

    @field_validator("prompt", "answers", "anchor")
    @classmethod
    def _is_whole_text(cls, value: Any) -> Any:
        texts = [value] if isinstance(value, str) else list(value or ())
        if not_unicode([getattr(one, "content", one) for one in texts]):
            raise ValueError("holds half of a character (a lone surrogate), which is no text")
        return value

    @field_validator("prompt")
    @classmethod
    def _is_a_question(cls, prompt: str | tuple[Message, ...]) -> str | tuple[Message, ...]:
        if not isinstance(prompt, str):
            require_question_last(prompt)
            if sum(len(turn.content) for turn in prompt) > LONGEST_TEXT:
                raise ValueError(f"the conversation has more than {LONGEST_TEXT} characters")
        if not (prompt if isinstance(prompt, str) else prompt[-1].content).strip():
            raise ValueError("the client's question is empty")
        return prompt

    @property
    def turns(self) -> tuple[Message, ...]:
        """The conversation that the answers answer."""
        return (Message(role=Role.USER, content=self.prompt),) if isinstance(self.prompt, str) else self.prompt


class ShownPair(BaseModel):
    """One judged comparison; answers are named by their place in the request."""

    model_config = ConfigDict(frozen=True)

    first: int
    """The answer that was shown first."""
    second: int
    """The anchor has the place behind the last answer."""
    winner: int | None
    """The better one of the two; None for a tie, or if the judge's reply could not be read."""
    unreadable: str | None = None
    """Why there is no winner: `reasrm.judging.verdict.Unreadable`, which counts a tie among the reasons, or
    `unknown_words`: an answer holds words that the judge never learnt, so it was not asked."""
    confidence: float | None = None
    """Probability of the verdict's letter; None where the judge gives none."""
    scores: tuple[float, float] | None = None
    """Of the first and the second, for judges that give scores."""
    prompt_tokens: int = 0
    completion_tokens: int = 0


class CompareReply(BaseModel):
    """The rewards, and what they were made of."""

    model_config = ConfigDict(frozen=True)

    rewards: tuple[float, ...]
    """One per answer, in the given order; what they mean is the scheme's."""
    scheme: str
    comparisons: tuple[ShownPair, ...]
    """Each comparison that the scheme asked for; about two equal answers only a judge that scores is asked."""
    judged: int
    """Comparisons that are new to the service with this request."""
    kept: int
    """Comparisons whose judgment was there already, or was being made for another request."""
    unreadable: dict[str, int]
    """Comparisons without a verdict, by reason; a tie is none of them."""
    prompt_tokens: int
    """Of all comparisons, those that were kept included."""
    completion_tokens: int
    judgment: PairwiseJudgment | None = None
    """Of two answers judged in both orders: with replies, rubrics and checked quotes. A is the first answer."""


class ErrorReply(BaseModel):
    """What every refused request gets, on one line."""

    model_config = ConfigDict(frozen=True)

    error: str
    """What is wrong, which value, and what to do."""
    where: str
    """The field of the body, the header, or the part of the service that it is about."""
    status: int
    """The status of the HTTP reply."""
