"""What is wrong with pairs, overlaps with benchmarks, purposes."""

import pytest

from reasrm.data_quality.decontamination import BenchmarkPrompts
from reasrm.data_quality.pair_selection import PairCandidate, PairRejection, PairRules, SelectedPairs, select
from reasrm.records.pair import Message, PreferencePair, Purpose, Role

SHARES = {Purpose.DISTILL: 0.5, Purpose.REINFORCE: 0.4, Purpose.DEV: 0.1}
RULES = PairRules(0, SHARES, {}, {}, frozenset({"magpie_ultra"}), None)
NONE = BenchmarkPrompts([], 8, 0.5)


def _prompt(text: str) -> tuple[Message, ...]:
    return (Message(role=Role.USER, content=text),)


def _pair(question: str = "q", chosen: str = "a", rejected: str = "b", **labels: str) -> PreferencePair:
    return PreferencePair(prompt=_prompt(question), chosen=chosen, rejected=rejected, source="s", labels=labels)


def _select(pairs: list[PreferencePair], rules: PairRules = RULES, prompts: BenchmarkPrompts = NONE) -> SelectedPairs:
    return select([PairCandidate("f", place, "s", pair) for place, pair in enumerate(pairs)], rules, prompts)


def _reasons(selected: SelectedPairs) -> list[str]:
    return [entry["reason"] for entry in selected.rejected]


def test_each_fault_has_its_reason() -> None:
    faulty = {
        PairRejection.EMPTY_ANSWER: _pair(chosen=" "),
        PairRejection.IDENTICAL_ANSWERS: _pair(chosen="same", rejected="same\n"),
        PairRejection.LABEL_LEAK: _pair(chosen="[Chosen]: do this"),
        PairRejection.EXCLUDED_SOURCE: _pair(part="magpie_ultra"),
    }
    assert _reasons(_select(list(faulty.values()))) == [reason.value for reason in faulty]


def test_a_part_is_left_out_whether_the_row_was_of_texts_or_of_turns() -> None:
    pair = _pair().model_copy(update={"source": "magpie_ultra"})  # rows of texts have it there
    assert _reasons(_select([pair, _pair("q2")])) == ["excluded_source"]


@pytest.mark.parametrize(
    "text", ["Better answer wanted? Yes.", "Chosen people of the world", "The better response is no"]
)
def test_ordinary_words_are_no_leak(text: str) -> None:
    assert _reasons(_select([_pair(chosen=text)])) == []


def test_duplicates_are_taken_once_and_contradictions_never() -> None:
    twice = _select([_pair(), _pair()])
    assert _reasons(twice) == ["duplicate"]
    both_ways = _select([_pair(chosen="a", rejected="b"), _pair(chosen="b", rejected="a")])
    assert _reasons(both_ways) == ["contradictory", "contradictory"]


def test_all_pairs_of_a_question_serve_one_purpose() -> None:
    selected = _select([_pair(f"question {n % 40}", chosen=f"a{n}") for n in range(400)])
    questions = [{pair.question for pair in pairs} for pairs in selected.pairs.values()]
    assert sum(len(part) for part in questions) == 40
    assert len(set.union(*questions)) == 40
    assert sum(len(pairs) for pairs in selected.pairs.values()) == 400


def test_limits_reject_and_do_not_depend_on_the_order_of_rows() -> None:
    pairs = [_pair(f"question {n}") for n in range(200)]
    limited = PairRules(0, SHARES, {Purpose.DISTILL: 10}, {}, frozenset(), None)
    one, other = _select(pairs, limited), _select(pairs[::-1], limited)
    assert one.pairs == other.pairs
    assert len(one.pairs[Purpose.DISTILL]) == 10
    funnel = one.funnel()
    assert funnel["rows_in"] == 200 == funnel["kept"] + funnel["rejected"]


def test_a_turn_of_a_benchmark_is_an_overlap_whatever_its_case_and_spaces() -> None:
    prompts = BenchmarkPrompts([("rmb x", _prompt("What is  the capital?"))], 8, 0.5)
    (entry,) = _select([_pair("what is the Capital?")], prompts=prompts).rejected
    assert entry["reason"] == "benchmark_overlap"
    assert "rmb x" in entry["detail"]


def test_shared_word_ngrams_are_an_overlap_from_the_declared_share_on() -> None:
    words = [f"w{n}" for n in range(20)]
    prompts = BenchmarkPrompts([("b", _prompt(" ".join(words)))], 4, 0.5)
    half_new = " ".join(words[:11] + [f"n{n}" for n in range(9)])
    mostly_new = " ".join(words[:6] + [f"n{n}" for n in range(14)])
    assert prompts.overlap(_prompt(half_new)) is None
    assert prompts.overlap(_prompt(" ".join([*words[:13], *(f"n{n}" for n in range(7))])))
    assert prompts.overlap(_prompt(mostly_new)) is None
