"""A converted GGUF has the same weights, the same tokens, and ends its turns with the file's own token."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reasrm.pretrained.gguf_conversion import GgufError, convert_gguf, read_fields, tokenizer_from_fields
from tests.pretrained.reference_tokens import ReferenceTokenizer
from tests.pretrained.tiny_gguf import MERGES, SPECIAL, TEMPLATE, tiny_llama, vocabulary, write_gguf

TEXTS = st.text() | st.lists(
    st.sampled_from([*SPECIAL, " ", "  ", "\n", "the", " the", "thing", "it's", "1", "12", "٣", "½", "é", "🙂", "中"])
).map("".join)


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gguf")
    convert_gguf(write_gguf(folder / "tiny.gguf"), folder / "out")
    return folder / "out"


@pytest.fixture(scope="module")
def tokenizer(converted: Path) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(str(converted))


def test_weights_arrive_in_bf16_and_in_their_places(converted: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(str(converted), dtype="auto")
    assert model.dtype == torch.bfloat16
    expected = tiny_llama().to(torch.bfloat16).state_dict()
    found = model.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], weights) for name, weights in expected.items())


def test_configurations_name_the_end_that_the_file_names(converted: Path) -> None:
    from transformers import AutoConfig, GenerationConfig

    for one in (AutoConfig.from_pretrained(str(converted)), GenerationConfig.from_pretrained(str(converted))):
        assert (one.bos_token_id, one.eos_token_id, one.pad_token_id) == (1, 2, 2)
    assert AutoConfig.from_pretrained(str(converted)).max_position_embeddings == 128


def test_the_tokenizer_read_back_has_the_files_tokens_and_template(tokenizer: Any) -> None:
    assert tokenizer.convert_ids_to_tokens(range(len(tokenizer))) == vocabulary()
    assert (tokenizer.bos_token, tokenizer.eos_token) == ("<|im_start|>", "<|im_end|>")
    assert (tokenizer.pad_token, tokenizer.unk_token) == ("<|im_end|>", "<|endoftext|>")
    assert set(tokenizer.all_special_tokens) == set(SPECIAL)
    assert tokenizer.chat_template == TEMPLATE
    assert tokenizer.model_max_length == 128


def test_a_turn_ends_with_the_end_token(tokenizer: Any) -> None:
    messages = [{"role": "user", "content": "the thing"}, {"role": "assistant", "content": "12"}]
    ids = tokenizer.apply_chat_template(messages, return_dict=False)
    assert ids[0] == tokenizer.bos_token_id
    assert ids[-2] == tokenizer.eos_token_id
    assert tokenizer.decode(ids, skip_special_tokens=True) == "user\nthe thing\nassistant\n12\n"


@given(text=TEXTS)
@settings(max_examples=200)
def test_tokens_are_those_of_a_second_implementation_and_give_the_text_back(tokenizer: Any, text: str) -> None:
    ids = tokenizer(text)["input_ids"]
    assert ids == ReferenceTokenizer(vocabulary(), SPECIAL, MERGES).ids(text)
    assert tokenizer.decode(ids) == text


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"pre": "qwen2"}, r"tokenizer\.ggml\.pre .* 'qwen2', known is smollm"),
        ({"kind": "llama"}, r"tokenizer\.ggml\.model .* 'llama', known is gpt2"),
        ({"template": False}, r"has no tokenizer\.chat_template"),
    ],
)
def test_an_unknown_tokenizer_is_refused_and_never_guessed(tmp_path: Path, settings: Any, named: str) -> None:
    with pytest.raises(GgufError, match=named):
        tokenizer_from_fields(read_fields(write_gguf(tmp_path / "tiny.gguf", **settings)))
