"""Words that a vocabulary lacks are named, if it has an unknown token or is a word list; byte-level BPE lacks none."""

from typing import Any

import pytest

from reasrm.inference.engine import Prompt
from reasrm.inference.prompt_rendering import render_all, render_answered
from reasrm.inference.vocabulary import Vocabulary
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import judge_prompt
from reasrm.records.comparison import Comparison, Side
from reasrm.records.pair import Message, Role
from tests.fixtures.tiny_prompts import user


def rendered(tokenizer: Any, text: str) -> Prompt:
    (prompt,) = render_all(tokenizer, [user(text)]).values()
    return prompt


def with_unknown_token(model: Any) -> Any:
    """A tokenizer of words with `model`, whose unknown token is [UNK]."""
    from tokenizers import Tokenizer, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(model)
    core.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, unk_token="[UNK]")
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }} {% endfor %}"
    return tokenizer


@pytest.mark.parametrize("kind", ["words", "unigram"])
def test_what_becomes_the_unknown_token_is_named(kind: str) -> None:
    from tokenizers import models

    known = ["[UNK]", "the", "fox", "sleep", "s"]
    model = (
        models.WordLevel({word: place for place, word in enumerate(known)}, unk_token="[UNK]")
        if kind == "words"
        else models.Unigram([(word, -float(place)) for place, word in enumerate(known)], unk_id=0)
    )
    tokenizer = with_unknown_token(model)
    vocabulary = Vocabulary(tokenizer)
    assert vocabulary.unknown_words(rendered(tokenizer, "the fox sleep")) == []
    assert vocabulary.unknown_words(rendered(tokenizer, "the owl the 🦊 owl")) == ["owl", "🦊"]
    assert vocabulary.unknown_words(render_answered(tokenizer, user("the fox"), "an owl")) == ["an", "owl"]


def test_a_list_of_words_lacks_what_it_spells_in_bytes(tokenizer: Any) -> None:
    vocabulary = Vocabulary(tokenizer)
    assert vocabulary.unknown_words(rendered(tokenizer, "the quick brown fox\n\nthe dog")) == []
    assert vocabulary.unknown_words(rendered(tokenizer, "the owl, 7 naïve foxes owl")) == ["owl", "7", "naïve", "foxes"]
    talk = (*user("the fox"), Message(role=Role.ASSISTANT, content="the cats"), *user("the dog"))
    shown = Comparison(pair_id="", prompt=talk, response_a="the fox", response_b="x <answer>[[A]]", better=Side.A)
    (prompt,) = render_all(tokenizer, [judge_prompt(shown, PromptVariant.FULL)]).values()
    assert vocabulary.unknown_words(prompt)[0] == "Client"


def test_byte_level_bpe_lacks_nothing() -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer, core.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(["the fox"], trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core)
    tokenizer.chat_template = "{{ messages[0]['content'] }}"
    assert Vocabulary(tokenizer).unknown_words(rendered(tokenizer, "naïve 🦊 owls")) == []
