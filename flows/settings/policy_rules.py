"""What section `policy` of params.yaml must say of the judges, prompts and checkpoints that other sections make.

As in `flows.settings.rules`: what has the wrong type was told by the stage's own class, and is passed over here.
"""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from flows.settings.check import WrongSetting

CONFIG = "config.json"
OWN_SCORES = "own_scores"


def policy_rules(document: Mapping[str, Any], made: Collection[str], root: Path) -> Iterator[WrongSetting]:
    """All that the arms contradict other sections in.

    Args:
        document: params.yaml.
        made: the checkpoints that the stages make.
        root: the project.
    """
    common = _mapping(document, "policy")
    for arm, own in _mapping(document, "policy_variants").items():
        settings = {**common, **own} if isinstance(own, dict) else common
        for key, value, problem in (
            *_prompts(document, settings),
            *_start(settings, made, root),
            *_judge(document, settings),
        ):
            yield WrongSetting(f"policy@{arm}", f"policy_variants.{arm}.{key}", value, problem)
    trained, scored = _mapping(document, "policy_variants"), _mapping(document, "policy_scores").get("arms")
    for arm in scored if isinstance(scored, list) else []:
        if arm not in trained:
            there = f"only {', '.join(trained)}" if trained else "none at all"
            problem = f"`policy_variants` has no such training, {there}: take it out, or add it there"
            yield WrongSetting("policy_scores", "policy_scores.arms", str(arm), problem)


def _prompts(document: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    known, asked = list(_mapping(document, "policy_prompts_variants")), settings.get("prompts")
    if isinstance(asked, str) and asked not in known:
        there = f"only {', '.join(known)}" if known else "none at all"
        yield "prompts", asked, f"`policy_prompts_variants` has no such set, {there}: name one, or add it there"


def _start(settings: Mapping[str, Any], made: Collection[str], root: Path) -> Iterator[tuple[str, str, str]]:
    start = settings.get("start")
    if not isinstance(start, str) or start in made or (root / start / CONFIG).is_file():
        return
    yield (
        "start",
        start,
        f"no stage makes it, and it is no folder of a model; the stages make {', '.join(sorted(made))}",
    )


def _judge(document: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    name, judged = settings.get("judge"), _mapping(document, "judge_variants")
    if not isinstance(name, str) or not name:
        return
    if name not in judged:
        yield "judge", name, f"`judge_variants` has no such model, only {', '.join(judged)}: name one of those"
        return
    judge = judged[name] if isinstance(judged[name], dict) else {}
    theirs, ours = judge.get("checkpoint"), settings.get("checkpoint")
    if theirs and ours and theirs != ours:
        yield "checkpoint", str(ours), f"{name} is judged with {theirs} (`judge_variants.{name}`): name the same here"
    if settings.get("scheme") == OWN_SCORES and judge.get("kind") == "generative":
        yield "scheme", OWN_SCORES, f"{name} compares answers and gives no scores: take a scheme of comparisons"


def _mapping(document: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    found = document.get(section)
    return found if isinstance(found, dict) else {}
