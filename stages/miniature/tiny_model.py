"""The miniature's own tokenizer and untrained model: Qwen3 architecture, well under a million parameters in the world.

The tokenizer is a byte-level BPE, so any text can be written, trained on the texts that the model will meet; in the
world every word becomes one token. Fixed passages of prompt and protocol are entries of their own (`fixed_texts`).
"""

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from stages.miniature.fixed_texts import CHAT_TEMPLATE, CHAT_TOKENS, fixed_texts

PAD, END = CHAT_TOKENS[:2]
ROUND_VOCABULARY_TO = 8


class TinyShape(BaseModel):
    """The size of the miniature's model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hidden_size: int = Field(gt=0)
    layers: int = Field(gt=0)
    heads: int = Field(gt=0)
    """Each of `hidden_size / heads` dimensions."""
    intermediate_size: int = Field(gt=0)
    vocabulary: int = Field(ge=512)
    """Entries that the BPE may have before the fixed texts are added."""
    context: int = Field(gt=0)
    """Positions, in tokens."""
    initial_std: float = Field(gt=0)
    """Standard deviation of the random initial weights."""


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> Any:
    """Train the tokenizer on `texts` (a `transformers.PreTrainedTokenizerFast`); same texts, same tokenizer."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, initial_alphabet=alphabet, special_tokens=list(CHAT_TOKENS), show_progress=False
    )
    core.train_from_iterator(texts, trainer)
    core.add_tokens([AddedToken(text, normalized=False, special=False) for text in fixed_texts()])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core, pad_token=PAD, eos_token=END, additional_special_tokens=list(CHAT_TOKENS[2:])
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.padding_side = "left"
    return tokenizer


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
