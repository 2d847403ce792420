"""The params.yaml of a round: the project's present one, with the variants of the rounds kept so far and its own."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.running.stage_outcome import FlowError
from flows.settings.profile import HASH, HEADER, PARAMS
from flows.settings.profile_layers import parsed, text_of
from reasrm.policy.hard_cases.improve_params import ImproveParams
from reasrm.runtime.params import ParamsError
from reasrm.runtime.yaml_files import yaml_text

WRITTEN_BY = "# Written by `reasrm improve`, which writes it anew: edit the project's params.yaml. Round "
CHECKPOINTS = "data/checkpoints/"
PAIRS = "data/pairs"


@dataclass(frozen=True)
class RoundStart:
    """What a round begins with: the judge that is kept, the pairs that it learnt from, and the policy."""

    judge: str
    """A key of `judge_variants`."""
    pairs: str
    """The folder of the version of pairs."""
    policy: str
    """The checkpoint whose answers are compared."""


def round_name(number: int) -> str:
    """What a round is called, from 1."""
    return f"round-{number}"


def relabelled_sets(number: int) -> tuple[str, str]:
    """The keys of what a round asks the oracle: to learn from, and where the judges differ."""
    return f"{round_name(number)}-train", f"{round_name(number)}-held_out"


def start_after(kept: Sequence[int], settings: ImproveParams) -> RoundStart:
    """What the round after the kept ones begins with."""
    if not kept:
        return RoundStart(settings.judge, PAIRS, settings.policy)
    name = round_name(kept[-1])
    policy = settings.policy if settings.arm is None else f"data/policies/{name}/checkpoint"
    return RoundStart(name, f"data/pair_versions/{name}", policy)


def round_params(root: Path, number: int, kept: Sequence[int]) -> str:
    """The text of a round's params.yaml.

    Args:
        root: the project; its params.yaml is read and not changed.
        number: of the round, from 1.
        kept: the earlier rounds whose judges took the old one's place, in order.

    Raises:
        FlowError: params.yaml cannot be read, or lacks what a round needs.
    """
    document = parsed(_without_header(text_of(root / PARAMS)), PARAMS)
    settings = improve_settings(root)
    for place, one in enumerate((*kept, number)):
        _add_round(document, settings, one, start_after(kept[:place], settings))
    return f"{WRITTEN_BY}{number}.\n{yaml_text(document)}"


def improve_settings(root: Path) -> ImproveParams:
    """Section `improve` of the params.yaml in `root`.

    Raises:
        FlowError: it is missing, or wrong.
    """
    try:
        return ImproveParams.load(file=root / PARAMS)
    except ParamsError as error:
        raise FlowError(f"{error}; `reasrm profile show miniature` has it") from error


def _add_round(document: Any, settings: ImproveParams, number: int, start: RoundStart) -> None:
    """Lay the variants of one round over the document."""
    name, old = round_name(number), _judge(document, start.judge)
    new = {**old, "checkpoint": f"{CHECKPOINTS}grpo-{name}"}
    new.pop("token_budgets", None)  # the gate looks at whole replies
    compared = {"old": start.judge, "new": name}
    train, held_out = relabelled_sets(number)
    own = {
        "hard_cases": {
            "policy": start.policy,
            "prompts": settings.prompts,
            "judge": start.judge,
            "checkpoint": str(old["checkpoint"]),
            "seed": _section(document, "hard_cases").get("seed", 0) + number - 1,
        },
        "extend_pairs": {"reads": f"data/relabelled/{train}", "extends": start.pairs},
        "grpo": {
            "start": str(old["checkpoint"]).removeprefix(CHECKPOINTS),
            "prompt_variant": old["prompt"],
            **deepcopy(settings.grpo),
            "pairs": ["reinforce"],
            "reads": f"data/pair_versions/{name}",
        },
        "judge": new,
        "contested": {
            "reads": f"data/hard_cases/{name}/held_out.jsonl",
            "old_checkpoint": str(old["checkpoint"]),
            "new_checkpoint": new["checkpoint"],
            **compared,
        },
        "gate": {
            "trained_on": f"data/relabelled/{train}",
            "held_out": f"data/relabelled/{held_out}",
            "counts": f"data/contested/{name}",
            **compared,
        },
    }
    if settings.arm is not None:
        trained_by = {"start": start.policy, "judge": name, "checkpoint": new["checkpoint"]}
        own["policy"] = {**_arm(document, settings.arm), **trained_by}
    for stage, variant in own.items():
        _section(document, f"{stage}_variants")[name] = variant
    _section(document, "relabel_variants").update(_questions(settings, number))


def _questions(settings: ImproveParams, number: int) -> dict[str, dict[str, Any]]:
    """What a round asks the oracle, within its caps."""
    name, (train, held_out) = round_name(number), relabelled_sets(number)
    return {
        train: {
            "reads": f"data/hard_cases/{name}/candidates.jsonl",
            "most_questions": settings.most_train_questions,
        },
        held_out: {
            "reads": f"data/contested/{name}/candidates.jsonl",
            "most_questions": settings.most_held_out_questions,
        },
    }


def _judge(document: Any, name: str) -> Mapping[str, Any]:
    """A judge that a round may begin with.

    Raises:
        FlowError: there is none of that name, or GRPO cannot go on from it.
    """
    judges = _section(document, "judge_variants")
    if name not in judges:
        raise FlowError(f"params.yaml: improve.judge is {name}: `judge_variants` has {', '.join(map(str, judges))}")
    found: Mapping[str, Any] = judges[name]
    if found.get("kind") != "generative" or not str(found.get("checkpoint", "")).startswith(CHECKPOINTS):
        raise FlowError(
            f"params.yaml: improve.judge is {name}: a round trains it further with GRPO, so it must be generative and "
            f"its checkpoint below {CHECKPOINTS}"
        )
    return found


def _arm(document: Any, name: str) -> Mapping[str, Any]:
    """The arm of a policy's training.

    Raises:
        FlowError: there is none of that name.
    """
    arms = _section(document, "policy_variants")
    if name not in arms:
        raise FlowError(
            f"params.yaml: improve.arm is {name}: `policy_variants` has {', '.join(map(str, arms)) or 'none'}"
        )
    found: Mapping[str, Any] = arms[name]
    return found


def _section(document: Any, name: str) -> Any:
    section = document.get(name)
    if not isinstance(section, dict):
        raise FlowError(f"params.yaml: section {name} is missing; `reasrm profile show miniature` has it")
    return section


def _without_header(text: str) -> str:
    """The text without the lines by which `reasrm profile use` knows its own, which this is no longer."""
    lines = text.splitlines(keepends=True)
    return "".join(line for place, line in enumerate(lines) if place > 1 or not line.startswith((HEADER, HASH)))
