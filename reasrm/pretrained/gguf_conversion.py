"""A GGUF file, which is what llama.cpp runs, to a checkpoint folder that can be trained: safetensors in bf16.

transformers reads the weights. The tokenizer is built here from the file's own tokens, merges, token types and
template: what transformers 5.17 makes of a GGUF of SmolLM2 ends its turns with `<|im_start|>` and not with the file's
`<|im_end|>`, so a model that is fine-tuned with it learns the wrong end.

Source of the layout: the GGUF specification of ggml-org/ggml (docs/gguf.md) and the pre-tokenizers by name of
llama.cpp (`smollm`: every digit for itself, then GPT-2's expression).
"""

from pathlib import Path
from typing import Any

from reasrm.runtime.stage_main import StageError

CONTROL, USER_DEFINED = 3, 4
"""Token types of the specification: special tokens, and texts that are one token wherever they stand."""
PRE_TOKENIZERS = ("smollm",)
"""Values of `tokenizer.ggml.pre` that are known here."""
BYTE_PAIR_ENCODING = "gpt2"
"""The value of `tokenizer.ggml.model` for byte-level byte pair encoding."""


class GgufError(StageError):
    """A GGUF file cannot be converted; says which of its fields stands in the way."""


def convert_gguf(file: Path, out: Path) -> None:
    """Write the model in the GGUF `file` to the folder `out`: weights in bf16, configurations, tokenizer, template.

    Raises:
        GgufError: its tokenizer is of an unknown kind.
    """
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig, GgufConfig
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    fields = read_fields(file)
    tokenizer = tokenizer_from_fields(fields)
    model = AutoModelForCausalLM.from_pretrained(
        str(file.parent),
        gguf_file=file.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
    )
    special = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    for name, value in special.items():
        setattr(model.config, name, value)
    vars(model.config).pop("_model_name_or_path", None)  # the name of one of the file's ancestors
    model.generation_config = GenerationConfig(**special)
    model.save_pretrained(str(out))
    tokenizer.save_pretrained(str(out))


def read_fields(file: Path) -> dict[str, Any]:
    """The key-value pairs of a GGUF file."""
    from gguf import GGUFReader

    return {name: field.contents() for name, field in GGUFReader(file).fields.items()}


def tokenizer_from_fields(fields: dict[str, Any]) -> Any:
    """The tokenizer of a GGUF file, as one of transformers.

    Raises:
        GgufError: it is of an unknown kind, or a field that it needs is missing.
    """
    from tokenizers import AddedToken
    from transformers import PreTrainedTokenizerFast

    tokens: list[str] = _field(fields, "tokenizer.ggml.tokens")
    types: list[int] = _field(fields, "tokenizer.ggml.token_type")
    backend = _byte_pair_encoding(fields, tokens)
    for token, kind in zip(tokens, types, strict=True):  # in order, each keeps its id
        if kind in (CONTROL, USER_DEFINED):
            backend.add_tokens([AddedToken(token, normalized=False, special=kind == CONTROL)])
    names = {"bos": "bos", "eos": "eos", "pad": "padding", "unk": "unknown"}
    special = {f"{name}_token": tokens[_field(fields, f"tokenizer.ggml.{key}_token_id")] for name, key in names.items()}
    controls = [token for token, kind in zip(tokens, types, strict=True) if kind == CONTROL]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        additional_special_tokens=[token for token in controls if token not in special.values()],
        clean_up_tokenization_spaces=False,
        model_max_length=_field(fields, f"{_field(fields, 'general.architecture')}.context_length"),
        **special,
    )
    tokenizer.chat_template = _field(fields, "tokenizer.chat_template")
    return tokenizer


def _byte_pair_encoding(fields: dict[str, Any], tokens: list[str]) -> Any:
    """The tokenizer without its special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    for name, known in (("model", (BYTE_PAIR_ENCODING,)), ("pre", PRE_TOKENIZERS)):
        if (found := _field(fields, f"tokenizer.ggml.{name}")) not in known:
            raise GgufError(f"tokenizer.ggml.{name} of the GGUF file is {found!r}, known is {' or '.join(known)}")
    if fields.get("tokenizer.ggml.add_bos_token"):
        raise GgufError("tokenizer.ggml.add_bos_token of the GGUF file is true; only texts without it are known")
    vocabulary = {token: number for number, token in enumerate(tokens)}
    merges = [tuple(merge.split(" ")) for merge in _field(fields, "tokenizer.ggml.merges")]
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    backend.decoder = decoders.ByteLevel()
    return backend


def _field(fields: dict[str, Any], name: str) -> Any:
    if name not in fields:
        raise GgufError(f"the GGUF file has no {name}")
    return fields[name]
