"""A checkpoint's tokenizer comes with one template and no ids that its model lacks; prompts are rendered once each."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from reasrm.inference.prompt_rendering import (
    NoChatTemplateError,
    load_tokenizer,
    render_all,
    render_answered,
    template_identity,
)
from reasrm.runtime.stage_main import StageError
from tests.fixtures.chat_families import GEMMA, LLAMA3, family_tokenizer
from tests.fixtures.tiny_prompts import user

TEMPLATE = "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}"


@pytest.fixture
def folder(checkpoint: Path, tmp_path: Path) -> Path:
    """A checkpoint without a template."""
    copied = shutil.copytree(checkpoint, tmp_path / "ck")
    (copied / "chat_template.jinja").unlink()
    return copied


def with_settings(folder: Path, **entries: Any) -> None:
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | entries))


def test_of_several_templates_the_one_named_default_counts(folder: Path) -> None:
    named = [{"name": "default", "template": TEMPLATE}, {"name": "tool_use", "template": "tools"}]
    with_settings(folder, chat_template=named)
    assert load_tokenizer(folder).chat_template == TEMPLATE
    with_settings(folder, chat_template=named[1:])
    with pytest.raises(NoChatTemplateError, match="has the chat templates tool_use and none is named default"):
        load_tokenizer(folder)


def test_further_templates_beside_the_default_one_change_nothing(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    (folder / "additional_chat_templates").mkdir()
    (folder / "additional_chat_templates" / "tool_use.jinja").write_text("tools")
    assert load_tokenizer(folder).chat_template == TEMPLATE


def test_a_processors_template_counts_where_the_tokenizer_has_none(folder: Path) -> None:
    with pytest.raises(NoChatTemplateError):
        load_tokenizer(folder)
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": TEMPLATE}))
    assert load_tokenizer(folder).chat_template == TEMPLATE
    (folder / "chat_template.json").write_text("{}")
    with pytest.raises(StageError, match=r"its chat_template\.json cannot be read"):
        load_tokenizer(folder)


def test_a_special_token_without_embedding_passes_if_nothing_writes_it(folder: Path, tokenizer: Any) -> None:
    """Gemma 3's smallest model has one for images; a padding token that nobody made room for does harm."""
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    entries = json.loads((folder / "config.json").read_text())["vocab_size"]
    stored = json.loads((folder / "tokenizer.json").read_text())
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}

    def add(number: int, special: bool) -> None:
        stored["added_tokens"].append({"id": number, "content": f"<extra_{number}>", "special": special, **flags})
        (folder / "tokenizer.json").write_text(json.dumps(stored))

    for number in range(len(tokenizer), entries + 1):
        add(number, special=True)
    assert load_tokenizer(folder).convert_tokens_to_ids(f"<extra_{entries}>") == entries
    add(entries + 1, special=False)
    with pytest.raises(StageError, match=rf"ids up to {entries + 1} \('<extra_{entries + 1}>'\)"):
        load_tokenizer(folder)


def test_an_identity_says_what_is_folded() -> None:
    assert set(template_identity(family_tokenizer(LLAMA3))) == {"template"}
    assert "a system turn" in template_identity(family_tokenizer(GEMMA))["template_refuses"][0]


def test_each_distinct_conversation_is_rendered_once(tokenizer: Any) -> None:
    prompts = render_all(tokenizer, [user("the fox"), user("the dog"), user("the fox")], "the")
    assert len(prompts) == 2
    assert {prompt.begun for prompt in prompts.values()} == {"the"}
    assert render_all(tokenizer, []) == {}
    assert render_answered(tokenizer, user("the fox"), "the dog").messages[-1].content == "the dog"
