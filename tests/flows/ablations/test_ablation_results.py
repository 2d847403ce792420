"""A measured table on terminals of any width, and in sentences: nothing is cut, and signs are said rightly."""

import io
from typing import Any

import pytest
from rich.console import Console

from flows.ablations.results import budgets, notes, sentences, show


def figure(value: float, low: float, high: float, **more: Any) -> dict[str, Any]:
    return {"value": value, "ci95": [low, high], "ci95_questions": [low, high], "seeds": [value], "spread": None} | more


def step_figure(value: float, low: float, high: float, finding: str) -> dict[str, Any]:
    return figure(value, low, high, p=0.01, p_holm=0.02, finding=finding)


def row(name: str, trained: list[dict[str, Any]], tokens: float | None) -> dict[str, Any]:
    share = figure(0.4321, 0.4012, 0.4678)
    parts = dict.fromkeys(("average", "accuracy", "covered", "shift"), share)
    paper = {"row": name, "average": 85.8}
    return {
        "row": name, "title": f"A row called {name}", "paper": paper, "benchmarks": {"rmb": share}, "trained": trained,
        "reply_tokens": tokens, **parts,
    }  # fmt: skip


@pytest.fixture
def document() -> dict[str, Any]:
    """Two rows, of which the later one is worse, against the paper."""
    grpo = {"training": "grpo-full", "steps": [30, 31], "batch": 128, "of": "replies", "questions": 16}
    misprint = {"row": "upper", "printed": 76.6, "note": "It is 76.8."}
    return {
        "title": "The recipe", "n": {"seeds": 1, "questions": 60, "judgments_per_judge": 120},
        "paper": {"table": 2, "average_of": "Chat", "errata": [misprint]},
        "titles": {"rmb": "mini-RMB"}, "headline": ["rmb"], "covered": ["easy"],
        "configurations": {"table3": ["table3"], "table3-all-traces": ["all-traces"]},
        "measured": "today", "command": "reasrm", "settings": "miniature",
        "meaning": {"average": "mean", "accuracy": "share", "ci95": "covers other questions"},
        "rows": [row("lower", [], None), row("upper", [grpo | {"pairs": ["distill", "reinforce"]}], 35.25)],
        "steps": [
            {
                "first": "upper", "second": "lower", "title": "upper - lower", "paper": 0.7,
                "average": step_figure(-0.0615, -0.0777, -0.0456, "reversed"),
                "accuracy": step_figure(-0.0348, -0.0502, -0.0198, "reversed"),
                "covered": figure(-0.1291, -0.1583, -0.1024), "shift": figure(0.0032, -0.0153, 0.0214),
                "gap": figure(0.1323, 0.0991, 0.1672),
            }
        ],
    }  # fmt: skip


@pytest.mark.parametrize("width", [40, 60, 80, 110, 200])
def test_no_figure_is_cut_however_narrow_the_terminal(document: dict[str, Any], width: int) -> None:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    show(document, console)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    for text in (
        "43.2 [40.1, 46.8]",
        "-6.2 [-7.8, -4.6]",
        "+13.2 [9.9, 16.7]",
        "+0.3 [-1.5, 2.1]",
        "reversed",
        "0.020",
    ):
        assert text in shown
    assert "…" not in shown


def test_a_reversed_step_names_who_is_ahead_and_what_one_seed_covers(document: dict[str, Any]) -> None:
    (said,) = sentences(document)
    assert said == (
        "A row called lower is ahead of A row called upper, against the paper: -6.2 [-7.8, -4.6] points, for these "
        "trainings alone; on the shift it is higher than on what traces cover: +13.2 [9.9, 16.7]."
    )


def test_budgets_and_the_papers_misprint_are_said(document: dict[str, Any]) -> None:
    assert list(budgets(document)) == [
        "A row called lower: not trained further; writes nothing.",
        "A row called upper: grpo-full, 30/31 steps of 128 replies to 16 questions (distill and reinforce pairs); "
        "writes 35.2 tokens a judgment.",
    ]
    assert any(note.startswith("Covered by traces (of configuration table3): easy;") for note in notes(document))
    assert "Paper, upper: 76.6 is printed. It is 76.8." in list(notes(document))
