"""A served judge as a reward function of TRL's GRPOTrainer.

    from reasrm import judge_reward

    trainer = GRPOTrainer(model=..., reward_funcs=judge_reward("http://127.0.0.1:8765"), ...)

The completions of one prompt are compared with each other, so each call must hold whole groups: `num_generations` must
divide the completions that one process holds in a step. TRL takes None for a sample to which a reward does not apply,
and with no other reward makes it 0, the worst there is; so no None is ever given. A comparison that could not be read
counts half for both answers, and where not a single one of a call could be read, the judge is no reward: that is an
error.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from reasrm.serving.judge_client import JudgeClient, JudgeServiceError

AT_ONCE = 16
"""Groups that are sent at the same time: the service judges together what waits together."""


class JudgeReward:
    """A reward function: `(prompts, completions, **others) -> one reward per completion`."""

    __name__ = "judge_reward"

    def __init__(self, client: JudgeClient, scheme: str | None = None) -> None:
        """Reward by what `client` replies, by the service's own scheme or the one named."""
        self._client = client
        self._options = {} if scheme is None else {"scheme": scheme}

    def __call__(self, prompts: Sequence[Any], completions: Sequence[Any], **others: Any) -> list[float]:
        """The reward of each completion, among those of its prompt.

        Args:
            prompts: one per completion, texts or conversations.
            completions: texts, or conversations of one assistant's turn.
            others: what TRL hands to every reward function; with `log_metric`, the share of comparisons that could
                not be read is logged.

        Raises:
            JudgeServiceError: a prompt has one completion, the service refuses, or nothing could be read.
        """
        groups: dict[str, list[int]] = {}
        for place, prompt in enumerate(prompts):
            groups.setdefault(json.dumps(prompt, sort_keys=True), []).append(place)
        answers = [_text(completion) for completion in completions]
        alone = next((places[0] for places in groups.values() if len(places) == 1), None)
        if alone is not None:
            raise JudgeServiceError(
                f"the prompt {str(prompts[alone])[:60]!r} has one completion in this process, and a pairwise judge "
                "compares several: let num_generations divide the completions of a process and be at least 2"
            )
        with ThreadPoolExecutor(AT_ONCE) as senders:
            replies = list(
                senders.map(
                    lambda places: self._client.compare(
                        prompts[places[0]], [answers[place] for place in places], **self._options
                    ),
                    groups.values(),
                )
            )
        _report(replies, others.get("log_metric"))
        rewards = [0.0] * len(answers)
        for places, reply in zip(groups.values(), replies, strict=True):
            for place, reward in zip(places, reply["rewards"], strict=True):
                rewards[place] = float(reward)
        return rewards


def judge_reward(
    url: str, *, scheme: str | None = None, patience_seconds: float = 600.0, timeout_seconds: float = 300.0
) -> JudgeReward:
    """The judge that `reasrm serve-judge` serves at `url`, as a reward function of TRL's GRPOTrainer.

    Args:
        url: as the service prints it, http://127.0.0.1:8765. A token is taken from REASRM_SERVE_TOKEN.
        scheme: how comparisons become rewards; the service's own if None.
        patience_seconds: how long it waits for a service that is full, loading or being restarted.
        timeout_seconds: how long one reply is waited for.

    Raises:
        ValueError: `url` is no address.
    """
    return JudgeReward(JudgeClient(url, patience_seconds, timeout_seconds), scheme)


def _report(replies: Sequence[dict[str, Any]], log_metric: Any) -> None:
    """Hand TRL the share of comparisons without a verdict.

    Raises:
        JudgeServiceError: none of them has one.
    """
    unreadable = sum(sum(reply.get("unreadable", {}).values()) for reply in replies)
    compared = sum(len(reply.get("comparisons", ())) for reply in replies)
    if compared and unreadable == compared:
        reasons = sorted({reason for reply in replies for reason in reply["unreadable"]})
        raise JudgeServiceError(
            f"none of {compared} comparisons has a verdict ({', '.join(reasons)}), so every reward would be the same: "
            "ask the judge once by hand (`reasrm judge`), or shorten what it is shown"
        )
    if callable(log_metric):
        log_metric("judge_unreadable", unreadable / max(1, compared))


def _text(completion: Any) -> str:
    """The text of a completion.

    Raises:
        JudgeServiceError: it is a conversation of something else than one assistant's text.
    """
    if isinstance(completion, str):
        return completion
    if isinstance(completion, list) and len(completion) == 1 and isinstance(completion[0], dict):
        content = completion[0].get("content")
        if completion[0].get("role") == "assistant" and isinstance(content, str):
            return content
    raise JudgeServiceError(f"{str(completion)[:60]!r} is no completion of one text: tool calls are not judged")
