"""OpenRLHF's remote reward model: `--remote_rm_url http://HOST:PORT/get_reward`.

OpenRLHF posts `{"query", "prompts", "labels"}`, lists of one length, where a query is the prompt with the reply behind
it, special tokens and all (openrlhf/utils/remote_rm_utils.py, `remote_rm_fn`; at commit 9b8641c and until agents came),
and reads `rewards`, one number each. Its agents' executor (openrlhf/utils/agent.py, `SingleTurnAgentExecutor`, at
commit 04655bc) posts the same with one sample at a time and reads `rewards` and, if given, `scores`.

A pairwise judge rewards an answer against the others to the same prompt. They come in one request, or, with
`--group-size`, one by one (`answer_groups`). `labels` are not looked at.
"""

from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from reasrm.serving.request_reading import read_record
from reasrm.serving.service_errors import unprocessable
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


class PromptSamples(NamedTuple):
    """The samples of one prompt in a request."""

    prompt: str
    places: list[int]
    """Of the samples in the request."""
    answers: tuple[str, ...]


def samples_of(request: RemoteRewardRequest, special: tuple[str, ...]) -> list[PromptSamples]:
    """The samples of each prompt.

    Args:
        request: as it came.
        special: tokens that end a reply, cut off its end.

    Raises:
        ServiceError: the lists differ in length, or a query does not begin with its prompt.
    """
    if len(request.prompts) != len(request.query):
        raise unprocessable("prompts", f"{len(request.prompts)} for {len(request.query)} queries: one for each")
    places: dict[str, list[int]] = {}
    for place, prompt in enumerate(request.prompts):
        places.setdefault(prompt, []).append(place)
        if not request.query[place].startswith(prompt):
            raise unprocessable(f"query[{place}]", "does not begin with its prompt, so the reply in it is unknown")
    return [
        PromptSamples(prompt, found, tuple(_reply(request.query[one], prompt, special) for one in found))
        for prompt, found in places.items()
    ]


def to_compare(samples: PromptSamples) -> CompareRequest:
    """The samples of a prompt as a request of ours.

    Raises:
        ServiceError: there is only one, or they cannot be judged.
    """
    if len(samples.answers) == 1:
        raise unprocessable(
            f"prompts[{samples.places[0]}]",
            "has one answer in this request, and a pairwise judge compares several: send all samples of a prompt in "
            "one request, or start the service with --group-size, the number of samples of a prompt",
        )
    return read_record(CompareRequest, {"prompt": samples.prompt, "answers": samples.answers})


def _reply(query: str, prompt: str, special: tuple[str, ...]) -> str:
    """What stands behind the prompt, without the tokens that end it."""
    reply = query[len(prompt) :].rstrip()
    while ending := next((one for one in special if one and reply.endswith(one)), None):
        reply = reply.removesuffix(ending).rstrip()
    return reply.strip()
