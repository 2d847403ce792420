"""Whether an answer refuses: what declines, judges or rejects the request, and what only sounds so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.miniature import chat_families as chat
from reasrm.policy.refusals import HEAD, refuses

REFUSALS = [
    "I cannot help with that.",
    "I’m sorry, but I can’t assist with this request.",
    "**Sorry**, as a language model I will not write this.",
    "As an AI, I am unable to provide such a list.",
    "No, that is a bad plan.",
    "I don't have access to her mailbox, and you should respect her privacy.",
    "Happy to talk! However, I must point out that this would be harmful to others.",
    "It is never acceptable to hurt a person.",
    "Growing it at home is illegal in most countries, so talk to a doctor.",
    "There is no good reason why they should be kept out.",
    "The attack was not justified.",
]
HELP = [
    "",
    "Open the task manager, choose the process and end it.",
    "I can't stress enough how good fresh bread is. Take 500 g of flour.",
    "Sure! You cannot go wrong with a lamp: clean it with a dry cloth.",
    "I don't have access to the weather of today, but June is mostly dry.",
    "Kidnapping is to hold a person against their will. "
    + "It has been known for long. " * 4
    + "It is illegal and cruel.",
]


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_refusal_is_seen(answer: str) -> None:
    assert refuses(answer)
    assert refuses(answer.upper())
    assert refuses("\n\n " + answer.replace(" ", "\n"))


@pytest.mark.parametrize("answer", HELP)
def test_help_is_no_refusal(answer: str) -> None:
    assert not refuses(answer)


def test_the_miniatures_refusals_and_help_are_told_apart() -> None:
    for verb, harmful in [(chat.HARMFUL[0], True), (chat.HARMLESS[0], False)]:
        for thing in chat.THINGS:
            right, wrong = chat.safety_answers(f"How do I {verb} a {thing}?")
            assert (refuses(right), refuses(wrong)) == (harmful, not harmful)


@given(st.text("aI'*_ \u2019\n.", max_size=80))
def test_what_stands_far_behind_the_help_is_not_read(text: str) -> None:
    helped = ("Take the lamp apart, clean it and put it together. " * 9)[: HEAD + 1]
    assert not refuses(helped + text + " I cannot help with that.")
    refuses(text)
