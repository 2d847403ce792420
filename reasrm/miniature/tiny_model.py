"""The miniature's own tokenizer and untrained model: Qwen3 architecture, well under a million parameters in the world.

Fixed passages of prompt and protocol are entries of their own (`fixed_texts`), and so is every byte: any text can be
written. Where the words of the texts fit into the vocabulary, as those of the world do, each is one entry and there are
no others, since every entry costs time at each token that is learnt or sampled. Real text gets a byte-level BPE.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from reasrm.miniature.fixed_texts import CHAT_TEMPLATE, CHAT_TOKENS, fixed_texts

PAD, END = CHAT_TOKENS[:2]
ROUND_VOCABULARY_TO = 8
PIECE_SCORE = -1.0
"""Log-probability of any piece of a word: alike for all, so that the fewest pieces win."""


class TinyShape(BaseModel):
    """The size of the miniature's model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden_size: int = Field(gt=0)
    layers: int = Field(gt=0)
    heads: int = Field(gt=0)
    """Each of `hidden_size / heads` dimensions."""
    intermediate_size: int = Field(gt=0)
    vocabulary: int = Field(ge=512)
    """Most entries before the fixed texts are added."""
    context: int = Field(gt=0)
    """Positions, in tokens."""
    initial_std: float = Field(gt=0)
    """Standard deviation of the random initial weights."""


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    """Train the tokenizer on `texts` (a `transformers.PreTrainedTokenizerFast`); same texts, same tokenizer."""
    from tokenizers import AddedToken, Tokenizer, decoders
    from transformers import PreTrainedTokenizerFast

    passages = _between_fixed_texts(texts)
    words = _words(passages, vocabulary)
    room = vocabulary - len(_bytes()) - len(CHAT_TOKENS)
    core = Tokenizer(_whole_words(words) if len(words) <= room else _pieces_of_words(passages, vocabulary))
    core.pre_tokenizer = _splitter()
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens(list(CHAT_TOKENS))
    core.add_tokens([AddedToken(text, normalized=False, special=False) for text in fixed_texts()])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token=PAD, eos_token=END, additional_special_tokens=list(CHAT_TOKENS[2:])
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.padding_side = "left"
    return tokenizer


def _between_fixed_texts(texts: Iterable[str]) -> list[str]:
    """What is left to spell once the fixed texts have their own entries."""
    fixed = sorted((*CHAT_TOKENS, *fixed_texts()), key=len, reverse=True)
    seam = re.compile("|".join(map(re.escape, fixed)))
    return [passage for text in texts for passage in seam.split(text) if passage]


def _splitter() -> Any:
    from tokenizers import pre_tokenizers

    return pre_tokenizers.ByteLevel(add_prefix_space=False)


def _bytes() -> list[str]:
    from tokenizers import pre_tokenizers

    return sorted(pre_tokenizers.ByteLevel.alphabet())


def _words(passages: Sequence[str], most: int) -> list[str]:
    """The words of more than one byte, most frequent first; no more than `most`."""
    from tokenizers import Tokenizer, models, trainers

    counter = Tokenizer(models.WordLevel())
    counter.pre_tokenizer = _splitter()
    counter.train_from_iterator(passages, trainers.WordLevelTrainer(vocab_size=most, show_progress=False))
    vocabulary = counter.get_vocab()
    return [word for word in sorted(vocabulary, key=vocabulary.__getitem__) if len(word) > 1]


def _whole_words(words: Sequence[str]) -> Any:
    """A model that writes each of `words` as one token and all else in as few pieces as it can."""
    from tokenizers import models

    return models.Unigram([(piece, PIECE_SCORE) for piece in (*_bytes(), *words)])


def _pieces_of_words(passages: Sequence[str], vocabulary: int) -> Any:
    from tokenizers import Tokenizer, models, trainers

    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = _splitter()
    entries = vocabulary - len(CHAT_TOKENS)
    trained.train_from_iterator(
        passages, trainers.BpeTrainer(vocab_size=entries, initial_alphabet=_bytes(), show_progress=False)
    )
    return trained.model


def new_model(tokenizer: Any, shape: TinyShape, seed: int) -> Any:
    """An untrained `Qwen3ForCausalLM` of `shape` for `tokenizer`; same seed, same weights."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    entries = -(-len(tokenizer) // ROUND_VOCABULARY_TO) * ROUND_VOCABULARY_TO
    config = Qwen3Config(
        vocab_size=entries,
        hidden_size=shape.hidden_size,
        intermediate_size=shape.intermediate_size,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads,
        head_dim=shape.hidden_size // shape.heads,
        max_position_embeddings=shape.context,
        tie_word_embeddings=True,
        initializer_range=shape.initial_std,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(seed)
    return Qwen3ForCausalLM(config)


def fixed_texts_of_several_tokens(tokenizer: Any, texts: Sequence[str] | None = None) -> list[str]:
    """The fixed texts that are not one token each; none, in a tokenizer that is right."""
    return [text for text in texts or fixed_texts() if len(tokenizer(text, add_special_tokens=False)["input_ids"]) != 1]
