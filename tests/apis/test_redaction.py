"""No part and no encoding of a secret stays in a message, and no whole one in a reply's text."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.apis.redaction import HIDDEN, LONGEST_PART, encodings, text_without_keys, without_keys

SECRET = "canary/4711+never=to.be~seen"


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("Incorrect API key: canary-4711.", "Incorrect API key: [key]."),
        ("canary-4711canary-4711", "[key][key]"),
        ("provided: sk-ant-api03-abc_DEF-9, not ours", "provided: [key], not ours"),
        ("provided: sk-proj-****************abcd, not ours", "provided: [key], not ours"),
        ("header Authorization: Bearer ey.J0.x9 refused", "header Authorization: Bearer [key] refused"),
        ("header Authorization: Basic dXNlcjpwYXNz refused", "header Authorization: Basic [key] refused"),
        ("in organization org-abcdefghijklmnop on tokens", "in organization [key] on tokens"),
        ("ask-and-you-shall-be-given a risk-free k", "ask-and-you-shall-be-given a risk-free k"),
        ("the key ca***11 and can...711 are wrong", "the key [key] and [key] are wrong"),
        ("please wait... then go on", "please wait... then go on"),
        ("CANARY-4711", "[key]"),
        ("it begins canary-4 and ends anary-4711", "it begins [key] and ends [key]"),
    ],
)
def test_keys_are_replaced_and_words_are_not(message: str, kept: str) -> None:
    assert without_keys(message, ["canary-4711", "k", ""]) == kept


WRITTEN = {
    "plain": SECRET,
    "URL": quote(SECRET, safe=""),
    "URL twice": quote(quote(SECRET, safe=""), safe=""),
    "JSON": SECRET.replace("/", "\\/"),
    "hex": SECRET.encode().hex().upper(),
    **{f"base64 behind {n}": base64.b64encode(b"x" * n + SECRET.encode() + b"y").decode() for n in range(7)},
    "URL-safe base64": base64.urlsafe_b64encode(b"me:" + SECRET.encode()).decode(),
}


@pytest.mark.parametrize("form", WRITTEN)
def test_every_encoding_is_known(form: str) -> None:
    said = without_keys(f"no {WRITTEN[form]} here", [SECRET])
    assert said.startswith("no ")
    assert said.endswith(" here")
    assert HIDDEN in said
    assert len(said) < 25, "nothing but a character or two of the neighbours is left"


KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=LONGEST_PART, max_size=60)
AROUND = st.text(st.sampled_from("abc 123:\n<>{}"), max_size=20)


@given(KEYS, AROUND, AROUND, st.data())
def test_no_part_of_any_key_is_left(key: str, before: str, behind: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(key) - LONGEST_PART))
    end = data.draw(st.integers(start + LONGEST_PART, len(key)))
    for message in (before + key[start:end] + behind, before + quote(key) + behind, json.dumps([before, key, behind])):
        said = without_keys(message, [key]).lower()
        assert not any(key[at : at + LONGEST_PART].lower() in said for at in range(len(key) - LONGEST_PART + 1))


@given(KEYS, AROUND, AROUND)
def test_no_whole_key_is_left_in_a_text(key: str, before: str, behind: str) -> None:
    said = text_without_keys(before + key + behind + quote(key, safe=""), [key])
    assert key not in said or key.isalpha() or key in HIDDEN + behind


def test_a_word_that_stands_in_for_a_key_stays_in_texts() -> None:
    assert (
        text_without_keys("ollama serves sk-ant-api03-abc_DEF-9", ["ollama"]) == "ollama serves sk-ant-api03-abc_DEF-9"
    )
    assert text_without_keys("your key is canary-4711", ["canary-4711"]) == "your key is [key]"


def test_forms_are_the_longest_first_and_none_is_short() -> None:
    assert sorted(encodings(SECRET), key=len, reverse=True) == list(encodings(SECRET))
    assert all(len(form) >= 6 for form in encodings("abc/def"))
