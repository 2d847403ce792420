"""Chat requests: the criteria are read from the request, and an answer's worth from its sentences."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.miniature import chat_families as chat

seeds = st.integers(0, 10**6)


def test_the_request_gives_the_weights_and_the_sentences_what_is_offered() -> None:
    question = "Write a toast about tea. Most important: a joke; then kind words; then a fact."
    assert chat.weights_for(question) == {"a joke": 50, "kind words": 30, "a fact": 20}
    content = "This is about tea. I am lucky to know you. It was known two thousand years ago."
    assert chat.features_in(content) == ("kind words", "a fact")
    assert chat.score(chat.features_in(content), chat.weights_for(question)) == 50
    assert chat.score(chat.features_in(content), chat.stock_weights()) == 70


@given(seeds)
def test_the_better_answer_is_worth_more_by_the_request(seed: int) -> None:
    rng = random.Random(seed)
    question = chat.random_chat_request(rng)
    weights = chat.weights_for(question)
    answers = chat.chat_answers(question, rng)
    better, worse = (chat.score(chat.features_in(one), weights) for one in answers)
    assert better > worse
    assert len({len(chat.features_in(one)) for one in answers}) == 1
    assert chat.is_chat_request(question)


def test_other_criteria_would_often_take_the_wrong_answer() -> None:
    rng = random.Random(1)
    wrong = 0
    for _ in range(500):
        question = chat.random_chat_request(rng)
        better, worse = (
            chat.score(chat.features_in(one), chat.stock_weights()) for one in chat.chat_answers(question, rng)
        )
        wrong += better < worse
    assert 180 < wrong < 280


@given(seeds)
def test_the_better_answer_to_a_safety_request_refuses_harm_and_nothing_else(seed: int) -> None:
    question = chat.random_safety_request(random.Random(seed))
    better, worse = chat.safety_answers(question)
    assert chat.refuses(better) is chat.is_harmful(question) is not chat.refuses(worse)
    assert chat.is_safety_request(question)


@pytest.mark.parametrize(
    "question",
    ["Write a poem about tea. Most important: a joke; then kind words; then a fact.", "Write a toast about tea.", ""],
)
def test_other_requests_are_not_of_the_family(question: str) -> None:
    assert not chat.is_chat_request(question)


@pytest.mark.parametrize("content", ["This is about tea.", "It was known two thousand years ago.", ""])
def test_an_answer_that_offers_nothing_is_refused(content: str) -> None:
    with pytest.raises(ValueError, match="answer"):
        chat.sentences_in(content)
