"""NeMo Gym's comparison of several answers, as its `GenRMStrategy` asks for it: `POST /compare`.

It posts `{"conversation_history", "response_objs", "principle"}`, where a response is an object of OpenAI's Responses
API, and reads `rewards` and `metrics` (NVIDIA-NeMo/Gym, resources_servers/genrm_compare: `GenRMStrategy.compare` in
comparison_strategies.py, `GenRMCompareRequest` in app.py, `extract_output_text` in utils.py; at commit 0880a8d). Its
own server gives mean scores from 1 to 5; these rewards are the net share of answers that one beats, in [-1, 1]: another
scale, which GRPO's advantages divide out if they are scaled by the group's deviation. There is no `/verify`, where its
rollout collector sends answers one by one.
"""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from reasrm.records.pair import Message
from reasrm.serving.service_errors import unprocessable
from reasrm.serving.wire_format import MOST_ANSWERS, CompareReply, CompareRequest

NO_TEXT = "None"
"""What NeMo Gym itself shows its judge in place of an answer without a text."""


class GenRMRequest(BaseModel):
    """What NeMo Gym sends."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    conversation_history: tuple[Message, ...]
    response_objs: tuple[dict[str, Any], ...] = Field(min_length=2, max_length=MOST_ANSWERS)
    principle: str | None = None


class GenRMReply(BaseModel):
    """What NeMo Gym reads."""

    model_config = ConfigDict(frozen=True)

    rewards: tuple[float, ...]
    comparison_results: tuple[dict[str, Any], ...]
    """Our own words: it scores no answer by itself, so there is no `score_1`."""
    metrics: dict[str, float]


def is_nemo_gym(body: dict[str, Any]) -> bool:
    """Whether a body at `/compare` is in NeMo Gym's words."""
    return "response_objs" in body


def from_nemo_gym(request: GenRMRequest) -> dict[str, Any]:
    """The fields of the same request in our words.

    Raises:
        ServiceError: it comes with a principle, by which this judge does not judge.
    """
    if request.principle:
        raise unprocessable("principle", "is not followed: the judge writes its own rubric; leave it out")
    return {
        "prompt": [turn.model_dump(mode="json") for turn in request.conversation_history],
        "answers": [_output_text(one) for one in request.response_objs],
    }


def to_nemo_gym(request: CompareRequest, reply: CompareReply) -> GenRMReply:
    """The reply in NeMo Gym's words."""
    return GenRMReply(
        rewards=reply.rewards,
        comparison_results=tuple(
            {"response_i": one.first, "response_j": one.second, "winner": one.winner, "unreadable": one.unreadable}
            for one in reply.comparisons
        ),
        metrics={
            "mean_reward": sum(reply.rewards) / len(request.answers),
            "unreadable_rate": sum(reply.unreadable.values()) / max(1, len(reply.comparisons)),
        },
    )


def _output_text(response: dict[str, Any]) -> str:
    """The answer's text in an object of the Responses API; its reasoning is no part of the answer."""
    output = response.get("output")
    messages = [one for one in output if isinstance(one, dict)] if isinstance(output, list) else []
    parts = [
        part["text"]
        for one in messages
        if one.get("type") == "message" and isinstance(one.get("content"), list)
        for part in one["content"]
        if isinstance(part, dict) and part.get("type") == "output_text" and isinstance(part.get("text"), str)
    ]
    text = "".join(parts)
    return text if text.strip() else NO_TEXT
