"""OpenRLHF's remote reward model: `--remote_rm_url http://HOST:PORT/get_reward`.

OpenRLHF posts `{"query", "prompts", "labels"}`, lists of one length, where a query is the prompt with the reply behind
it, special tokens and all (openrlhf/utils/remote_rm_utils.py, `remote_rm_fn`; at commit 9b8641c and until agents came),
and reads `rewards`, one number each. Its agents' executor (openrlhf/utils/agent.py, `SingleTurnAgentExecutor`, at
commit 04655bc) posts the same with one sample at a time and reads `rewards` and, if given, `scores`.

A pairwise judge rewards an answer against the others to the same prompt, so those must be in one request: a prompt with
one answer is refused. `labels` are not looked at.
"""

from http import HTTPStatus

from pydantic import BaseModel, ConfigDict, Field

from reasrm.serving.service_errors import ServiceError, unprocessable
from reasrm.serving.wire_format import CompareRequest

MOST_SAMPLES = 4096


class RemoteRewardRequest(BaseModel):
    """What OpenRLHF sends."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    query: tuple[str, ...] = Field(min_length=1, max_length=MOST_SAMPLES)
    """Prompt and reply in one text."""
    prompts: tuple[str, ...]
    """The prompt of each query."""


class RemoteRewardReply(BaseModel):
    """What OpenRLHF reads."""

    model_config = ConfigDict(frozen=True)

    rewards: tuple[float, ...]
    """One per query."""
    scores: tuple[float, ...]
    """The same from 0 to 1, the range in which OpenRLHF filters prompts by their scores."""


def groups_of(request: RemoteRewardRequest, special: tuple[str, ...]) -> list[tuple[list[int], CompareRequest]]:
    """The queries of each prompt: their places, and what is judged.

    Args:
        request: as it came.
        special: tokens that end a reply, cut off its end.

    Raises:
        ServiceError: the lists differ in length, a query does not begin with its prompt, or a prompt has one answer.
    """
    if len(request.prompts) != len(request.query):
        raise unprocessable("prompts", f"{len(request.prompts)} for {len(request.query)} queries: one for each")
    places: dict[str, list[int]] = {}
    for place, prompt in enumerate(request.prompts):
        places.setdefault(prompt, []).append(place)
        if not request.query[place].startswith(prompt):
            raise unprocessable(f"query[{place}]", "does not begin with its prompt, so the reply in it is unknown")
    alone = next((found for found in places.values() if len(found) == 1), None)
    if alone is not None:
        raise ServiceError(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"prompts[{alone[0]}]",
            "has one answer in this request, and a pairwise judge compares several: send all samples of a prompt "
            "together (n_samples_per_prompt of at least 2, one remote server; not one request per sample)",
        )
    return [
        (
            found,
            CompareRequest(prompt=prompt, answers=tuple(_reply(request.query[one], prompt, special) for one in found)),
        )
        for prompt, found in places.items()
    ]


def _reply(query: str, prompt: str, special: tuple[str, ...]) -> str:
    """What stands behind the prompt, without the tokens that end it."""
    reply = query[len(prompt) :].rstrip()
    while ending := next((one for one in special if one and reply.endswith(one)), None):
        reply = reply.removesuffix(ending).rstrip()
    return reply.strip()
