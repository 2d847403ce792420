"""Rendered prompts: each content once, as it is, and no chat token but the template's own; or one line says why not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasrm.judging.chat_templates.chat_template import (
    answered_token_ids,
    prompt_token_ids,
    render_chat,
    rendered_chats,
)
from reasrm.judging.chat_templates.checked_template import ChatTemplateError, checked_template
from reasrm.records.pair import Message, Role
from tests.fixtures.chat_families import (
    DEEPSEEK,
    FAMILIES,
    GEMMA,
    LLAMA3,
    MISTRAL,
    PLAIN,
    QWEN3,
    ChatFamily,
    every_turn,
    family_tokenizer,
    turns,
)

S, U, A = Role.SYSTEM, Role.USER, Role.ASSISTANT
TOKENIZERS = {name: family_tokenizer(family) for name, family in FAMILIES.items()}
QUESTION = turns((S, "Compare the two."), (U, "Which one?"))
TOKENS = sorted({token for family in FAMILIES.values() for token in (*family.special, *family.added)})
PIECES = (
    *TOKENS, *(token[:-1] for token in TOKENS), *(token[1:] for token in TOKENS), "<", ">", "|", "｜", "[", "]", " ",
    "\n\n", "\u2060", "{{ bos_token }}", "{% raw %}", "&lt;", "\\n", "Which one?", "ﬁ", "e\u0301", "🙂", "\u2028", "",
)  # fmt: skip
HOSTILE = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=3)), max_size=8).map("".join)


def dropping(role: str) -> str:
    return (
        "{% for m in messages %}{% if m.role != '" + role + "' %}<|{{ m.role }}|>{{ m.content }}{% endif %}{% endfor %}"
    )


@pytest.mark.parametrize("family", FAMILIES)
@given(system=HOSTILE, user=HOSTILE)
@settings(max_examples=25)
def test_whatever_the_contents_a_prompt_is_the_templates_text_around_them(family: str, system: str, user: str) -> None:
    """Or it is refused in one line: texts of white space alone may leave a turn out, which then is its own shape."""
    tokenizer = TOKENIZERS[family]
    (prompt,) = rendered_chats(tokenizer, [turns((S, system), (U, user))])
    words = turns((S, "some" if system.strip() else system), (U, "words" if user.strip() else user))
    chat_tokens = {tokenizer.convert_tokens_to_ids(token) for token in FAMILIES[family].special}
    chat_tokens |= {
        tokenizer.convert_tokens_to_ids(token) for token in FAMILIES[family].added if "|" in token or "｜" in token
    }
    own = [token for token in prompt_token_ids(tokenizer, words) if token in chat_tokens]
    assert [token for token in prompt.token_ids if token in chat_tokens] == own
    for turn in prompt.turns:
        assert turn["content"].strip() in prompt.text
    shown = prompt.text.replace("\u2060", "")
    for content in (system, user):
        assert content.replace("\u2060", "").strip() in shown


@pytest.mark.parametrize("family", FAMILIES)
def test_ordinary_texts_are_not_touched(family: str) -> None:
    text = "a <b>bold</b> claim:\n\n  x = [[1]]  # 2\n\n\n<think>no</think> <tool_call> {{ x }} 'q' \"r\" & é"
    assert text in render_chat(TOKENIZERS[family], turns((S, "Compare."), (U, f"Q: {text} ok")))


def test_a_system_turn_that_is_refused_stands_in_the_users_turn_and_that_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tokenizer = family_tokenizer(GEMMA)
    text = "<bos><start_of_turn>user\nCompare the two.\n\nWhich one?<end_of_turn>\n<start_of_turn>model\n"
    for _ in range(2):
        assert render_chat(tokenizer, QUESTION) == text
    assert capsys.readouterr().err.count("refuses a system turn: its text is put at the head of the user's turn") == 1
    assert len(checked_template(tokenizer).folded) == 2
    assert checked_template(TOKENIZERS["llama3"]).folded == ()


def test_what_one_speaker_says_in_a_row_becomes_one_turn_where_a_template_wants_turns_to_alternate() -> None:
    talk = turns((U, "one"), (U, "two"), (A, "three"), (U, "four"))
    assert "user\none\n\ntwo<end_of_turn>" in render_chat(family_tokenizer(GEMMA), talk)
    assert "one<|im_end|>\n<|im_start|>user\ntwo" in render_chat(TOKENIZERS["qwen3"], talk)
    with pytest.raises(ChatTemplateError, match="refuses a conversation of assistant, user: roles must alternate"):
        render_chat(family_tokenizer(GEMMA), turns((A, "one"), (U, "two")))


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (dropping("system"), r"drops the content of turn 1 \(system\)"),
        (dropping("user"), r"drops the content of turn 2 \(user\)"),
        (every_turn("{{ m.content }}{{ m.content }}"), r"repeats \(2 times\) the content of turn 1 \(system\)"),
        (every_turn("{{ m.content | upper }}"), "changes the content of turn 1"),
        (every_turn("{{ m.content | title }}"), "changes the content of turn 1"),
        (every_turn("{{ m.content | e }}"), "changes or cuts short the content of turn 1"),
        (every_turn("{{ m.content | tojson }}"), "changes or cuts short the content of turn 1"),
        (every_turn("{{ m.content | striptags }}"), "changes or cuts short the content of turn 1"),
        (every_turn("{{ m.content | replace('\n', ' ') }}"), "changes or cuts short the content of turn 1"),
        (every_turn("{{ m.content[:20] }}"), "changes or cuts short the content of turn 1"),
        (every_turn("{{ m.content[0].text }}"), "drops the content of turn 1"),
        (every_turn("{{ no_such_thing() }}"), "refuses a conversation of system, user: 'no_such_thing' is undefined"),
        (every_turn("{% if"), "refuses a conversation of system, user: "),
        (
            every_turn("{{ raise_exception('no\x1b[31m\nmore') }}"),
            r"refuses a conversation of system, user: no⟦U\+001B⟧\[31m;",
        ),
        (every_turn("{% for i in range(10 ** 9) %}x{% endfor %}"), "Range too big"),
        ("fixed words", "drops the content of turn 1"),
    ],
)
def test_a_template_that_does_not_write_contents_as_they_are_is_refused(template: str, said: str) -> None:
    tokenizer = family_tokenizer(ChatFamily(template, PLAIN.special))
    with pytest.raises(ChatTemplateError, match=said) as refused:
        render_chat(tokenizer, QUESTION)
    assert "\n" not in str(refused.value)
    assert "chat_template.jinja" in str(refused.value)


@pytest.mark.parametrize(
    ("written", "content", "said"),
    [
        ("{{ m.content[:300] }}", "x" * 400, "'x{39}.* is missing at character 300, where it writes '<|assistant|>'"),
        ("{{ m.content | wordwrap(200) }}", "word " * 80, "does not write the content of turn 2"),
        ("{{ m.content | replace('secret', '') }}", "the secret word", r"' ?secret word' is missing at character"),
        ("{{ m.content }}{% if 'zq' in m.content %} extra{% endif %}", "zqy", "writes 'extra"),
        ("{% if 'hide' not in m.content %}{{ m.content }}{% endif %}", "hide me", "'hide me' is missing"),
    ],
)
def test_a_template_that_changes_only_some_contents_is_refused_where_it_does(
    written: str, content: str, said: str
) -> None:
    tokenizer = family_tokenizer(ChatFamily(every_turn(written), PLAIN.special))
    render_chat(tokenizer, QUESTION)
    with pytest.raises(ChatTemplateError, match=said.replace("|", r"\|")):
        render_chat(tokenizer, turns((S, "Compare."), (U, content)))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "contents",
    [("same", "same"), ("same", "the same again"), ("", "empty"), (" \n", "blank"), ("  edges \n", "\n\nedges  ")],
)
def test_equal_nested_and_empty_contents_are_fine(family: str, contents: tuple[str, str]) -> None:
    text = render_chat(TOKENIZERS[family], turns((S, contents[0]), (U, contents[1])))
    assert text.count(contents[1].strip()) >= 1


def test_an_answers_thought_stays_where_a_template_would_cut_it() -> None:
    for family in (QWEN3, DEEPSEEK):
        tokenizer = family_tokenizer(family)
        ids = answered_token_ids(tokenizer, turns((U, "Q")), "<think>first</think>then")
        assert "first<\u2060/think>then" in tokenizer.decode(ids)
    ids = answered_token_ids(TOKENIZERS["llama3"], turns((U, "Q")), "<think>first</think>then")
    assert "<think>first</think>then" in TOKENIZERS["llama3"].decode(ids)


@pytest.mark.parametrize(
    "written",
    [
        "{% if '<think>' not in m.content and m.role == 'assistant' %}<think></think>{% endif %}{{ m.content }}",
        "{% if m.content.startswith('<tool_response>') %}{{ raise_exception('no query') }}{% endif %}{{ m.content }}",
        "{% if m.role == 'user' %}{{ m.content.split('<tool_response>')[-1] }}{% else %}{{ m.content }}{% endif %}",
        "{{ m.content | replace('<b>', '**') }}",
    ],
)
def test_a_tag_that_a_template_would_act_on_is_broken_up(written: str) -> None:
    tokenizer = family_tokenizer(ChatFamily(every_turn(written), PLAIN.special))
    talk = turns((U, "<tool_response>x</tool_response> <b>y</b>"), (A, "<think>first</think>then"))
    (rendered,) = checked_template(tokenizer).render([talk], answered=True)
    for message in talk:
        assert message.content in rendered.text.replace("\u2060", "")


def test_no_prompt_depends_on_the_day_it_is_rendered() -> None:
    assert "Today: 26 Jul 2024\n\nCompare the two." in render_chat(family_tokenizer(LLAMA3), QUESTION)
    assert "Date: 2024-07-26<|end|>" in render_chat(TOKENIZERS["channels"], QUESTION)


def test_the_beginning_of_the_text_is_written_once() -> None:
    for family in (GEMMA, MISTRAL, LLAMA3, DEEPSEEK):
        tokenizer = family_tokenizer(family)
        assert prompt_token_ids(tokenizer, QUESTION).count(tokenizer.bos_token_id) == 1


def test_half_of_a_surrogate_pair_is_refused_in_one_line() -> None:
    with pytest.raises(ChatTemplateError, match="half of a surrogate pair"):
        render_chat(TOKENIZERS["plain"], (Message.model_construct(role=U, content="broken \ud83d"),))


def test_another_template_of_the_same_tokenizer_is_tried_anew() -> None:
    tokenizer = family_tokenizer(PLAIN)
    assert render_chat(tokenizer, QUESTION).endswith("<|assistant|>")
    tokenizer.chat_template = dropping("system")
    with pytest.raises(ChatTemplateError, match="drops"):
        render_chat(tokenizer, QUESTION)
    tokenizer.chat_template = None
    with pytest.raises(ChatTemplateError, match=r"chat_template is not set"):
        render_chat(tokenizer, QUESTION)
