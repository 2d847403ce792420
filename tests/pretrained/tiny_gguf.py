"""A GGUF file of a tiny Llama with a byte-level tokenizer, written as llama.cpp's converter does, and its wheel."""

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<file_sep>")
MERGES = ("Ġ t", "h e", "Ġt he", "1 2", "i n", "in g")
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
HEADS, HEADS_KV, LAYERS, WIDTH, INNER, CONTEXT = 4, 2, 2, 32, 64, 128
LICENCE = "The licence's text\n"


def vocabulary() -> list[str]:
    """Special tokens, the bytes, the merged pieces."""
    from tokenizers.pre_tokenizers import ByteLevel

    return [*SPECIAL, *sorted(ByteLevel.alphabet()), *("".join(merge.split()) for merge in MERGES)]


def tiny_llama() -> Any:
    """The model whose weights the file holds, in float32."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocabulary()), hidden_size=WIDTH, intermediate_size=INNER, num_hidden_layers=LAYERS,
        num_attention_heads=HEADS, num_key_value_heads=HEADS_KV, max_position_embeddings=CONTEXT, rms_norm_eps=1e-5,
        tie_word_embeddings=True,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def write_gguf(file: Path, *, pre: str = "smollm", kind: str = "gpt2", template: bool = True) -> Path:
    """Write the file; `pre` and `kind` name the tokenizer."""
    from gguf import GGUFWriter

    writer = GGUFWriter(file, "llama")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS_KV)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    tokens = vocabulary()
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model(kind)
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(tokens)
    writer.add_token_types([3] * len(SPECIAL) + [1] * (len(tokens) - len(SPECIAL)))
    writer.add_token_merges(list(MERGES))
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    if template:
        writer.add_chat_template(TEMPLATE)
    for name, weights in tiny_llama().model.named_parameters():
        writer.add_tensor(_gguf_name(name), _rotary_order(name, weights.detach().numpy()))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return file


def _gguf_name(name: str) -> str:
    fixed = {"embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight"}
    if name in fixed:
        return fixed[name]
    _, layer, *rest = name.split(".")
    part = {
        "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    }[".".join(rest[:-1])]  # fmt: skip
    return f"blk.{layer}.{part}.weight"


def _rotary_order(name: str, weights: np.ndarray) -> np.ndarray:
    """llama.cpp turns neighbouring pairs of dimensions, transformers the two halves."""
    heads = {"q_proj": HEADS, "k_proj": HEADS_KV}.get(name.split(".")[-2] if "self_attn" in name else "")
    if heads is None:
        return weights
    halves = weights.reshape(heads, 2, weights.shape[0] // heads // 2, weights.shape[1])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(weights.shape))


def write_wheel(folder: Path, gguf: Path, package: str = "tiny_model") -> Path:
    """A wheel that pip accepts, with the GGUF file in it."""
    folder.mkdir(exist_ok=True)
    wheel, records = folder / f"{package}-1.0-py3-none-any.whl", f"{package}-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(gguf, f"{package}/{gguf.name}")
        archive.writestr(f"{records}/METADATA", f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        archive.writestr(f"{records}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{records}/LICENSE", LICENCE)
        archive.writestr(f"{records}/RECORD", "")
    return wheel


def sha256(file: Path) -> str:
    """Of a file's bytes, in hex."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
