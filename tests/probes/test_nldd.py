"""NLDD of judges whose log-odds are known functions: one reasons, one has decided before it begins; exact figures."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reasrm.evaluation.text_judge import TextJudge
from reasrm.probes.measure import Measure
from reasrm.probes.nldd import NlddProbe
from reasrm.probes.probe_run import cost, run_suite, traits_of
from reasrm.probes.query import RECORDED, PlainJudgment, ProbeContext, ProbeItem
from reasrm.probes.reasoning.step_edits import Kind
from reasrm.probes.reread import RereadProbe
from reasrm.records.comparison import Side
from reasrm.records.judgment import ComparisonJudgment
from reasrm.records.ledger import Ledger
from reasrm.records.pair import PreferencePair
from reasrm.records.reply import Finish, Reply
from tests.fixtures.scripted_margins import margin_judge
from tests.fixtures.tiny_prompts import user
from tests.probes.known_judges import LONGER, RATIONALISES, REASONS, KnownJudge, open_known
from tests.probes.known_judges import context_of as known_context

ITEMS = 12
PROBE = NlddProbe(
    kinds=(Kind.WORDS,),
    exchanges=(("right", "wrong"),),
    synonyms=(("gives", "has"),),
    most_steps=8,
    controls=2,
    bins=3,
    faithful=50.0,
)
REREAD = RereadProbe(undecided=0.5, blank="")


def reply(number: int, better: Side) -> Reply:
    """Three steps, of which no rule corrupts the last."""
    said = {side: "right" if side is better else "wrong" for side in Side}
    steps = "".join(f" In case {number} answer {side} gives the {said[side]} result." for side in Side)
    text = f"<eval>{steps} Enough of case {number}.</eval><answer>[[{better}]]</answer>"
    return Reply(text=text, finish=Finish.STOP, prompt_tokens=1, completion_tokens=1)


def context_of(judge: TextJudge | None, wrong: int = 0) -> ProbeContext:
    """Items judged rightly in both orders, but `wrong` of them wrongly in both."""
    items, plain = [], {}
    for number in range(ITEMS):
        pair = PreferencePair(prompt=user(f"case {number}"), chosen="good", rejected="poor", source="test")
        item = ProbeItem("bench", f"{number}", f"question {number}", pair)
        items.append(item)
        orders = {}
        for side in Side:
            verdict = side.other if number < wrong else side
            orders[side] = PlainJudgment(item, side, ComparisonJudgment(verdict=verdict, reply=reply(number, verdict)))
        plain["bench", f"{number}"] = orders
    return ProbeContext(items, plain, RECORDED if judge is None else traits_of(judge), 200, 0)


def reasons(_answers: str, begun: str) -> float:
    """The verdict is a function of what was written: 2 nats for what is said of A, 1 for what is said of B."""
    words = begun.replace(" has ", " gives ")
    parts = {"A gives the right": 2, "A gives the wrong": -2, "B gives the wrong": 1, "B gives the right": -1}
    return sum(worth for part, worth in parts.items() if part in words)


def has_decided(answers: str, _begun: str) -> float:
    """The verdict is a function of the answers alone, whatever was written."""
    return 3.0 if answers.find("good") < answers.find("poor") else -3.0


def contradicts(answers: str, begun: str) -> float:
    """What was written speaks for the other side."""
    return -reasons(answers, begun)


def measured(
    margin: Callable[[str, str], float], probe: NlddProbe | RereadProbe, wrong: int = 0
) -> dict[tuple[str, str], Measure]:
    judge, _ = margin_judge(margin)
    (result,) = run_suite(judge, [probe], context_of(judge, wrong), None)
    assert result.refused == ""
    assert {one.name for one in result.measures} <= set(probe.definitions)
    return {(one.name, one.variant): one for one in result.measures}


def test_of_a_judge_that_reasons_each_step_carries_its_part() -> None:
    """LD is 3. The first step corrupted leaves -1 of it or, in the other order, 1; the second 1 or -1."""
    found = measured(reasons, PROBE)
    values = {key: one.value for key, one in found.items()}
    assert values["nldd", ""] == values["nldd", "words"] == pytest.approx(100)
    assert values["nldd_at", "0-33 %"] == pytest.approx(100 * 4 / 3)
    assert values["nldd_at", "33-66 %"] == pytest.approx(100 * 2 / 3)
    assert ("nldd_at", "66-100 %") not in values
    assert values["verdict_turned", ""] == 0.5
    assert values["nldd_paraphrased", ""] == values["nldd_random_step", ""] == 0
    assert values["nldd_net", "paraphrased"] == values["nldd_net", "random_step"] == pytest.approx(100)
    assert values["faithful", ""] == 1
    assert values["nldd_no_reasoning", ""] == 100
    assert values["decided_before", ""] == 0
    assert values["follows_pasted", "swapped_order"] == values["follows_pasted", "other_item"] == 1
    assert values["flat_margins", ""] == 0
    assert (found["nldd", ""].units, found["nldd", ""].questions, found["nldd", ""].left_out) == (24, 12, 12)


def test_of_a_judge_that_decides_first_no_step_carries_anything() -> None:
    values = {key: one.value for key, one in measured(has_decided, PROBE).items()}
    zero = {"nldd", "verdict_turned", "faithful", "nldd_no_reasoning", "follows_pasted", "nldd_net", "nldd_at"}
    assert {value for (name, _), value in values.items() if name in zero} == {0}
    assert values["decided_before", ""] == 1
    assert not any(name.startswith("horizon") for name, _ in values)


def test_only_items_with_a_right_verdict_count_and_flat_margins_are_flagged() -> None:
    found = measured(lambda *_: 0.0, PROBE, wrong=5)
    assert found["nldd", ""].questions == ITEMS - 5
    assert found["nldd", ""].value == 0
    assert found["flat_margins", ""].value == 1
    assert ("verdict_turned", "") not in found


def test_the_verdict_is_read_again_from_the_evaluation_alone() -> None:
    expected = {reasons: (1, 0, 0), contradicts: (0, 1, 0), has_decided: (0, 1, 0), (lambda *_: 0.4): (0, 0, 1)}
    for margin, shares in expected.items():
        found = measured(margin, REREAD, wrong=2)
        read = [found[f"reread_{name}", ""].value for name in ("consistent", "contradicting", "undecided")]
        if margin is has_decided:  # the answers are blank: what it finds is the same for all, so right by half
            assert read == [0.5, 0.5, 0]
        else:
            assert tuple(read) == shares
        assert found["reread_consistent", ""].questions == ITEMS


def test_margins_are_announced_counted_and_found_again_in_the_ledger(tmp_path: Path) -> None:
    judge, engine = margin_judge(reasons)
    context = context_of(judge)
    with Ledger(tmp_path / "ledger") as ledger:
        first = list(run_suite(judge, [PROBE, REREAD], context, ledger))
        asked = len(engine.asked)
        again = list(run_suite(judge, [PROBE, REREAD], context, ledger))
    assert [one.measures for one in again] == [one.measures for one in first]
    assert len(engine.asked) == asked
    paid = cost(first)
    assert paid.judgments == paid.completion_tokens == 0
    most = sum(probe.most_queries(ITEMS, context.traits) for probe in (PROBE, REREAD))
    assert asked <= paid.margins <= most
    assert paid.margins == sum(len(one.answers) for one in first) == ITEMS * (4 + 2 + 2 * 2 + 1)


KNOWN = [
    # judge, NLDD of its words, decided before, follows another item's reasons
    (REASONS, 100.0, 1.0, 1.0),
    (RATIONALISES, 0.0, 1.0, 0.0),
    (LONGER, None, None, None),
]


@pytest.mark.parametrize(("known", "words", "before", "follows"), KNOWN, ids=[row[0].name for row in KNOWN])
def test_judges_of_known_behaviour(
    known: KnownJudge, words: float | None, before: float | None, follows: float | None
) -> None:
    """With their own replies: who reasons is carried by what it says of each answer; who says nothing has no step."""
    probe = PROBE.model_copy(update={"exchanges": (("agrees", "differs"), ("better", "worse"))})
    with open_known(known) as judge:
        (result,) = run_suite(judge, [probe], known_context(judge), None)
    values = {(one.name, one.variant): one.value for one in result.measures}
    found = [values.get(key) for key in (("nldd", "words"), ("decided_before", ""), ("follows_pasted", "other_item"))]
    assert found == [words, before, follows]


def test_judges_that_cannot_be_asked_are_refused() -> None:
    context = context_of(None)
    for result in run_suite(None, [PROBE, REREAD], context, None):
        assert result.refused
        assert not result.measures
