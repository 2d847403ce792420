"""Judges compared by question, and all tests of a page as one family."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.probes.measure import Good
from reasrm.probes.measuring.families import adjusted, model_differences
from reasrm.probes.measuring.question_values import QuestionValues, question_values, read_question_values
from reasrm.probes.order import OrderProbe
from reasrm.probes.probe_run import ProbeResult
from reasrm.probes.query import RECORDED, ProbeContext
from reasrm.probes.statistics import Unit, difference, share
from reasrm.records.jsonl import BadRecordError
from reasrm.runtime.outputs import write_json

CONTEXT = ProbeContext(items=(), plain={}, traits=RECORDED, resamples=100, seed=0)


def judged(right: dict[str, float], net: dict[str, float]) -> QuestionValues:
    """The values of a judge by question: a share and a difference."""
    measures = [
        *share(CONTEXT, "consistent_accuracy", [Unit(*one) for one in right.items()]),
        *difference(CONTEXT, "net_flip_rate", [Unit(*one) for one in net.items()], variant="drawn"),
    ]
    return question_values([ProbeResult(OrderProbe(temperature=1.0), "", [], measures)])


def test_judges_are_compared_on_the_questions_that_both_have(tmp_path_factory: pytest.TempPathFactory) -> None:
    first = judged({str(number): 1.0 for number in range(30)}, {"0": 1.0})
    second = judged({str(number): float(number % 2) for number in range(10, 50)}, {"0": -1.0, "1": 0.0})
    file = tmp_path_factory.mktemp("values") / "question_values.json"
    write_json(file, second.model_dump(mode="json"))
    found = {one.measure.name: one for one in model_differences(first, read_question_values(file), GOODS, seed=0)}
    accuracy = found["consistent_accuracy"]
    assert (accuracy.probe, accuracy.first, accuracy.second, accuracy.measure.value) == ("order", 1.0, 0.5, 0.5)
    assert (accuracy.measure.questions, accuracy.measure.left_out) == (20, 30)
    assert accuracy.measure.p == pytest.approx(2 * 0.5**10)
    assert accuracy.measure.low > 0
    assert accuracy.measure.good is Good.HIGHER
    net = found["net_flip_rate"].measure
    assert (net.variant, net.value, net.high, net.good) == ("drawn", 2.0, 2.0, Good.NEITHER)


GOODS = {("order", "consistent_accuracy"): Good.HIGHER}


def test_values_of_another_form_are_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("values") / "question_values.json"
    write_json(file, {"questions": ["a"], "measures": [{"probe": "order"}]})
    with pytest.raises(BadRecordError, match=r"question_values.json: measures.0.name"):
        read_question_values(file)


@given(st.dictionaries(st.integers(), st.floats(0, 1), max_size=30))
def test_an_adjusted_p_is_never_smaller_and_keeps_the_order(p_values: dict[int, float]) -> None:
    found = adjusted(p_values)
    assert found.keys() == p_values.keys()
    assert all(p_values[test] <= found[test] + 1e-12 <= 1 + 1e-9 for test in found)
    ordered = sorted(found, key=lambda test: p_values[test])
    assert [found[test] for test in ordered] == sorted(found.values())
    if len(set(p_values.values())) == 1:
        assert found == pytest.approx(p_values)
