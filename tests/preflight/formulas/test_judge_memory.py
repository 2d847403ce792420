"""A judge's batch at the limits, and the constant that the decode loop has too."""

import pytest

from reasrm.preflight.formulas.judge_memory import PREFILL_TOKENS, Judging, judge_memory
from reasrm.preflight.known_models import KNOWN_MODELS

SEVEN = KNOWN_MODELS["Qwen/Qwen2.5-7B-Instruct"]


def test_the_cache_limit_bounds_the_cache_and_nothing_else() -> None:
    free = Judging(SEVEN, 2, False, False, 64, 32768, 4096, 8192, on_gpu=True)
    bound = free._replace(cache_tokens=65536)
    assert judge_memory(bound).parts["cache"] < judge_memory(free).parts["cache"] / 4
    assert judge_memory(bound).parts["weights"] == judge_memory(free).parts["weights"] == 2 * SEVEN.parameters
    # 28 layers, 4 key heads of 128 dimensions, keys and values of two bytes: 57,344 bytes a token, at most 1.5 times
    assert 65536 * 57344 * 0.8 < judge_memory(bound).parts["cache"] < 65536 * 57344 * 2


@pytest.mark.slow
def test_prompts_are_read_in_groups_of_the_decode_loops_size() -> None:
    from reasrm.inference import decoding

    assert decoding.PREFILL_TOKENS == PREFILL_TOKENS
