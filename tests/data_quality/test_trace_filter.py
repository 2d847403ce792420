"""Which traces are kept, and the reason of each that is not."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.data_quality.decontamination import BenchmarkPrompts
from reasrm.data_quality.trace_filter import FilteredTraces, balance_sides, filter_traces, kept_trace
from reasrm.data_quality.trace_rules import TraceFault, trace_fault
from reasrm.judging.chain_of_rubrics import HINT
from reasrm.judging.question_types import QuestionType
from reasrm.records.comparison import Side
from reasrm.records.pair import Message, PreferencePair, Role
from reasrm.records.trace import OracleTrace, TraceOutcome, TracePass
from reasrm.runtime.stage_main import StageError
from stages.filter_traces import FilterTracesParams

WORDS = [
    *("amber", "brook", "cedar", "delta", "ember", "frost", "grove", "haven", "inlet"),
    *("jetty", "knoll", "lunar", "maple", "north", "ocean", "pearl", "quilt", "river"),
]


def params(**changes: Any) -> FilterTracesParams:
    values = {
        "prompt_variant": "full",
        "max_characters": 2000,
        "weights_tolerance": 0.5,
        "evidence": "quotes",
        "held_out": "data/benchmarks",
        "duplicate_similarity": 0.8,
        "duplicate_ngram": 3,
        "duplicate_permutations": 128,
        "overlap_ngram": 8,
        "overlap_share": 0.8,
        "largest_side_share": 1.0,
        "min_kept_share": 0.0,
        "seed": 0,
    }
    return FilterTracesParams.model_validate(values | changes)


def pair(number: int) -> PreferencePair:
    """A pair whose texts share few words with those of other numbers."""
    word = [WORDS[(number * step + step) % len(WORDS)] + str(number) for step in range(1, 7)]
    return PreferencePair(
        prompt=(Message(role=Role.USER, content=f"Tell me about {word[0]} and {word[1]} please"),),
        chosen=f"{word[0]} is a very good {word[2]} with {word[3]}",
        rejected=f"I do not care for {word[4]} nor {word[5]}",
        source="test",
    )


def trace(number: int = 0, text: str | None = None, **changes: Any) -> OracleTrace:
    """A trace that is kept unless something is changed."""
    shown = changes.pop("pair", pair(number))
    better = changes.pop("better", Side.A)
    quotes = {better: shown.chosen[:20], better.other: shown.rejected[:20]}
    good = (
        f"<type>Chat</type><rubric> clarity{number} 60 care 40<justify>so be it</justify></rubric><eval>"
        f"<quote_A>{quotes[Side.A]}</quote_A> beats <quote_B>{quotes[Side.B]}</quote_B> in case {number}</eval>"
        f"<answer>[[{better}]]</answer>"
    )
    fields = {"pair": shown, "better": better, "oracle_pass": TracePass.FIRST, "model": "m", "outcome": TraceOutcome.OK}
    return OracleTrace(**fields | {"text": good if text is None else text} | changes)


NO_BENCHMARKS = BenchmarkPrompts([], 8, 0.8)


def sort(
    first: list[OracleTrace],
    second: list[OracleTrace] = [],  # noqa: B006
    benchmarks: BenchmarkPrompts = NO_BENCHMARKS,
    dev: BenchmarkPrompts = NO_BENCHMARKS,
    **changes: Any,
) -> FilteredTraces:
    """As the stage does it."""
    given = params(**changes)
    filtered = filter_traces(first, second, given.rules(), benchmarks, dev, given.near_duplicates())
    balance_sides(filtered, given.largest_side_share, given.seed)
    return filtered


def reason_of(found: OracleTrace, **changes: Any) -> str | None:
    filtered = sort([found], **changes)
    return filtered.rejected[0].reason if filtered.rejected else None


GOOD = trace().text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GOOD, None),
        (GOOD.replace("[[A]]", "[[B]]"), TraceFault.WRONG_VERDICT),
        (GOOD.replace("<answer>[[A]]</answer>", "A"), TraceFault.UNREADABLE),
        (GOOD.replace("<type>Chat</type>", ""), TraceFault.NO_TYPE),
        (GOOD.replace(" 60 care 40", " care"), TraceFault.NO_RUBRIC_WEIGHTS),
        (GOOD.replace("care 40", "care 30"), TraceFault.WEIGHTS_NOT_100),
        (GOOD.replace("care 40", "care 39.6"), None),
        (GOOD.replace("care 40", "care 39.4"), TraceFault.WEIGHTS_NOT_100),
        (GOOD.replace("Chat", "Reasoning"), TraceFault.NO_SOLUTION),
        (GOOD.replace("Chat", "Reasoning").replace("<eval>", "<solution>x</solution><eval>"), None),
        (GOOD.replace("quote_B>", "summary_B>"), TraceFault.SIDE_NOT_QUOTED),
        (GOOD.replace("I do not", "I never"), TraceFault.QUOTE_NOT_FOUND),
        (GOOD.replace("quote_A", "x").replace("quote_B", "quote_A").replace("<x", "<quote_B").replace("/x", "/quote_B"),
         TraceFault.QUOTE_NOT_FOUND),
        (GOOD.replace("so be it", "as I was told"), TraceFault.HINT_MENTIONED),
        (GOOD.replace("so be it", "the correct verdict is known"), TraceFault.HINT_MENTIONED),
        (GOOD.replace("so be it", "the earlier attempt missed it"), TraceFault.HINT_MENTIONED),
        (GOOD.replace("so be it", "the client told us a hint of humour"), None),
        (GOOD.replace("so be it", "long " * 500), TraceFault.TOO_LONG),
        (GOOD.replace("so be it", "x" * (2000 - len(GOOD) + len("so be it"))), None),
        (GOOD.replace("so be it", "x" * (2001 - len(GOOD) + len("so be it"))), TraceFault.TOO_LONG),
    ],
)  # fmt: skip
def test_each_fault_has_its_reason(text: str, reason: TraceFault | None) -> None:
    assert reason_of(trace(text=text, oracle_pass=TracePass.SECOND)) == reason


def test_only_the_pass_that_had_a_hint_can_betray_it() -> None:
    """What a client was told is a matter of the question; without a hint it is never about one."""
    told = GOOD.replace("so be it", "the client was told to wait, as I was told by an earlier attempt")
    assert reason_of(trace(text=told)) is None
    assert reason_of(trace(text=told, oracle_pass=TracePass.SECOND)) == TraceFault.HINT_MENTIONED


@pytest.mark.parametrize("sentence", HINT.format(side="A").split(". "))
def test_the_hints_own_sentences_betray_it(sentence: str) -> None:
    betrayed = trace(text=GOOD.replace("so be it", sentence), oracle_pass=TracePass.SECOND)
    assert reason_of(betrayed) == TraceFault.HINT_MENTIONED


def test_the_words_of_an_answer_betray_nothing() -> None:
    usual = pair(0)
    chosen = "as I was told, the earlier attempt is a very good one"
    shown = PreferencePair(prompt=usual.prompt, chosen=chosen, rejected=usual.rejected, source="test")
    text = GOOD.replace(usual.chosen[:20], shown.chosen[:20])
    assert reason_of(trace(text=text, pair=shown, oracle_pass=TracePass.SECOND)) is None


@pytest.mark.parametrize("outcome", [outcome for outcome in TraceOutcome if outcome is not TraceOutcome.OK])
def test_an_outcome_without_a_whole_reply_is_its_own_reason(outcome: TraceOutcome) -> None:
    assert reason_of(trace(outcome=outcome)) == outcome.value


def test_every_reason_is_met_by_a_test() -> None:
    """A new rule needs a trace that breaks it here; `None` in the table above is the trace that keeps it."""
    table = next(mark for mark in test_each_fault_has_its_reason.pytestmark if mark.name == "parametrize")
    met = {reason for _, reason in table.args[1]} | {
        TraceFault(o.value) for o in TraceOutcome if o is not TraceOutcome.OK
    }
    beside_others = {TraceFault.NEAR_DUPLICATE, TraceFault.BENCHMARK_OVERLAP, TraceFault.SIDE_BALANCE}
    beside_others |= {TraceFault.DEV_OVERLAP}
    assert met - {None} == set(TraceFault) - beside_others


BAD = [GOOD.replace("[[A]]", "[[B]]"), "no verdict", GOOD.replace("<type>Chat</type>", "")]
TRACES = st.builds(
    lambda number, text, outcome, better: (
        trace(number, text, outcome=outcome) if text else trace(number, outcome=outcome, better=better)
    ),
    st.integers(0, 12),
    st.sampled_from([None, None, *BAD]),
    st.sampled_from([TraceOutcome.OK, TraceOutcome.OK, TraceOutcome.OK, TraceOutcome.REFUSED, TraceOutcome.GAVE_UP]),
    st.sampled_from(list(Side)),
)


@given(
    st.lists(TRACES, max_size=14, unique_by=lambda found: found.pair.id),
    st.data(),
    st.sampled_from([0.5, 0.52, 0.8, 1.0]),
)
def test_the_counts_add_up_whatever_comes(first: list[OracleTrace], data: st.DataObject, largest: float) -> None:
    again = data.draw(st.lists(st.sampled_from(first), unique_by=lambda found: found.pair.id)) if first else []
    second = [trace(text=None, better=Side.A).model_copy(update=_second_of(found)) for found in again]
    benchmarks = BenchmarkPrompts([("bench", pair(5).prompt)], 8, 0.8)
    filtered = sort(first, second, benchmarks, largest_side_share=largest)
    funnel = filtered.funnel()
    assert funnel["pairs"] == len(first)
    assert funnel["traces"] == len(first) + len(second) == funnel["kept"] + sum(funnel["rejected"].values())
    for split in ("kept_by_pass", "kept_by_source", "kept_by_side"):
        assert sum(funnel[split].values()) == funnel["kept"]
    there = Counter(found.model_dump_json() for found in [*first, *second])
    assert (
        Counter(found.model_dump_json() for found in [*filtered.kept, *(r.trace for r in filtered.rejected)]) == there
    )
    sides = funnel["kept_by_side"]
    assert max(sides.values()) <= largest * funnel["kept"] + 1e-9
    assert all(trace_fault(found, params().rules()) is None for found in filtered.kept)
    assert pair(5).id not in {found.pair.id for found in filtered.kept}


def _second_of(first: OracleTrace) -> dict[str, Any]:
    return {"pair": first.pair, "better": first.better, "oracle_pass": TracePass.SECOND, "text": first.text}


def test_the_second_pass_replaces_what_failed_in_the_first() -> None:
    wrong = trace(0, GOOD.replace("[[A]]", "[[B]]"))
    hinted = trace(0, oracle_pass=TracePass.SECOND)
    filtered = sort([trace(1), wrong, trace(2)], [hinted])
    assert [kept.pair.id for kept in filtered.kept] == [pair(1).id, pair(0).id, pair(2).id]
    assert [(reject.trace, reject.reason) for reject in filtered.rejected] == [(wrong, TraceFault.WRONG_VERDICT)]
    assert filtered.funnel()["kept_by_pass"] == {"first": 2, "second": 1}
    assert filtered.funnel()["traces"] == 4


def test_two_good_traces_about_a_pair_are_counted_and_balanced_each_by_itself() -> None:
    """Files of others may hold a second trace, on the other side, where nothing is wrong with the first."""
    first = [trace(number) for number in range(4)]
    again = trace(0, better=Side.B, oracle_pass=TracePass.SECOND)
    filtered = sort(first, [again], duplicate_similarity=None)
    assert len(filtered.kept) == 5
    filtered.require_kept_share(1.0)
    balance_sides(filtered, 0.5, seed=0)
    assert Counter(one.better for one in filtered.kept) == {Side.A: 1, Side.B: 1}
    lone = sort([trace(number, "") for number in (1, 2)] + [trace(0)], [again], duplicate_similarity=None)
    with pytest.raises(StageError, match=r"only 33\.3% of 3 pairs"):
        lone.require_kept_share(0.5)


def test_a_second_pass_of_another_run_is_refused() -> None:
    with pytest.raises(StageError, match="does not know"):
        sort([trace(0)], [trace(1, oracle_pass=TracePass.SECOND)])


def test_near_duplicates_are_rejected_but_neighbours_are_not() -> None:
    twin = trace(0)
    other = OracleTrace(
        **{
            **dict(trace(0)),
            "pair": PreferencePair(
                prompt=pair(0).prompt, chosen=pair(0).chosen + " !", rejected=pair(0).rejected, source="test"
            ),
        }
    )
    filtered = sort([twin, other, trace(1)])
    assert [reject.reason for reject in filtered.rejected] == [TraceFault.NEAR_DUPLICATE]
    assert not sort([twin, other, trace(1)], duplicate_similarity=None).rejected


def test_questions_of_a_benchmark_are_rejected() -> None:
    question = pair(3).prompt
    benchmarks = BenchmarkPrompts([("bench 1", question)], 8, 0.8)
    filtered = sort([trace(3), trace(4)], [], benchmarks)
    assert [reject.reason for reject in filtered.rejected] == [TraceFault.BENCHMARK_OVERLAP]
    of_dev = sort([trace(3), trace(4)], [], dev=benchmarks)
    assert [reject.reason for reject in of_dev.rejected] == [TraceFault.DEV_OVERLAP]


def test_what_others_published_may_have_had_a_hint_and_may_retell_without_weights() -> None:
    betrayed = GOOD.replace("so be it", "the correct verdict is known")
    assert reason_of(trace(text=betrayed)) is None
    assert reason_of(trace(text=betrayed, origin="some/set at 0")) == TraceFault.HINT_MENTIONED
    retold = GOOD.replace("quote_B>", "summary_B>")
    assert reason_of(trace(text=retold), evidence="quotes_or_summaries") is None
    assert reason_of(trace(text=GOOD.replace("quote_B>", "b>")), evidence="quotes_or_summaries") == "side_not_quoted"
    bare = GOOD.replace(" 60 care 40", " care")
    assert reason_of(trace(text=bare), weights_tolerance=None) is None
    none = bare.replace("rubric>", "r>")
    assert reason_of(trace(text=none), weights_tolerance=None) == TraceFault.NO_RUBRIC_WEIGHTS


def test_the_sides_are_balanced_by_hash_and_not_by_order() -> None:
    many = [trace(number, better=Side.A if number < 40 else Side.B) for number in range(60)]
    filtered = sort(many, largest_side_share=0.5, duplicate_similarity=None)
    assert filtered.funnel()["kept_by_side"] == {"A": 20, "B": 20}
    assert {reject.reason for reject in filtered.rejected} == {TraceFault.SIDE_BALANCE}
    turned = sort(list(reversed(many)), largest_side_share=0.5, duplicate_similarity=None)
    assert {t.pair.id for t in turned.kept} == {t.pair.id for t in filtered.kept}


def test_what_is_learnt_from_holds_no_hint_and_ends_with_the_verdict() -> None:
    thinking = f"<think>{HINT.format(side='A')}</think>\n{GOOD} thank you"
    kept = kept_trace(trace(text=thinking, oracle_pass=TracePass.SECOND))
    assert kept.text == GOOD
    assert kept.comparison.better is Side.A
    assert "known" not in kept.model_dump_json()


@pytest.mark.parametrize("variant", ["plain", "answer_only"])
def test_variants_without_structure_ask_for_none(variant: str) -> None:
    assert reason_of(trace(text="<answer>[[A]]</answer>"), prompt_variant=variant) is None


@pytest.mark.parametrize("kind", QuestionType)
def test_a_type_is_one_that_the_prompt_offers_and_decides_what_must_follow(kind: QuestionType) -> None:
    named = GOOD.replace("Chat", kind.lower())
    lacking = None if kind.coarse is QuestionType.CHAT else TraceFault.NO_SOLUTION
    offered = "full" if kind is kind.coarse else "full_categories"
    for variant in ("full", "full_categories"):
        expected = lacking if variant == offered else TraceFault.NO_TYPE
        assert reason_of(trace(text=named), prompt_variant=variant) == expected


def test_rubrics_for_every_question_need_no_type() -> None:
    assert reason_of(trace(text=GOOD.replace("<type>Chat</type>", "")), prompt_variant="rubrics") is None
