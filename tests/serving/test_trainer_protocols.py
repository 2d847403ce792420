"""The words of OpenRLHF and NeMo Gym: what they send, as their own code sends it, and what they read."""

from typing import Any

import pytest

from reasrm.records.pair import Role
from reasrm.serving.nemo_gym import GenRMRequest, from_nemo_gym, is_nemo_gym, to_nemo_gym
from reasrm.serving.openrlhf import RemoteRewardRequest, samples_of, to_compare
from reasrm.serving.request_reading import read_record
from reasrm.serving.service_errors import ServiceError
from reasrm.serving.wire_format import CompareReply, CompareRequest, ShownPair

END = "<|im_end|>"


def sent(query: list[str], prompts: list[str]) -> RemoteRewardRequest:
    return read_record(RemoteRewardRequest, {"query": query, "prompts": prompts, "labels": [None] * len(query)})


def test_openrlhfs_samples_are_grouped_by_prompt_and_cut_to_the_reply() -> None:
    prompts = ["<user>one", "<user>two", "<user>one", "<user>two"]
    replies = [f"a{END}", f" b {END}\n{END}", "c", f"says {END} inside{END}"]
    found = samples_of(sent([prompt + reply for prompt, reply in zip(prompts, replies, strict=True)], prompts), (END,))
    assert found == [
        ("<user>one", [0, 2], ("a", "c")),
        ("<user>two", [1, 3], ("b", f"says {END} inside")),
    ]
    assert to_compare(found[0]).answers == ("a", "c")


@pytest.mark.parametrize(
    ("query", "prompts", "where", "said"),
    [
        (["p a", "p b"], ["p"], "prompts", "1 for 2 queries"),
        (["p a", "q b"], ["p", "p"], "query[1]", "does not begin with its prompt"),
        (["p a", "p b", "q c"], ["p", "p", "q"], "prompts[2]", "has one answer in this request"),
    ],
)
def test_samples_that_cannot_be_compared_are_refused(
    query: list[str], prompts: list[str], where: str, said: str
) -> None:
    with pytest.raises(ServiceError) as refused:
        [to_compare(samples) for samples in samples_of(sent(query, prompts), ())]
    assert (refused.value.reply.status, refused.value.reply.where) == (422, where)
    assert said in refused.value.reply.error


def response(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"output": [{"type": "reasoning", "summary": [{"text": "hm"}]}, {"type": "message", "content": list(parts)}]}


def test_nemo_gyms_answers_are_the_texts_of_its_responses() -> None:
    body = {
        "conversation_history": [{"role": "user", "content": "Q?"}],
        "response_objs": [
            response({"type": "output_text", "text": "a "}, {"type": "output_text", "text": "b"}),
            response({"type": "refusal", "refusal": "no"}),
            {"output": None},
        ],
        "principle": None,
    }
    assert is_nemo_gym(body)
    asked = read_record(CompareRequest, from_nemo_gym(read_record(GenRMRequest, body)))
    assert asked.answers == ("a b", "None", "None")
    assert [(turn.role, turn.content) for turn in asked.turns] == [(Role.USER, "Q?")]
    pair = ShownPair(first=0, second=1, winner=0)
    reply = CompareReply(
        rewards=(1, 0, -1),
        scheme="ring",
        comparisons=(pair,),
        judged=1,
        kept=0,
        unreadable={},
        prompt_tokens=0,
        completion_tokens=0,
    )
    given = to_nemo_gym(asked, reply)
    assert (given.rewards, given.metrics) == ((1, 0, -1), {"mean_reward": 0.0, "unreadable_rate": 0.0})
    with pytest.raises(ServiceError, match="is not followed"):
        from_nemo_gym(read_record(GenRMRequest, body | {"principle": "Be brief."}))
