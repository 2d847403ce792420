"""A run to be cited, as its files say it, with any names."""

from typing import Any

from reasrm.citation.cited_run import CitedFigures, CitedPrompt, CitedRun
from reasrm.datasets.origins import DataOrigin, OriginOf
from reasrm.probes.measures_file import ProbeMeasures
from reasrm.publishing.lineage import LockedFile
from reasrm.publishing.project_state import ProjectState

CLEAN = ProjectState(
    {}, scores_are_current=True, commit="c0ffee" * 6 + "c0de", has_edits=False, committed_on="2026-01-02"
)


def figures(name: str = "sft", title: str = "A judge") -> dict[str, Any]:
    """A metrics.json of two models, of which one was not judged on all benchmarks."""
    score = {"score": 0.7504, "n": 649, "ci95": [0.701, 0.8]}
    return {
        "title": title,
        "configuration": "miniature",
        "benchmark_labels": {"rm_bench": "RM-Bench", "rmb": "RMB"},
        "ladder": ["base", name],
        "models": {
            "base": {"average": None, "benchmarks": {"rm_bench": {"score": 0.5, "n": 738, "ci95": None}}},
            name: {"average": score, "benchmarks": {"rm_bench": score, "rmb": score}},
        },
    }


def measured(title: str = "Order of the answers") -> ProbeMeasures:
    """A model's measures of one probe: shares, and one in percent."""
    share = {"value": 0.162, "low": 0.144, "high": 0.182, "interval": "bootstrap", "units": 9, "questions": 9}
    percent = share | {"value": 31.25, "low": 20.0, "high": 40.0, "unit": "%"}
    measures = [{"name": "flip_rate", **share}, {"name": "flip_rate", "variant": "b_first", **share},
                {"name": "decay", **percent}]  # fmt: skip
    order = {"title": title, "source": "x", "definitions": {}, "settings": {}, "refused": "", "queries": 9,
             "unknown_words": 0, "measures": measures}  # fmt: skip
    cost = {"judgments": 9, "margins": 0, "prompt_tokens": 9, "completion_tokens": 9}
    found = {"questions": 9, "plain_judgments": 9, "cost": cost, "resamples": 9, "seed": 0, "judge": {}}
    return ProbeMeasures.model_validate(found | {"probes": {"order": order}})


def made_up_run(text: str = "SFT", state: ProjectState = CLEAN) -> CitedRun:
    """A run in which every text that others choose is `text`."""
    named = figures(name=text, title=text)
    named["benchmark_labels"]["rmb"] = text
    return CitedRun(
        figures=CitedFigures.model_validate(named),
        labels={"base": text},
        repository=text,
        version="0.1.0",
        state=state,
        figures_as_locked=True,
        data=(LockedFile(f"data/judgments/{text}", "0123456789abcdef0123456789abcdef.dir"),),
        seeds={"sft": (0,), "grpo": (0, 1)},
        prompts={
            text: CitedPrompt(prompt="full", instruction="ab" * 32),
            "base": CitedPrompt(prompt="", instruction=""),
        },
        versions={"torch": "2.13.0"},
        probes={text: measured(text)},
        origins={OriginOf.PAIRS: (DataOrigin(name=text, revision="", licence="mit", written_by=text),)},
    )
