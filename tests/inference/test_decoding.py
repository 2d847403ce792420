"""The decode loop: the same greedy tokens as transformers' `generate`, whatever the batch."""

from typing import Any

import pytest

from reasrm.inference.checkpoint_loading import load_causal
from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.local_model import LocalModelSettings, load_model
from reasrm.inference.prompt_rendering import render_all
from reasrm.inference.stop_tokens import StopTokens, end_of_turn_ids
from reasrm.judging.verdict import reply_end
from reasrm.records.reply import Finish
from tests.fixtures.tiny_prompts import sentence, user


@pytest.fixture(scope="module")
def model(checkpoint: Any) -> Any:
    settings = LocalModelSettings(
        checkpoint=checkpoint,
        dtype="float32",
        attention="eager",
        batch_size=8,
        batch_tokens=400,
        max_context_tokens=256,
        threads=1,
        cache_tokens=100_000,
        tensor_parallel=1,
        data_parallel=1,
        memory_share=0.9,
    )
    return load_model(load_causal, settings)


def draw_batch(*arguments: Any) -> list[Any]:
    """The loop under test; torch is imported by the tests that need it, not when tests are collected."""
    from reasrm.inference.decoding import draw_batch

    return draw_batch(*arguments)


@pytest.fixture(scope="module")
def prompts(tokenizer: Any) -> list[Prompt]:
    texts = [sentence(start, 3 + 5 * (start % 4)) for start in range(12)]
    return list(render_all(tokenizer, [user(text) for text in texts]).values())


def stops_of(model: Any, tokenizer: Any, stop: str) -> StopTokens:
    entries = model.get_output_embeddings().weight.shape[0]
    return StopTokens(tokenizer, stop, entries, end_of_turn_ids(model, tokenizer))


def library_tokens(model: Any, tokenizer: Any, prompt: Prompt, count: int) -> list[int]:
    import torch

    ids = torch.tensor([prompt.token_ids])
    drawn = model.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, do_sample=False, pad_token_id=0
    )
    return list(drawn[0, len(prompt.token_ids) :].tolist())


def test_greedy_tokens_equal_the_librarys(model: Any, tokenizer: Any, prompts: list[Prompt], greedy: Sampling) -> None:
    drawn = draw_batch(model, prompts, greedy, stops_of(model, tokenizer, ""), tokenizer.pad_token_id)
    expected = [library_tokens(model, tokenizer, prompt, greedy.max_new_tokens) for prompt in prompts]
    assert [list(one.token_ids) for one in drawn] == expected
    assert len({len(prompt.token_ids) for prompt in prompts}) > 1, "the batch must be padded"


def test_prompts_read_in_several_groups_give_the_same_tokens(
    model: Any, tokenizer: Any, prompts: list[Prompt], greedy: Sampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reasrm.inference import decoding

    stops = stops_of(model, tokenizer, "")
    whole = draw_batch(model, prompts, greedy, stops, tokenizer.pad_token_id)
    longest = max(prompt.length for prompt in prompts)
    monkeypatch.setattr(decoding, "PREFILL_TOKENS", 5 * longest)
    grouped = draw_batch(model, prompts, greedy, stops, tokenizer.pad_token_id)
    assert len(prompts) % 5, "the last group must be smaller"
    assert [one.token_ids for one in grouped] == [one.token_ids for one in whole]


def test_replies_that_outgrow_the_caches_buffers_are_the_same(
    model: Any, tokenizer: Any, prompts: list[Prompt], greedy: Sampling
) -> None:
    long = greedy.model_copy(update={"max_new_tokens": 150})
    drawn = draw_batch(model, prompts[:4], long, stops_of(model, tokenizer, ""), tokenizer.pad_token_id)
    expected = [library_tokens(model, tokenizer, prompt, long.max_new_tokens) for prompt in prompts[:4]]
    assert [list(one.token_ids) for one in drawn] == expected
    assert max(map(len, expected)) == 150, "the buffers must be enlarged twice"


def test_layers_with_a_sliding_window_keep_the_librarys_cache(
    tokenizer: Any, prompts: list[Prompt], greedy: Sampling
) -> None:
    """Half of the layers attend to the last tokens alone: those drop what they no longer need, the others grow."""
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(2)
    shape = Qwen3Config(
        vocab_size=512, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, max_position_embeddings=256, initializer_range=0.4, use_sliding_window=True,
        sliding_window=4, layer_types=["full_attention", "sliding_attention"], eos_token_id=None,
    )  # fmt: skip
    mixed = Qwen3ForCausalLM(shape).eval()
    assert min(prompt.length for prompt in prompts) > shape.sliding_window
    drawn = draw_batch(mixed, prompts, greedy, stops_of(mixed, tokenizer, ""), tokenizer.pad_token_id)
    expected = [library_tokens(mixed, tokenizer, prompt, greedy.max_new_tokens) for prompt in prompts]
    assert [list(one.token_ids) for one in drawn] == expected
    assert len({tuple(row) for row in expected}) > 1


def stop_word(texts: list[str], tokens: list[str]) -> str:
    """A word among `tokens` at which some of `texts` end, at different places, and others do not."""
    words = (token for token in tokens if token.isascii() and token.isalnum())
    return next(word for word in words if len({reply_end(text, word) for text in texts}) > 2)


def test_ended_rows_are_dropped_without_a_trace(
    model: Any, tokenizer: Any, prompts: list[Prompt], greedy: Sampling
) -> None:
    free = draw_batch(model, prompts, greedy, stops_of(model, tokenizer, ""), tokenizer.pad_token_id)
    tokens = [tokenizer.decode([token]) for one in free for token in one.token_ids]
    stop = stop_word([tokenizer.decode(one.token_ids) for one in free], tokens)
    stopped = draw_batch(model, prompts, greedy, stops_of(model, tokenizer, stop), tokenizer.pad_token_id)
    ends = {len(one.token_ids) for one in stopped}
    assert len(ends) > 2, "rows must end at different steps"
    for one, whole in zip(stopped, free, strict=True):
        assert list(one.token_ids) == list(whole.token_ids)[: len(one.token_ids)]
        ended = (
            reply_end(tokenizer.decode(one.token_ids), stop) is not None or one.token_ids[-1] == tokenizer.eos_token_id
        )
        assert ended == (one.finish is Finish.STOP)


def test_log_probabilities_are_the_models(model: Any, tokenizer: Any, prompts: list[Prompt], greedy: Sampling) -> None:
    import torch

    drawn = draw_batch(model, prompts[:5], greedy, stops_of(model, tokenizer, ""), tokenizer.pad_token_id)
    for prompt, one in zip(prompts[:5], drawn, strict=True):
        whole = torch.tensor([[*prompt.token_ids, *one.token_ids]])
        with torch.inference_mode():
            scores = model(input_ids=whole).logits[0].log_softmax(-1)
        places = range(len(prompt.token_ids) - 1, whole.shape[1] - 1)
        expected = [float(scores[place, token]) for place, token in zip(places, one.token_ids, strict=True)]
        assert one.logprobs == pytest.approx(expected, abs=1e-4)


def test_draws_depend_on_prompt_and_seed_alone(
    model: Any, tokenizer: Any, prompts: list[Prompt], greedy: Sampling
) -> None:
    warm = greedy.model_copy(update={"temperature": 1.0, "top_p": 0.9})
    stops = stops_of(model, tokenizer, "")
    together = draw_batch(model, prompts, warm, stops, 0)
    alone = [draw_batch(model, [prompt], warm, stops, 0)[0] for prompt in prompts]
    assert [list(one.token_ids) for one in together] == [list(one.token_ids) for one in alone]
    other = draw_batch(model, prompts, warm.model_copy(update={"seed": 1}), stops, 0)
    assert [one.token_ids for one in other] != [one.token_ids for one in together]


def test_a_tiny_nucleus_is_greedy(model: Any, tokenizer: Any, prompts: list[Prompt], greedy: Sampling) -> None:
    stops = stops_of(model, tokenizer, "")
    narrow = greedy.model_copy(update={"temperature": 1.0, "top_p": 1e-9})
    pairs = zip(draw_batch(model, prompts, narrow, stops, 0), draw_batch(model, prompts, greedy, stops, 0), strict=True)
    assert all(list(one.token_ids) == list(other.token_ids) for one, other in pairs)


def test_the_token_limit_says_so(model: Any, tokenizer: Any, prompts: list[Prompt], greedy: Sampling) -> None:
    short = greedy.model_copy(update={"max_new_tokens": 1})
    drawn = draw_batch(model, prompts, short, stops_of(model, tokenizer, ""), 0)
    assert {one.finish for one in drawn} == {Finish.LENGTH}
    assert {one.completion_tokens for one in drawn} == {1}
