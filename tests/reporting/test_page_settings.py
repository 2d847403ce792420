"""Texts of the page that nobody wrote are derived from what ran, and say nothing that did not."""

from collections import Counter
from typing import Any

import pytest

from reasrm.records.trace import TracePass
from reasrm.reporting.data_funnel import Funnel, PassCounts
from reasrm.reporting.page_settings import with_derived_texts
from reasrm.reporting.run_settings import read_parameters
from stages.report import ReportParams

MODEL, COMMIT = "Qwen/Qwen2.5-7B-Instruct", "a09a35458c702b33eeacc393d103063234e8bc28"
UNTRUE = ("scratch", "synthetic", "planted", "laptop", "miniature", "half a million")
ADAPTER = {"rank": 8}


def funnel(model: str) -> Funnel:
    counts = PassCounts(TracePass.FIRST, (model,), 700, 600, 100, Counter(), Counter())
    pairs = {"distill": 700, "reinforce": 5000, "dev": 90}
    sources = {purpose: {"Skywork": count} for purpose, count in pairs.items()}
    return Funnel(pairs, sources, Counter(), (counts,), Counter({TracePass.FIRST: 555}), Counter(), {})


def parameters(**sections: dict[str, Any]) -> dict[str, Any]:
    read = read_parameters()
    hub = {"base_model": {"source": "hub", "model": MODEL, "revision": COMMIT}}
    paid = {"distill_traces": {"endpoint": "environment"}}
    for name, values in {**hub, **paid, **sections}.items():
        read[name] = read[name] | values
    return read


@pytest.fixture
def unwritten() -> ReportParams:
    """The section without any text, as a profile of another base leaves it."""
    nothing = dict.fromkeys(("title", "summary", "notes", "reproduce"))
    return ReportParams.load().model_copy(
        update={**nothing, "planted": (), "families": {}, "configuration": "big +lora"}
    )


def words(settings: Any) -> str:
    return " ".join([settings.title, settings.summary, *settings.notes])


def test_a_published_base_is_named_with_its_commit_and_what_it_learnt_from(unwritten: ReportParams) -> None:
    texts = with_derived_texts(unwritten, parameters(sft={"lora": ADAPTER}), funnel("some-model-2025"))
    assert texts.title == f"{MODEL} as a judge of answers"
    learnt = "from 555 traces (SFT), then from rewarded verdicts on 5,000 pairs (GRPO)"
    assert texts.summary == f"{MODEL} learns to judge pairs of answers {learnt}."
    assert texts.notes == (
        f"The base model is {MODEL}, commit {COMMIT}, a published model.",
        "The traces are those of some-model-2025.",
        "Pairs: 700 for distill, 5,000 for reinforce, 90 for dev, from Skywork. Of the traces 555 were kept.",
        "Trained with an adapter (LoRA) and not with all weights: sft.",
    )
    assert not [word for word in UNTRUE if word in words(texts)]
    assert texts.reproduce is not None
    assert texts.reproduce[0].command == "reasrm profile use big +lora"


def test_grpo_without_sft_claims_no_traces(unwritten: ReportParams) -> None:
    cold = parameters(grpo_variants={"full": {"start": "base"}})
    assert with_derived_texts(unwritten, cold, funnel("m")).summary == (
        f"{MODEL} learns to judge pairs of answers from rewarded verdicts on 5,000 pairs (GRPO)."
    )
    base = unwritten.model_copy(update={"lead": "base"})
    assert with_derived_texts(base, cold, funnel("m")).summary == f"{MODEL} judges as it is."


@pytest.mark.parametrize(
    ("lead", "learnt"),
    [
        ("answer_sft-all", "the verdicts of 5,700 pairs (SFT)"),
        ("answer_sft-distilled", "the verdicts of 700 pairs (SFT)"),
        ("answer_sft-after_sft", "555 traces (SFT), then from the verdicts of 5,000 pairs (SFT)"),
        ("grpo-cold_start", "rewarded verdicts on 5,700 pairs (GRPO)"),
    ],
)
def test_a_variant_learnt_from_its_own_pairs_and_what_it_started_from(
    lead: str, learnt: str, unwritten: ReportParams
) -> None:
    variants = {
        "distilled": {"start": "base", "pairs": ["distill"]},
        "after_sft": {"start": "sft", "pairs": ["reinforce"]},
    }
    made = parameters(answer_sft_variants=variants, judge_variants={lead: {"checkpoint": f"data/checkpoints/{lead}"}})
    texts = with_derived_texts(unwritten.model_copy(update={"lead": lead}), made, funnel("m"))
    assert texts.summary == f"{MODEL} learns to judge pairs of answers from {learnt}."


def test_a_program_as_oracle_is_said(unwritten: ReportParams) -> None:
    local = parameters(distill_traces={"endpoint": "local"}, collect_pairs={"source": "files"})
    texts = with_derived_texts(unwritten, local, funnel("miniature-lazy"))
    assert "The traces are a program's (miniature-lazy) and no model's" in words(texts)
    assert texts.reproduce is not None
    assert texts.reproduce[0].command == "reasrm profile use big +lora --files FOLDER"


def test_what_was_written_stays_as_it_is() -> None:
    written = ReportParams.load()
    assert with_derived_texts(written, read_parameters(), funnel("m")) == written
