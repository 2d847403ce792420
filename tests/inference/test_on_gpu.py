"""A judge on a CUDA device writes what it writes on the CPU.

python -m pytest -m gpu
"""

from pathlib import Path
from typing import Any

import pytest

from reasrm.inference.checkpoint_loading import load_causal
from reasrm.inference.engine import Sampling
from reasrm.inference.prompt_rendering import render_all
from reasrm.inference.stop_tokens import StopTokens, end_of_turn_ids
from tests.fixtures.tiny_prompts import sentence, user

pytestmark = pytest.mark.gpu
PROMPTS = 64
NEAR = 1e-4
"""Of log-probabilities in float32."""


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_replies_are_those_of_the_cpu(checkpoint: Path, tokenizer: Any, attention: str) -> None:
    from reasrm.inference.decoding import draw_batch

    sampling = Sampling(max_new_tokens=24, temperature=0.0, top_p=1.0, seed=0, stop="")
    prompts = list(render_all(tokenizer, [user(sentence(at, 4 + at % 9)) for at in range(PROMPTS)]).values())
    model = load_causal(checkpoint, attn_implementation=attention).eval()
    stops = StopTokens(tokenizer, "", model.get_output_embeddings().weight.shape[0], end_of_turn_ids(model, tokenizer))
    on_cpu = draw_batch(model, prompts, sampling, stops, tokenizer.pad_token_id)
    on_gpu = draw_batch(model.to("cuda"), prompts, sampling, stops, tokenizer.pad_token_id)
    pairs = list(zip(on_cpu, on_gpu, strict=True))
    same = [(one, other) for one, other in pairs if one.token_ids == other.token_ids]
    assert len(same) >= 0.95 * len(pairs), "two tokens may be as likely to the last bit, not more often"
    gaps = [abs(a - b) for one, other in same for a, b in zip(one.logprobs, other.logprobs, strict=True)]
    assert max(gaps) < NEAR
