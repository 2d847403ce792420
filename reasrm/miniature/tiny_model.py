"""The miniature's own tokenizer and untrained model: Qwen3 architecture, well under a million parameters in the world.

A real judge's instruction is three hundred words. A model of less than a million parameters reads the very same prompt,
but its tokenizer has one token for each fixed text of prompt and protocol, so that a prompt costs it a handful of
tokens plus the texts under judgment. No text under judgment can produce such a token: each contains a delimiter or tag
that `defuse` breaks.

Every byte is a token as well, so any text can be written. Where the words of the texts fit into the vocabulary, as
those of the world do, each is one token and there are no others, since every entry costs time at each token that is
trained or sampled. Other text gets a byte-level BPE.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from reasrm.judging import prompt as frame
from reasrm.judging.chain_of_rubrics import PromptVariant, instruction
from reasrm.judging.question_types import QuestionType
from reasrm.judging.untrusted_text import PROTOCOL_TAGS
from reasrm.records.comparison import Side

CHAT_TOKENS = ("<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>")
"""The chat template's own tokens; the first pads, the second ends a reply."""

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)

PROTOCOL_PASSAGES = (
    "<type>Reasoning</type><solution>",
    "<type>Chat</type><rubric>",
    "</solution><eval>",
    "</justify></rubric><eval>",
    "</eval><answer>[[",
    "<answer>[[",
    "]]</answer>",
)
"""Tags that follow each other in every well-formed reply."""
ROUND_VOCABULARY_TO = 8
PIECE_SCORE = -1.0
"""Log-probability of each piece of a word: equal for all, so that a text is split into the fewest pieces."""


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


def _delimiter_passages() -> tuple[str, ...]:
    """The delimiter lines of a prompt with the line breaks between them, longest passages first."""
    start, end = frame.RESPONSE_START, frame.RESPONSE_END
    joined = (
        f"\n{frame.QUESTION_END}\n\n{start[Side.A]}\n",
        f"\n{end[Side.A]}\n\n{start[Side.B]}\n",
        f"\n{end[Side.B]}",
        f"\n{frame.CONVERSATION_END}\n\n{frame.QUESTION_START}\n",
        f"{frame.CONVERSATION_START}\n",
        f"{frame.QUESTION_START}\n",
    )
    single = (frame.QUESTION_START, frame.QUESTION_END, frame.CONVERSATION_START, frame.CONVERSATION_END)
    return (*joined, *single, *start.values(), *end.values())


def fixed_texts() -> tuple[str, ...]:
    """Every fixed text that gets a token of its own, in the order of their ids."""
    tags = [form for tag in PROTOCOL_TAGS for form in (f"<{tag}>", f"</{tag}>")]
    types = [f"<type>{kind}</type>" for kind in QuestionType]
    instructions = [instruction(variant) for variant in PromptVariant]
    return (*instructions, *_delimiter_passages(), *PROTOCOL_PASSAGES, *types, *tags)


def train_tokenizer(texts: Iterable[str], vocabulary: int, phrases: Sequence[str] = ()) -> Any:
    """Train the tokenizer on `texts` (a `transformers.PreTrainedTokenizerFast`); same texts, same tokenizer.

    Args:
        texts: what it must write.
        vocabulary: most entries beside the fixed texts and the phrases.
        phrases: texts that get an entry each, wherever they stand; of two that begin at the same place the longer wins.
    """
    from tokenizers import AddedToken, Tokenizer, decoders
    from transformers import PreTrainedTokenizerFast

    whole = (*fixed_texts(), *phrases)
    passages = _between(texts, whole)
    words = _words(passages, vocabulary)
    free_entries = vocabulary - len(_bytes()) - len(CHAT_TOKENS)
    core = Tokenizer(_whole_words(words) if len(words) <= free_entries else _pieces_of_words(passages, vocabulary))
    core.pre_tokenizer = _splitter()
    core.decoder = decoders.ByteLevel()
    core.add_special_tokens(list(CHAT_TOKENS))
    core.add_tokens([AddedToken(text, normalized=False, special=False) for text in whole])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token=CHAT_TOKENS[0],
        eos_token=CHAT_TOKENS[1],
        additional_special_tokens=list(CHAT_TOKENS[2:]),
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.padding_side = "left"
    return tokenizer


def _between(texts: Iterable[str], whole: Sequence[str]) -> list[str]:
    """The passages between the texts with an entry of their own, which the rest of the vocabulary must write."""
    separator = re.compile("|".join(map(re.escape, sorted((*CHAT_TOKENS, *whole), key=len, reverse=True))))
    return [passage for text in texts for passage in separator.split(text) if passage]


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
    """A tokenizer model with one token for each of `words`, which splits all else into the fewest pieces."""
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
