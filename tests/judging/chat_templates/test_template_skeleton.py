"""A template's own text around neutral contents, found in real ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reasrm.judging.chat_templates.chat_turns import Turn, folded, neutral_turns
from reasrm.judging.chat_templates.template_skeleton import NotAsItIsError, Skeleton
from reasrm.records.pair import Role

TEXTS = st.one_of(st.text(max_size=12), st.sampled_from(["", " ", "\n", "<a>", "a", "aa", " a ", "<a>a<b>"]))


def chat(*contents: str) -> list[Turn]:
    return [{"role": "user", "content": content} for content in contents]


def written(turns: list[Turn], trim: bool = False) -> str:
    return "".join(f"<a>\n{turn['content'].strip() if trim else turn['content']}<b> " for turn in turns)


@given(st.lists(TEXTS, min_size=1, max_size=4), st.booleans())
def test_the_same_text_around_other_contents_is_found_trimmed_or_not(contents: list[str], trim: bool) -> None:
    neutral = neutral_turns(chat(*contents))
    Skeleton.of(written(neutral, trim), neutral).require(written(chat(*contents), trim), chat(*contents))


@given(st.lists(TEXTS, min_size=1, max_size=3), st.data())
def test_a_text_with_anything_but_white_space_more_or_less_is_not(contents: list[str], data: st.DataObject) -> None:
    neutral, text = neutral_turns(chat(*contents)), written(chat(*contents))
    at = data.draw(st.integers(0, len(text)))
    other = data.draw(st.sampled_from([text[:at] + "\0" + text[at:], text[:at] + text[at + 1 :]]))
    if "".join(other.split()) != "".join(text.split()):
        with pytest.raises(NotAsItIsError):
            Skeleton.of(written(neutral), neutral).require(other, chat(*contents))


def test_contents_may_stand_in_another_order_than_the_turns() -> None:
    neutral = neutral_turns(chat("one", "two"))
    skeleton = Skeleton.of(f"[{neutral[1]['content']}|{neutral[0]['content']}]", neutral)
    skeleton.require("[two|one]", chat("one", "two"))
    with pytest.raises(NotAsItIsError, match=r"the content of turn 2 \(user\)"):
        skeleton.require("[one|two]", chat("one", "two"))


def test_folded_turns_alternate_and_lose_no_text() -> None:
    turns = [(Role.SYSTEM, "a"), (Role.USER, "b"), (Role.USER, ""), (Role.ASSISTANT, "c"), (Role.SYSTEM, "d")]
    assert folded(turns) == [
        {"role": "user", "content": "a\n\nb"},
        {"role": "assistant", "content": "c"},
        {"role": "user", "content": "d"},
    ]
