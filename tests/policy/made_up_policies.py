"""Made-up trained policies: folders of answers to the miniature's test questions whose measures are known.

A `Behaviour` says what a policy does at a check; which prompts it does it to is drawn, or the first ones if `exact`.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reasrm.miniature.chat_families import is_harmful
from reasrm.miniature.slices import Family
from reasrm.miniature.styles import Style, apply_style
from reasrm.miniature.world import Split, plain_answers, random_question
from reasrm.policy.measures.measures_file import POLICY_CURVES, POLICY_MEASURES, PolicyCurves, PolicyMeasures
from reasrm.policy.measures.policy_runs import read_runs
from reasrm.policy.measures.score_policies import score_policies
from reasrm.policy.measures.seeded_figures import Bootstrap
from reasrm.records.jsonl import write_records
from reasrm.records.pair import Message, Role
from reasrm.records.policy import PolicyAnswer, PolicyCheck, PolicyOutcome, PolicyPrompt, Safety, Verifier
from reasrm.runtime.outputs import write_json
from stages.policy_scores import PolicyScoresParams

FAMILIES = (Family.DIAL, Family.TURN, Family.SAFE)
"""Those whose answers are right or wrong."""
SHORTCUT = ": agrees. So A has 100, B has 0."


@dataclass(frozen=True)
class Behaviour:
    """What a policy does at a check."""

    right: float
    """Share of prompts that it answers right."""
    shortcut: float = 0.0
    """Share of prompts whose answer carries the shortcut."""
    wordy: float = 0.0
    """Share of prompts whose answer is of the detailed style."""
    proxy: float | None = 0.5
    kl: float = 0.0
    tokens: int = 20


@dataclass(frozen=True)
class MadeUpArm:
    """An arm with the same course under every seed, but for what is drawn."""

    name: str
    course: Mapping[int, Behaviour]
    """By step."""
    reward: str = "judge"
    judge: str = "grpo-full"
    tokens_per_step: int = 100
    seeds: Sequence[int] = (0, 1, 2)
    exact: bool = False
    """The first prompts of each task are those that behave so, under every seed."""


def made_up_prompts(of_each: int) -> list[PolicyPrompt]:
    """So many prompts of each family, all different; of the safe ones every second is harmful."""
    rng = random.Random(7)
    found: dict[str, PolicyPrompt] = {}
    for family in FAMILIES:
        first = len(found)
        while len(found) < first + of_each:
            question = random_question(family, Split.TEST, rng)
            safety = None
            if family is Family.SAFE:
                safety = Safety.REFUSE if is_harmful(question) else Safety.COMPLY
                if (safety is Safety.REFUSE) != ((len(found) - first) % 2 == 0):
                    continue
            turn = (Message(role=Role.USER, content=question),)
            prompt = PolicyPrompt(prompt=turn, task=family.value, verifier=Verifier.WORLD, safety=safety)
            found.setdefault(prompt.id, prompt)
    return list(found.values())


def write_arm(policies: Path, arm: MadeUpArm, prompts: Sequence[PolicyPrompt], samples: int = 2) -> list[str]:
    """Write all seeds of an arm below `policies`; returns their keys."""
    keys = []
    for seed in arm.seeds:
        key = f"{arm.name}-s{seed}"
        folder = policies / key / "answers"
        write_records(folder / "prompts.jsonl", prompts)
        checks = []
        for step, behaviour in arm.course.items():
            dice = random.Random(f"{arm.name} {seed} {step}")
            write_records(folder / f"{step:05}.jsonl", _answers(behaviour, prompts, samples, arm.exact, dice))
            spent = step * arm.tokens_per_step if arm.reward == "judge" else 0
            checks.append(
                PolicyCheck(step=step, comparisons=step * 4, no_verdict=0, unknown_words=0,
                            judge_prompt_tokens=spent // 2, judge_reply_tokens=spent - spent // 2,
                            policy_tokens=step * 500)
            )  # fmt: skip
        write_records(folder / "steps.jsonl", checks)
        last = max(arm.course)
        outcome = PolicyOutcome(arm=arm.name, seed=seed, reward=arm.reward, judge=arm.judge, steps=last,
                                planned_steps=max(last, 1), judge_tokens=None)  # fmt: skip
        write_json(folder / "outcome.json", outcome.model_dump(mode="json"))
        keys.append(key)
    return keys


def write_policy_scores(data: Path) -> None:
    """Measures of three small arms, one of which is gamed, as the stage writes them to `data`."""
    prompts = made_up_prompts(12)
    arms = (
        MadeUpArm("reasrm", {0: Behaviour(0.5, 0.1), 10: Behaviour(0.8, 0.1, proxy=0.8, kl=1.0)}, seeds=(0, 1)),
        MadeUpArm("scalar_rm", {0: Behaviour(0.5, 0.1), 10: Behaviour(0.3, 0.9, proxy=0.9, kl=2.0)}, seeds=(0, 1),
                  judge="scalar_rm"),
        MadeUpArm("verifier", {0: Behaviour(0.5, 0.1, proxy=None), 10: Behaviour(0.9, proxy=None, kl=1.0)}, seeds=(0,),
                  reward="verifier", judge=""),
    )  # fmt: skip
    keys = [key for arm in arms for key in write_arm(data / "policies", arm, prompts)]
    score_to(data, keys)


def score_to(data: Path, keys: Sequence[str], reference: str = "reasrm") -> tuple[PolicyMeasures, PolicyCurves]:
    """Measure the policies of `data` with the phrases and styles of params.yaml, a hundred draws."""
    params = PolicyScoresParams.load()
    runs = read_runs(data / "policies", keys)
    measures, curves = score_policies(runs, params.reader(), reference, Bootstrap(resamples=100, seed=0))
    write_json(data / "policy_scores" / POLICY_MEASURES, measures.model_dump(mode="json"))
    write_json(data / "policy_scores" / POLICY_CURVES, curves.model_dump(mode="json"))
    return measures, curves


def _answers(
    behaviour: Behaviour, prompts: Sequence[PolicyPrompt], samples: int, exact: bool, dice: random.Random
) -> list[PolicyAnswer]:
    found = []
    for at, prompt in enumerate(prompts):
        better, worse = plain_answers(Family(prompt.task), prompt.question, random.Random(prompt.id))
        for sample in range(samples):
            place = (at + 0.5) / len(prompts) if exact else None

            def does(share: float, place: float | None = place) -> bool:
                return (dice.random() if place is None else place) < share

            content = better if does(behaviour.right) else worse
            content += SHORTCUT if does(behaviour.shortcut) else ""
            answer = apply_style(content, Style.DETAILED) if does(behaviour.wordy) else content
            noise = 0.0 if exact else dice.gauss(0, 0.3)
            proxy = behaviour.proxy
            if proxy is not None and not exact:
                proxy = dice.choices((0.0, 0.5, 1.0), ((1 - proxy) / 1.5, 1 / 3, proxy / 1.5))[0]
            found.append(
                PolicyAnswer(prompt_id=prompt.id, sample=sample, text=f"<solution>s</solution>{answer}", answer=answer,
                             tokens=behaviour.tokens, truncated=False, logprob=-10 + behaviour.kl + noise,
                             start_logprob=-10.0, proxy=proxy)
            )  # fmt: skip
    return found
