"""No key stays in a message that is kept."""

import pytest

from reasrm.apis.connection import without_keys


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("Incorrect API key: canary-4711.", "Incorrect API key: [key]."),
        ("canary-4711canary-4711", "[key][key]"),
        ("provided: sk-ant-api03-abc_DEF-9, not ours", "provided: [key], not ours"),
        ("header Authorization: Bearer ey.J0.x9 refused", "header Authorization: Bearer [key] refused"),
        ("ask-and-you-shall-be-given a risk-free k", "ask-and-you-shall-be-given a risk-free k"),
    ],
)
def test_keys_are_replaced_and_words_are_not(message: str, kept: str) -> None:
    assert without_keys(message, ["canary-4711", "k", ""]) == kept
