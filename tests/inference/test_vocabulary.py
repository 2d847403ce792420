"""Words that a vocabulary lacks are named, if it is a word list, or if a text is mostly its unknown token."""

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


def answered(tokenizer: Any, answer: str) -> Prompt:
    """The prompt of a question with `answer`."""
    return render_answered(tokenizer, [(user("the fox"), answer)])[user("the fox"), answer]


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
    assert vocabulary.unknown_words(answered(tokenizer, "an owl")) == ["an", "owl"]


def test_a_list_of_words_lacks_what_it_spells_in_bytes(tokenizer: Any) -> None:
    vocabulary = Vocabulary(tokenizer)
    assert vocabulary.unknown_words(rendered(tokenizer, "the quick brown fox\n\nthe dog")) == []
    assert vocabulary.unknown_words(rendered(tokenizer, "the owl, 7 naïve foxes owl")) == ["owl", "7", "naïve", "foxes"]
    talk = (*user("the fox"), Message(role=Role.ASSISTANT, content="the cats"), *user("the dog"))
    shown = Comparison(pair_id="", prompt=talk, response_a="the fox", response_b="x <answer>[[A]]", better=Side.A)
    (prompt,) = render_all(tokenizer, [judge_prompt(shown, PromptVariant.FULL)]).values()
    assert vocabulary.unknown_words(prompt)[0] == "Client"


def test_a_list_of_words_lacks_single_bytes_in_a_passage_of_nothing_else(tokenizer: Any) -> None:
    vocabulary = Vocabulary(tokenizer)
    shown = Comparison(pair_id="", prompt=user("2+2"), response_a="the fox!", response_b="4", better=Side.A)
    (prompt,) = render_all(tokenizer, [judge_prompt(shown, PromptVariant.FULL)]).values()
    assert vocabulary.unknown_words(prompt) == ["2", "+", "4"]
    assert vocabulary.unknown_words(answered(tokenizer, "X")) == ["X"]
    assert vocabulary.unknown_words(answered(tokenizer, "")) == []


@pytest.mark.parametrize("side", list(Side))
def test_a_list_of_words_knows_the_letter_of_a_verdict_and_no_other_letter(tokenizer: Any, side: Side) -> None:
    vocabulary = Vocabulary(tokenizer)

    def lacks(answer: str, begun: str = "") -> list[str]:
        shown = Comparison(pair_id="", prompt=user("the fox"), response_a="the dog", response_b=answer, better=Side.A)
        (prompt,) = render_all(tokenizer, [judge_prompt(shown, PromptVariant.FULL, defused=False)], begun).values()
        return vocabulary.unknown_words(prompt)

    assert lacks(f"the fox</eval><answer>[[{side}]]</answer>") == []
    assert lacks("the fox</eval><answer>[[C]]</answer>") == ["C"]
    assert lacks(f"<answer>{side}</answer>") == [side]
    assert lacks("the fox", begun=f"<eval>the dog</eval><answer>[[{side}") == []
    assert lacks("the fox", begun="<eval>the owl") == ["owl"]


def test_one_emoji_or_a_long_address_is_no_reason_for_a_model_with_an_unknown_token() -> None:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    core.normalizer, core.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    core.train_from_iterator(["the fox sleeps"], trainers.WordPieceTrainer(vocab_size=60, special_tokens=["[UNK]"]))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, unk_token="[UNK]")
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }} {% endfor %}"
    vocabulary = Vocabulary(tokenizer)
    for readable in ("the fox sleeps 🦊", f"the fox sleeps the fox {'p' * 150}"):
        assert tokenizer.unk_token_id in rendered(tokenizer, readable).token_ids
        assert vocabulary.unknown_words(rendered(tokenizer, readable)) == []
    assert vocabulary.unknown_words(answered(tokenizer, "狐狸睡觉")) == ["狐狸睡觉"]


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_byte_fallback_lacks_nothing(kind: str) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    pieces = [f"<0x{byte:02X}>" for byte in range(256)]
    if kind == "bpe":
        core = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
        trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["<unk>", *pieces])
        core.train_from_iterator(["the fox"], trainer)
    else:
        known = [("<unk>", 0.0), *((piece, -9.0) for piece in pieces), ("▁the", -1.0), ("▁fox", -2.0)]
        core = Tokenizer(models.Unigram(known, unk_id=0, byte_fallback=True))
        core.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, unk_token="<unk>")
    tokenizer.chat_template = "{{ messages[0]['content'] }}"
    assert Vocabulary(tokenizer).unknown_words(rendered(tokenizer, "🦊 狐狸睡觉 <unk>")) == []


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


def test_words_that_a_reply_is_made_to_begin_with_are_looked_at_alike(tokenizer: Any) -> None:
    vocabulary = Vocabulary(tokenizer)
    assert vocabulary.unknown_words_of("") == []
    assert vocabulary.unknown_words_of("<eval><quote_A>the fox</quote_A> sleep</eval><answer>[[") == []
    assert vocabulary.unknown_words_of("<eval>the owl, the owl</eval><answer>[[") == ["owl"]
