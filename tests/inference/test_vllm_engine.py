"""vLLM for real, on the CPU: the same judge as with transformers, one engine start for everything that is asked.

Run: make test-vllm
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reasrm.inference.engine import Engine, Prompt, Sampling
from reasrm.inference.local_model import Attention, Dtype, LocalModelSettings
from reasrm.inference.prompt_rendering import load_tokenizer, render_all
from reasrm.inference.prompt_run import ask_all
from reasrm.inference.transformers_engine import TransformersEngine
from reasrm.inference.verdict_margin import letter_tokens
from reasrm.inference.vllm_engine import VllmEngine
from reasrm.judging.aggregation import verdict_of_samples
from reasrm.judging.verdict import STOP, Unreadable, Verdict, read_verdict
from reasrm.records.comparison import Side
from reasrm.records.ledger import Ledger
from reasrm.records.reply import Finish, Reply
from reasrm.runtime.progress import ProgressLine
from tests.fixtures.trained_judge import CONTEXT, FORGED, prompt_of, unseen

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(5400)]

GREEDY = Sampling(max_new_tokens=64, temperature=0.0, top_p=1.0, seed=0, stop=STOP)
CASES = 150


@pytest.fixture(scope="module")
def settings(trained_judge: Path) -> LocalModelSettings:
    return LocalModelSettings(
        checkpoint=trained_judge,
        dtype=Dtype.FLOAT32,
        attention=Attention.EAGER,
        batch_size=64,
        batch_tokens=4096,
        max_context_tokens=CONTEXT,
        threads=1,
        cache_tokens=100_000,
        tensor_parallel=1,
        data_parallel=1,
        memory_share=0.9,
    )


@pytest.fixture(scope="module")
def prompts(trained_judge: Path) -> list[Prompt]:
    """Comparisons that the judge was not trained on, in both orders."""
    orders = [order for number in range(400, 400 + CASES) for order in (unseen(number), unseen(number).swapped())]
    return list(render_all(load_tokenizer(trained_judge), [prompt_of(one) for one in orders]).values())


@pytest.fixture(scope="module")
def vllm(settings: LocalModelSettings) -> Iterator[VllmEngine]:
    """One engine for the whole file, started once."""
    engine = VllmEngine(settings, load_tokenizer(settings.checkpoint))
    yield engine
    assert engine.starts == 1
    engine.close()


@pytest.fixture(scope="module")
def replies(vllm: VllmEngine, prompts: list[Prompt], tmp_path_factory: pytest.TempPathFactory) -> list[Reply]:
    """Greedy replies of vLLM, asked as the stage asks."""
    with Ledger(tmp_path_factory.mktemp("vllm") / "ledger.jsonl") as ledger:
        found = ask_all(vllm, prompts, GREEDY, ledger, ProgressLine("test"))
        assert ask_all(vllm, prompts, GREEDY, ledger, ProgressLine("test")) == found
        assert len(ledger) == len({prompt.key for prompt in prompts})
    return [found[prompt.key] for prompt in prompts]


@pytest.fixture(scope="module")
def expected(settings: LocalModelSettings, prompts: list[Prompt]) -> list[Reply]:
    """The transformers engine's greedy replies."""
    ordered = sorted(prompts, key=lambda prompt: prompt.length)
    engine = TransformersEngine(settings, load_tokenizer(settings.checkpoint))
    found = dict(engine.generate(ordered, GREEDY))
    return [found[prompt] for prompt in prompts]


def test_greedy_replies_are_the_same_on_both_engines(replies: list[Reply], expected: list[Reply]) -> None:
    assert len(replies) > 250
    for one, other in zip(replies, expected, strict=True):
        assert one.model_copy(update={"verdict_logprob": None}) == other.model_copy(update={"verdict_logprob": None})
        assert (one.verdict_logprob is None) == (other.verdict_logprob is None)
        if one.verdict_logprob is not None and other.verdict_logprob is not None:
            assert one.verdict_logprob == pytest.approx(other.verdict_logprob, abs=1e-4)


def test_the_judge_is_worth_comparing(replies: list[Reply]) -> None:
    """Both sides, forged quotations and known probabilities must occur, or the test above says little."""
    read = [verdict for reply in replies if isinstance(verdict := read_verdict(reply.text, reply.finish), Verdict)]
    assert len(read) > 0.9 * len(replies)
    assert min(sum(one.side is side for one in read) for side in Side) > 20
    assert sum(reply.verdict_logprob is not None for reply in replies) == len(read)


def test_a_quoted_verdict_does_not_end_a_reply(replies: list[Reply]) -> None:
    forged = [reply for reply in replies if f"{FORGED}</quote_A>" in reply.text]
    assert len(forged) > 20
    for reply in forged:
        assert reply.finish is Finish.STOP
        assert reply.text.endswith(STOP)
        assert reply.text.count(STOP) == 2


def in_order(engine: Engine, prompts: list[Prompt], sampling: Sampling) -> list[Reply]:
    """The replies to `prompts`, in whatever order the engine gives them."""
    found = dict(engine.generate(prompts, sampling))
    return [found[prompt] for prompt in prompts]


def test_the_log_odds_of_a_verdict_are_the_same_on_both_engines(
    vllm: VllmEngine, settings: LocalModelSettings, prompts: list[Prompt], replies: list[Reply]
) -> None:
    """Behind each reply up to its letter, as probes ask; none where a token is not among the likeliest."""
    tokenizer = load_tokenizer(settings.checkpoint)
    begun = []
    for prompt, reply in zip(prompts, replies, strict=True):
        verdict = read_verdict(reply.text, reply.finish)
        if isinstance(verdict, Verdict):
            tail = tokenizer(reply.text[: verdict.letter], add_special_tokens=False)["input_ids"]
            begun.append((verdict.side, (*prompt.token_ids, *tail)))
    letters = letter_tokens(tokenizer, "[[")
    assert letters is not None
    asked = [ids for _, ids in begun]
    there = list(vllm.log_odds(asked, letters))
    here = list(TransformersEngine(settings, tokenizer).log_odds(asked, letters))
    known = [place for place, odds in enumerate(there) if not math.isnan(odds)]
    assert len(known) > 0.9 * len(asked) > 200
    assert [there[place] for place in known] == pytest.approx([here[place] for place in known], abs=1e-3)
    assert all((there[place] > 0) is (begun[place][0] is Side.A) for place in known)
    rare = (tokenizer.pad_token_id, letters[0])
    assert all(math.isnan(odds) for odds in vllm.log_odds(asked[:5], rare))


def test_the_token_limit_is_the_same_limit(
    vllm: VllmEngine, settings: LocalModelSettings, prompts: list[Prompt]
) -> None:
    short = GREEDY.model_copy(update={"max_new_tokens": 9})
    some = sorted(prompts, key=lambda prompt: prompt.length)[:20]
    other = TransformersEngine(settings, load_tokenizer(settings.checkpoint))
    here, there = in_order(vllm, some, short), in_order(other, some, short)
    assert [reply.text for reply in here] == [reply.text for reply in there]
    assert {reply.completion_tokens for reply in here} == {9}
    assert {read_verdict(reply.text, reply.finish) for reply in here} == {Unreadable.TRUNCATED}


def test_samples_follow_their_seed(vllm: VllmEngine, prompts: list[Prompt]) -> None:
    some = prompts[:30]
    warm = [GREEDY.model_copy(update={"temperature": 1.0, "seed": seed}) for seed in range(3)]
    samples = [in_order(vllm, some, sampling) for sampling in warm]
    again = [in_order(vllm, some[::-1], sampling)[::-1] for sampling in warm]
    assert [[reply.text for reply in part] for part in again] == [[reply.text for reply in part] for part in samples]
    assert samples[0] != samples[1]
    for drawn in zip(*samples, strict=True):
        read = [read_verdict(reply.text, reply.finish) for reply in drawn]
        sides = [one.side if isinstance(one, Verdict) else one for one in read]
        verdict, shares = verdict_of_samples(sides)
        assert isinstance(verdict, Unreadable) or shares[verdict is Side.B] > 1 / 3 - 1e-9


def test_the_engine_says_what_it_is(vllm: VllmEngine) -> None:
    identity: dict[str, Any] = vllm.identity()
    assert identity["engine"] == "vllm"
    assert identity["versions"]["vllm"]
