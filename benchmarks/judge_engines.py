"""The transformers engine against the library's `generate`: same checkpoint, same prompts, one process, by turns.

- naive: `model.generate` over the prompts as they come, 64 at a time, padded to the longest of each 64.
- engine: the prompts as `reasrm`'s stage `judge` asks them: sorted by length, batches of params.yaml, own decode loop.
- same batches: `model.generate` over exactly the engine's batches, against the loop alone.

Every round measures all ways once, in turns; the table shows the median of each and the median of the rounds' ratios.
Greedy, both orders of each item, distinct prompts only. Replies of all ways are compared.

Run:  OMP_NUM_THREADS=1 python benchmarks/judge_engines.py [--checkpoint data/checkpoints/grpo-full] [--items 1000]
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from judged_rows import items_of, print_table, prompts_of

from reasrm.inference.checkpoint_loading import load_causal
from reasrm.inference.decoding import draw_batch
from reasrm.inference.engine import Prompt, Sampling
from reasrm.inference.prompt_rendering import load_tokenizer
from reasrm.inference.replies import DrawnTokens, reply_from_tokens
from reasrm.inference.stop_tokens import StopTokens, end_of_turn_ids
from reasrm.inference.transformers_engine import TransformersEngine, load_model
from reasrm.judging.verdict import STOP
from reasrm.records.reply import Finish, Reply
from stages.judge import JudgeParams

NAIVE_BATCH = 64
AIM = 1.8
Texts = dict[str, str]
"""Reply by the prompt's key, cut behind its verdict."""


class Ways:
    """The ways of generating, over one loaded model."""

    def __init__(self, params: JudgeParams, sampling: Sampling) -> None:
        self.tokenizer = load_tokenizer(params.checkpoint)
        self.model = load_model(load_causal, params.local_model())
        self.engine = TransformersEngine(params.local_model(), self.tokenizer)
        self.sampling = sampling
        self.engine._model = self.model  # one loaded model for all ways: loading is not measured

    def naive(self, prompts: Sequence[Prompt]) -> Texts:
        """`generate`, 64 at a time, in file order."""
        parts = [prompts[start : start + NAIVE_BATCH] for start in range(0, len(prompts), NAIVE_BATCH)]
        return {key: text for part in parts for key, text in self._generate(part).items()}

    def whole_engine(self, prompts: Sequence[Prompt]) -> Texts:
        """The engine as it is used."""
        ordered = _ordered(prompts)
        return _texts(ordered, [reply for _, reply in self.engine.generate(ordered, self.sampling)])

    def generate_on_its_batches(self, prompts: Sequence[Prompt]) -> Texts:
        """`generate`, in the engine's batches."""
        ordered = _ordered(prompts)
        batches = self.engine.batches(ordered)
        return {key: text for one in batches for key, text in self._generate(ordered[one.start : one.stop]).items()}

    def loop_on_its_batches(self, prompts: Sequence[Prompt]) -> Texts:
        """The decode loop, in the engine's batches."""
        ordered, ends = _ordered(prompts), end_of_turn_ids(self.model, self.tokenizer)
        stops = StopTokens(self.tokenizer, STOP, self.model.get_output_embeddings().weight.shape[0], ends)
        found: Texts = {}
        for one in self.engine.batches(ordered):
            part = ordered[one.start : one.stop]
            drawn = draw_batch(self.model, part, self.sampling, stops, self.tokenizer.pad_token_id)
            found |= _texts(part, [self._reply(prompt, row) for prompt, row in zip(part, drawn, strict=True)])
        return found

    def _generate(self, part: Sequence[Prompt]) -> Texts:
        import torch

        longest, pad = max(prompt.length for prompt in part), self.tokenizer.pad_token_id
        ids = torch.tensor([[pad] * (longest - prompt.length) + list(prompt.token_ids) for prompt in part])
        mask = torch.tensor([[0] * (longest - prompt.length) + [1] * prompt.length for prompt in part])
        with torch.inference_mode():
            drawn = self.model.generate(
                ids.to(self.model.device),
                attention_mask=mask.to(self.model.device),
                max_new_tokens=self.sampling.max_new_tokens,
                do_sample=False,
                pad_token_id=pad,
                use_cache=True,  # training switched it off in the checkpoint's settings
            )
        rows = [DrawnTokens(row, None, Finish.STOP, len(row)) for row in drawn[:, longest:].tolist()]
        return _texts(part, [self._reply(prompt, row) for prompt, row in zip(part, rows, strict=True)])

    def _reply(self, prompt: Prompt, row: DrawnTokens) -> Reply:
        return reply_from_tokens(self.tokenizer, row, prompt, STOP)


def _ordered(prompts: Sequence[Prompt]) -> list[Prompt]:
    return sorted(prompts, key=lambda prompt: (prompt.length, prompt.key))


def _texts(prompts: Sequence[Prompt], replies: Sequence[Reply]) -> Texts:
    return {prompt.key: reply.text for prompt, reply in zip(prompts, replies, strict=True)}


def measured(way: Callable[[Sequence[Prompt]], Texts], prompts: Sequence[Prompt]) -> tuple[float, float, Texts]:
    """Wall and CPU seconds of one pass, and its replies."""
    wall, cpu = time.perf_counter(), time.process_time()
    texts = way(prompts)
    return time.perf_counter() - wall, time.process_time() - cpu, texts


def main() -> None:
    """Measure and print."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--checkpoint", type=Path, default=Path("data/checkpoints/grpo-full"))
    words.add_argument("--benchmarks", type=Path, default=Path("data/benchmarks"))
    words.add_argument("--items", type=int, default=1000, help="spread evenly over all benchmarks")
    words.add_argument("--rounds", type=int, default=5)
    given = words.parse_args()
    params = JudgeParams.load("grpo-full").model_copy(update={"checkpoint": given.checkpoint})
    ways = Ways(params, params.samplings(STOP)[0])
    prompts = prompts_of(ways.tokenizer, items_of(given.benchmarks, given.items))
    contenders = [ways.naive, ways.whole_engine, ways.generate_on_its_batches, ways.loop_on_its_batches]
    measured(ways.whole_engine, prompts[:NAIVE_BATCH])
    rounds = []
    for number in range(given.rounds):
        turn = contenders if number % 2 == 0 else contenders[::-1]
        rounds.append({way.__name__: measured(way, prompts) for way in turn})
    _report(prompts, rounds)


def _report(prompts: Sequence[Prompt], rounds: Sequence[dict[str, Any]]) -> None:
    rows = []
    for name in rounds[0]:
        wall = statistics.median(one[name][0] for one in rounds)
        cpu = statistics.median(one[name][1] for one in rounds)
        same = sum(rounds[0][name][2][key] == text for key, text in rounds[0]["naive"][2].items())
        rows.append([name, f"{wall:.2f}", f"{cpu:.2f}", f"{len(prompts) / wall:.0f}", f"{same}/{len(prompts)}"])
    lengths = [prompt.length for prompt in prompts]
    print(f"{len(prompts)} prompts of {min(lengths)} to {max(lengths)} tokens, {len(rounds)} rounds, medians")
    print_table(["way", "wall s", "CPU s", "judgments/s", "replies as naive"], sorted(rows))
    for slow, fast, aim in (
        ("naive", "whole_engine", f" (aim: at least {AIM})"),
        ("generate_on_its_batches", "loop_on_its_batches", ""),
    ):
        walls = statistics.median(one[slow][0] / one[fast][0] for one in rounds)
        cpus = statistics.median(one[slow][1] / one[fast][1] for one in rounds)
        print(f"{fast} is {walls:.2f} times as fast as {slow} by wall clock, {cpus:.2f} times by CPU seconds{aim}")


if __name__ == "__main__":
    main()
