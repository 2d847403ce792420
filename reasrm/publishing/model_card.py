"""The model card of a checkpoint (README.md): metadata that the hub reads, and what a user must know, in markdown."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from reasrm.publishing.base_facts import NOT_STATED, TAG
from reasrm.publishing.card_facts import BASE_STAGE, TRAINING_STAGES, CardFacts
from reasrm.publishing.card_usage import usage
from reasrm.publishing.markdown import block, code, plain, table
from reasrm.records.harmless_text import json_text, one_line
from reasrm.records.judge_kind import JudgeKind

_LICENCE_ID = re.compile(r"[a-z0-9][a-z0-9.-]*")
PIPELINE_TAGS = {JudgeKind.GENERATIVE: "text-generation", JudgeKind.SCALAR: "text-classification"}


def model_card(facts: CardFacts, licence: str, dtype: str) -> str:
    """The whole card.

    Args:
        facts: of the checkpoint.
        licence: of the weights, by who publishes them; empty for what the base's card says.
        dtype: number format of the published weights.
    """
    parts = [
        f"---\n{_metadata(facts, licence)}\n---",
        f"# {plain(facts.name)}",
        *_description(facts, licence, dtype),
        "## Use",
        *usage(facts),
        "## Scores",
        *_scores(facts, dtype),
        "## Data",
        *_data(facts),
        "## Training",
        *_training(facts),
        "## Lineage",
        *_lineage(facts),
        "## Limits",
        *_limits(facts),
    ]
    return "\n\n".join(parts) + "\n"


def _metadata(facts: CardFacts, licence: str) -> str:
    """The metadata block, written by huggingface_hub, so that no text can leave its value."""
    from huggingface_hub import EvalResult, ModelCardData

    licence = licence or facts.base.licence
    results = [
        EvalResult(
            task_type="text-classification",
            task_name="pairwise preference",
            dataset_type=one_line(name, 80),
            dataset_name=facts.benchmark_labels.get(name, name),
            metric_type="accuracy",
            metric_name=f"{facts.benchmark_labels.get(name, name)} score",
            metric_value=round(float(score["score"]), 4),
        )
        for card in list(facts.scores.values())[:1]
        for name, score in card.get("benchmarks", {}).items()
    ]
    data = ModelCardData(
        license=licence if _LICENCE_ID.fullmatch(licence) else None,
        base_model=facts.base.hub_name or None,
        library_name="transformers",
        pipeline_tag=PIPELINE_TAGS[facts.kind],
        tags=["reward-model", "judge", TAG],
        model_name=facts.name,
        eval_results=results or None,
    )
    return str(data.to_yaml()).strip()


def _description(facts: CardFacts, licence: str, dtype: str) -> Iterator[str]:
    what = {
        JudgeKind.GENERATIVE: "A generative judge: it reads a question and two answers, writes its reasons and ends "
        "with the answer that it finds better.",
        JudgeKind.SCALAR: "A scalar reward model: it gives a conversation that ends with an answer one number; of two "
        "answers to a question the one with the higher number is judged better. It writes no text.",
    }[facts.kind]
    steps = " → ".join(code(stage.name) for stage in facts.stages if stage.name.partition("@")[0] in TRAINING_STAGES)
    yield f"{what} Trained with reasrm after the recipe of RM-R1 (arXiv 2505.02387): {steps}."
    if facts.is_miniature:
        yield (
            "**A miniature.** Its pairs, its oracle and its benchmarks are programs and its world is synthetic: it "
            "shows that the pipeline works and judges nothing but that world."
        )
    licences = f"{plain(licence)} (by its publisher)" if licence else plain(facts.base.licence)
    yield table(
        ["", ""],
        [
            ["architecture", code(facts.architecture)],
            ["weights", code(dtype)],
            ["base model", facts.base.description],
            ["licence of the base", plain(facts.base.licence)],
            ["licence of these weights", licences],
        ],
    )
    if facts.state.stale:
        named = ", ".join(code(name) for name in facts.state.stale)
        yield f"**Out of date when published.** By that day's settings, code and data these would run again: {named}."


def _scores(facts: CardFacts, dtype: str) -> Iterator[str]:
    if not facts.scores:
        yield "None: this checkpoint was not scored, or its scores were out of date when it was published."
        return
    if dtype != facts.dtype:
        yield f"Measured with the weights in {code(facts.dtype)}, before they were rounded to {code(dtype)}."
    for use in facts.uses:
        if card := facts.scores.get(use.name):
            rows = [["all questions, accuracy", *_figures(card, "accuracy")]]
            for name, score in card.get("benchmarks", {}).items():
                rows.append([plain(facts.benchmark_labels.get(name, name)), *_figures(score, "score")])
            yield f"As the judge {code(use.name)}; in percent, with 95 % intervals and the number of questions."
            yield table(["", "score", "95 %", "n"], rows)
            flips, unreadable = card.get("flip_rate"), card.get("unreadable_rate")
            yield (
                f"Verdicts that change when A and B change places: {_percent(flips)} %; judgments without a readable "
                f"verdict: {_percent(unreadable)} %."
            )


def _figures(card: Mapping[str, Any], name: str) -> list[str]:
    low, high = card.get("ci95") or (None, None)
    return [_percent(card.get(name)), f"{_percent(low)} to {_percent(high)}", f"{card.get('n', 0):,}"]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _data(facts: CardFacts) -> Iterator[str]:
    if facts.pairs:
        sources = facts.pairs.get("by_source", {})
        source = facts.locked("collect_pairs", "collect_pairs").get("source", "?")
        yield f"Preference pairs ({code(f'source: {source}')}), by their source:"
        yield table(
            ["source", "pairs kept", "of rows", "revision"],
            [
                [plain(name), f"{row.get('kept', 0):,}", f"{row.get('rows_in', 0):,}", _revision(facts, name)]
                for name, row in sources.items()
            ],
        )
    if facts.traces:
        oracle = facts.locked("distill_traces", "distill_traces")
        who = next((one.params for one in facts.stages if one.name == "distill_traces@first"), {})
        asked = who.get("distill_traces_variants.first", {})
        local = oracle.get("endpoint") == "local"
        teacher = "a program of the miniature, no language model" if local else f"{code(asked.get('model', '?'))}"
        yield (
            f"Reasoning traces: {facts.traces.get('kept', 0):,} kept of {facts.traces.get('traces', 0):,}, written by "
            f"{teacher}; the second pass was told the right verdict where the first had missed it."
        )
        if not local:
            yield "Whether the oracle's terms let a model trained on its replies be published was not checked."
    if facts.is_miniature:
        yield "All of it is synthetic and made by reasrm."
    elif facts.pairs:
        yield "The licences of these sets are not recorded here: they stand with the sets."


def _revision(facts: CardFacts, source: str) -> str:
    return code(facts.revisions[source]) if isinstance(facts.revisions.get(source), str) else "-"


def _training(facts: CardFacts) -> Iterator[str]:
    for stage in facts.stages:
        name = stage.name.partition("@")[0]
        if name in TRAINING_STAGES:
            yield f"### {plain(stage.name)}"
            yield block(json_text(_settings(facts, name, stage.params), indent=1), "json")
    if facts.curves:
        yield f"Last values of the curves of {plain(facts.name)}:"
        yield table(["", ""], [[code(name), f"{value:.6g}"] for name, value in facts.curves.items()])


def _settings(facts: CardFacts, name: str, params: dict[str, Any]) -> dict[str, Any]:
    """The sections of a training; of a base that was copied, where it came from."""
    if name != BASE_STAGE or params.get(BASE_STAGE, {}).get("source") not in {"folder", "hub"}:
        return params
    own = params[BASE_STAGE]
    return {
        BASE_STAGE: {"source": own["source"], "model": facts.base.hub_name or "a folder", "revision": own["revision"]}
    }


def _lineage(facts: CardFacts) -> Iterator[str]:
    state = facts.state
    if state.commit:
        edits = ", with edits that were not committed" if state.has_edits else ", nothing uncommitted"
        yield f"Published from commit {code(state.commit)}{edits}."
    else:
        yield "Published outside of git: no commit is known."
    yield "Each stage with what it read and wrote, by DVC's hashes (md5; `.dir` is a folder's) in dvc.lock:"
    rows = [
        [code(stage.name) if first else "", direction, code(file.path), code(file.md5)]
        for stage in facts.stages
        for first, direction, file in _files(stage)
    ]
    yield table(["stage", "", "path", "hash"], rows)


def _files(stage: Any) -> Iterator[tuple[bool, str, Any]]:
    files = [*dict.fromkeys(("read", one) for one in stage.inputs), *(("wrote", one) for one in stage.outputs)]
    yield from ((at == 0, direction, file) for at, (direction, file) in enumerate(files))


def _limits(facts: CardFacts) -> Iterator[str]:
    if facts.is_miniature:
        covered = facts.locked("collect_pairs", "collect_pairs").get("distill_slices")
        if covered:
            yield f"- Set by hand: how its base judges before training; and all traces are of {', '.join(covered)}."
        yield "- It knows the words of its world alone."
    yield "- A judge can be wrong, and can prefer an answer for its place, length or style."
    yield "- What an answer says may be meant to move its judge. Its verdict is no ground to trust an answer."
    if facts.base.licence == NOT_STATED:
        yield "- No licence of the base was found where it was published from."
