"""What sections of params.yaml must say of each other; no stage's own class can see that, since it reads one section.

Each rule takes the document as it is: what has the wrong type was told by the stage's class, and is passed over here.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flows.running.stage_outcome import FlowError
from flows.settings.check import WrongSetting
from flows.settings.page_words import untrue_words
from flows.settings.policy_rules import policy_rules
from flows.settings.profile import PARAMS, miniature
from flows.settings.profile_layers import parsed

CHECKPOINTS = "data/checkpoints/"
PUBLISHED = ("folder", "hub")
"""Values of `base_model.source` where the base is a published model and not a miniature."""
TRAINED = ("sft", "answer_sft", "scalar_rm")
STARTED = ("grpo", "answer_sft", "policy_start")
"""The trainings whose variants say which checkpoint they go on from; those on pairs, with which."""
SCALAR = "scalar_rm"
EPOCH_RATE, GRPO_RATE = 5e-4, 2e-4
"""Learning rates that are taken for the miniature's, left over by mistake: its own begin there, those of the runs that
docs/training.md names lie far below (GRPO 5e-7 to 1e-6, with LoRA 1e-5). A rule of thumb, not a measured limit."""
SHORTEST = 512
"""Tokens; no judge's prompt about real answers fits into so few, and the miniature's limits do not exceed it."""
SHOWN_WORDS = 40


def between_sections(document: Mapping[str, Any], wiring: Mapping[str, Any], root: Path) -> Iterator[WrongSetting]:
    """All that sections contradict each other in.

    Args:
        document: params.yaml.
        wiring: dvc.yaml.
        root: the project.
    """
    yield from _checkpoints(document, wiring)
    yield from _pairs(document)
    yield from _judged_models(document)
    yield from _probed_models(document)
    yield from _base(document)
    yield from _policy_starts(document)
    yield from policy_rules(document, set(_made_checkpoints(document, wiring)), root)
    yield from _miniature_settings(document)
    yield from _prompts(document)
    yield from _page_words(document, root)


def _checkpoints(document: Mapping[str, Any], wiring: Mapping[str, Any]) -> Iterator[WrongSetting]:
    """Where a variant starts from and what is judged must be made by a stage."""
    made = sorted(_made_checkpoints(document, wiring))
    for variant, settings in _mapping(document, "judge_variants").items():
        checkpoint = str(settings.get("checkpoint", "")) if isinstance(settings, dict) else ""
        if checkpoint.startswith(CHECKPOINTS) and checkpoint not in made:
            problem = f"no stage makes it; there are {', '.join(made)}"
            yield WrongSetting(f"judge@{variant}", f"judge_variants.{variant}.checkpoint", checkpoint, problem)
    names = [name for one in made if (name := one.removeprefix(CHECKPOINTS)) != SCALAR]
    for stage, variant, settings in _started(document):
        start = str(settings.get("start", ""))
        if start and start not in names:
            why = "is a scalar model, which writes no text" if start == SCALAR else "is made by no stage"
            problem = f"{CHECKPOINTS}{start} {why}; there are {', '.join(names)}"
            yield WrongSetting(f"{stage}@{variant}", f"{stage}_variants.{variant}.start", start, problem)


def _pairs(document: Mapping[str, Any]) -> Iterator[WrongSetting]:
    """What a variant is trained on must get pairs."""
    collect = _mapping(document, "collect_pairs")
    where = "counts" if collect.get("source") == "miniature" else "shares"
    none = [purpose for purpose, much in _mapping(collect, where).items() if much == 0]
    for stage, variant, settings in _started(document):
        common = _mapping(document, stage)
        pairs = {**common, **settings}.get("pairs")
        if isinstance(pairs, list) and pairs and all(purpose in none for purpose in pairs):
            problem = f"`collect_pairs.{where}` gives no pair to that: name another purpose, or give it some"
            place = f"{stage}_variants.{variant}" if "pairs" in settings else stage
            yield WrongSetting(f"{stage}@{variant}", f"{place}.pairs", ", ".join(pairs), problem)


def _started(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The variants that go on from a checkpoint: stage, variant, the variant's own settings."""
    for stage in STARTED:
        for variant, settings in _mapping(document, f"{stage}_variants").items():
            if isinstance(settings, dict):
                yield stage, str(variant), settings


def _made_checkpoints(document: Mapping[str, Any], wiring: Mapping[str, Any]) -> Iterator[str]:
    for stage, entry in _mapping(wiring, "stages").items():
        keys = list(_mapping(document, f"{stage}_variants")) if "foreach" in entry else [""]
        for out in entry.get("do", entry).get("outs", []):
            if str(out).startswith(CHECKPOINTS):
                yield from (str(out).replace("${key}", str(key)) for key in keys)


def _judged_models(document: Mapping[str, Any]) -> Iterator[WrongSetting]:
    """What is scored must be judged, what the page shows must be scored."""
    judged = list(_mapping(document, "judge_variants"))
    scored = _mapping(document, "score").get("models", [])
    scored = scored if isinstance(scored, list) else []
    for model in scored:
        if model not in judged:
            problem = f"`judge_variants` has no such model, only {', '.join(judged)}: take it out, or add it there"
            yield WrongSetting("score", "score.models", str(model), problem)
    for key, model in _shown_models(_mapping(document, "report")):
        if model not in scored:
            problem = f"`score.models` has no such model, only {', '.join(map(str, scored))}: name one of those"
            yield WrongSetting("report", f"report.{key}", str(model), problem)


def _probed_models(document: Mapping[str, Any]) -> Iterator[WrongSetting]:
    """A model is probed as it was judged, beginning with those judgments."""
    judged = _mapping(document, "judge_variants")
    for model, settings in _mapping(document, "probe_variants").items():
        name = f"probe_variants.{model}"
        if model not in judged:
            problem = f"`judge_variants` has no such model, only {', '.join(judged)}: take it out, or add it there"
            yield WrongSetting(f"probe@{model}", name, "", problem)
            continue
        as_judged, checkpoint = (_mapping({"": one}, "").get("checkpoint") for one in (judged[model], settings))
        if checkpoint and as_judged and checkpoint != as_judged:
            problem = f"it is judged with {as_judged} (`judge_variants.{model}`): name the same here"
            yield WrongSetting(f"probe@{model}", f"{name}.checkpoint", str(checkpoint), problem)


def _shown_models(report: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from (("models", model) for model in _mapping(report, "models"))
    if "lead" in report:
        yield "lead", report["lead"]
    pairs = report.get("differences")
    named = {key: report.get(key) for key in ("before_after", "side_by_side")}
    named |= {f"differences.{place}": pair for place, pair in enumerate(pairs if isinstance(pairs, list) else [])}
    for key, models in named.items():
        yield from ((key, model) for model in (models if isinstance(models, list) else []))


def _base(document: Mapping[str, Any]) -> Iterator[WrongSetting]:
    base = _mapping(document, "base_model")
    source, model, revision = base.get("source"), base.get("model"), base.get("revision")
    if source in PUBLISHED and not model:
        what = "a hub id, as OWNER/NAME" if source == "hub" else "the model's folder, and `base_model.reads` the same"
        yield WrongSetting("base_model", "base_model.model", "''", f"with source {source} it is {what}")
    if source == "hub" and model and not re.fullmatch(r"[0-9a-f]{40}", str(revision)):
        problem = (
            f"a full commit id (40 hex digits) is needed, since branches move: `git ls-remote "
            f"https://huggingface.co/{model} HEAD` prints one; then --set base_model.revision=ID"
        )
        yield WrongSetting("base_model", "base_model.revision", repr(revision), problem)


def _policy_starts(document: Mapping[str, Any]) -> Iterator[WrongSetting]:
    """Only the miniature's base knows the words of the answers that a policy learns to start from."""
    source = _mapping(document, "base_model").get("source")
    if source == "world":
        return
    for variant in _mapping(document, "policy_start_variants"):
        problem = (
            f"it teaches the base answers of the miniature's world, and base_model.source is {source}: a model that "
            f"answers already needs no such start; take the variant out"
        )
        yield WrongSetting(f"policy_start@{variant}", f"policy_start_variants.{variant}", "", problem)


def _miniature_settings(document: Mapping[str, Any]) -> Iterator[WrongSetting]:
    """The miniature's learning rates ruin a published model, and its lengths hold no real prompt."""
    source = _mapping(document, "base_model").get("source")
    if source not in PUBLISHED:
        return
    limits = [(stage, "learning_rate", EPOCH_RATE, True) for stage in TRAINED]
    limits += [("grpo", "learning_rate", GRPO_RATE, True)]
    limits += [(stage, "max_tokens", SHORTEST, False) for stage in TRAINED]
    limits += [("grpo", "max_prompt_tokens", SHORTEST, False), ("judge", "max_context_tokens", SHORTEST, False)]
    if _mapping(document, "policy_variants"):  # without an arm the section is the miniature's, and nobody reads it
        limits += [("policy", "learning_rate", GRPO_RATE, True), ("policy", "max_prompt_tokens", SHORTEST, False)]
    for stage, key, limit, is_upper in limits:
        value = _mapping(document, stage).get(key)
        if not isinstance(value, int | float) or (value < limit if is_upper else value > limit):
            continue
        problem = (
            f"that is a value for the miniature, and base_model.source is {source}: "
            f"{'less' if is_upper else 'more'} than {limit:g} is needed; `reasrm profile use pretrained` has values "
            f"for chat models"
        )
        yield WrongSetting(stage, f"{stage}.{key}", f"{value:g}", problem)


def _prompts(document: Mapping[str, Any]) -> Iterator[WrongSetting]:
    shown = _mapping(document, "distill_traces").get("prompt_variant")
    expected = _mapping(document, "filter_traces").get("prompt_variant")
    if shown and expected and shown != expected:
        problem = f"traces are held to what they were asked for, and distill_traces.prompt_variant is {shown}"
        yield WrongSetting("filter_traces", "filter_traces.prompt_variant", str(expected), problem)


def _page_words(document: Mapping[str, Any], root: Path) -> Iterator[WrongSetting]:
    """The page must not say of another run what is true of the miniature; only edits by hand come so far."""
    try:
        words = untrue_words(document, parsed(miniature(root), PARAMS))
    except FlowError:  # no git: nothing to compare with
        return
    for key in words:
        problem = (
            "the miniature's words, while pairs, benchmarks or the base model come from elsewhere: write your own, "
            "or null, which derives them from what ran (`families: {}`, `slices: ''`, `policy_planted: ''`)"
        )
        yield WrongSetting("report", f"report.{key}", f"{str(document['report'][key])[:SHOWN_WORDS]}...", problem)


def _mapping(document: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    found = document.get(section)
    return found if isinstance(found, dict) else {}
