"""How the miniature's policy answers before it is rewarded: answers sampled to questions of its world's test split.

By family: the share whose thought holds the right steps, gold (`reasrm.policy.gold`; with its standard error), the
styles, each planted shortcut, and how many answers the miniature's judge cannot read beside the world's own better one.

Run:  OMP_NUM_THREADS=1 python -m benchmarks.policy_start [--model policy_start-half] [--count 300] [--seed 0]
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple

from benchmarks.judge_reference import print_table
from reasrm.evaluation.judge import Judge
from reasrm.evaluation.judge_opening import open_judge
from reasrm.inference.engine import Sampling
from reasrm.inference.local_model import Attention, Dtype, LocalModelSettings
from reasrm.inference.prompt_rendering import load_tokenizer, render_all
from reasrm.inference.transformers_engine import TransformersEngine
from reasrm.miniature import chat_families as chat
from reasrm.miniature.policy_documents import THOUGHT_END, StartAnswers, thought_on
from reasrm.miniature.slices import Family, Slice, slice_of
from reasrm.miniature.styles import Style, strip_style
from reasrm.miniature.world import Split
from reasrm.policy.gold import gold_of, success
from reasrm.policy.prompts.world_prompts import world_prompts
from reasrm.records.comparison import Comparison, Side
from reasrm.records.policy import PolicyPrompt
from reasrm.records.reply import Finish
from reasrm.runtime.yaml_files import read_yaml

CHECKPOINTS = Path("data/checkpoints")
MOST_TOKENS = 96


class Sampled(NamedTuple):
    """A sampled answer to a question of the world."""

    prompt: PolicyPrompt
    text: str
    finish: Finish

    @property
    def answer(self) -> str:
        """What follows the thought."""
        return self.text.split(THOUGHT_END)[-1]


def sample(model: Path, prompts: Sequence[PolicyPrompt], seed: int) -> list[Sampled]:
    """One answer to each prompt, at temperature 1."""
    tokenizer = load_tokenizer(model)
    settings = LocalModelSettings(
        checkpoint=model, dtype=Dtype.FLOAT32, attention=Attention.EAGER, batch_size=512, batch_tokens=32768,
        cache_tokens=131072, max_context_tokens=512, threads=1, tensor_parallel=1, data_parallel=1, memory_share=0.9,
    )  # fmt: skip
    sampling = Sampling(max_new_tokens=MOST_TOKENS, temperature=1.0, top_p=1.0, seed=seed, stop="")
    rendered = list(render_all(tokenizer, [prompt.prompt for prompt in prompts]).values())
    replies = TransformersEngine(settings, tokenizer).generate(rendered, sampling)
    return [Sampled(prompt, reply.text, reply.finish) for prompt, (_, reply) in zip(prompts, replies, strict=True)]


def row(name: str, drawn: Sequence[Sampled], answers: StartAnswers, judge: Judge) -> list[str]:
    """A line of the table."""
    gold = [value for one in drawn if (value := gold_of(one.prompt, one.answer)) is not None]
    styles = [strip_style(one.answer)[0] for one in drawn]
    return [
        name,
        str(len(drawn)),
        f"{fmean(one.text.startswith(thought_on(one.prompt.question)) for one in drawn):.3f}",
        f"{fmean(gold):.3f} ± {stdev(gold) / len(gold) ** 0.5:.3f}",
        f"{fmean(bool(success(one.prompt, one.answer)) for one in drawn):.3f}",
        *(f"{styles.count(style) / len(drawn):.2f}" for style in Style),
        *(f"{fmean(shortcut.is_in(one.answer) for one in drawn):.3f}" for shortcut in answers.shortcuts.values()),
        f"{fmean(one.finish is not Finish.STOP for one in drawn):.3f}",
        f"{fmean(bool(unread(one, judge)) for one in drawn):.3f}",
    ]


def unread(one: Sampled, judge: Judge) -> list[str]:
    """Words of an answer that the judge's vocabulary lacks."""
    comparison = Comparison(
        pair_id=one.prompt.id,
        prompt=one.prompt.prompt,
        response_a=one.answer,
        response_b=f"{chat.REFUSAL} with the ring.",
        better=Side.A,
    )
    return judge.unknown_words(comparison)


def main() -> None:
    """Sample, and print the table."""
    parser = argparse.ArgumentParser(description="How the miniature's policy answers before it is rewarded.")
    parser.add_argument("--model", default="policy_start-half", help="its folder below data/checkpoints")
    parser.add_argument("--judge", default="grpo-full", help="the judge's folder below data/checkpoints")
    parser.add_argument("--count", type=int, default=300, help="questions of each family")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    counts = {family: min(asked.count, 180) if family is Family.SAFE else asked.count for family in Family}
    prompts = world_prompts(Split.TEST, counts, asked.seed)
    start = time.process_time()
    drawn = sample(CHECKPOINTS / asked.model, prompts, asked.seed)
    print(f"{len(drawn)} answers in {time.process_time() - start:.1f} CPU s")
    answers = StartAnswers.model_validate(read_yaml(Path("params.yaml"))["policy_start"]["answers"])
    with open_judge(CHECKPOINTS / asked.judge) as judge:
        slices = {name: [one for one in drawn if slice_of(one.prompt.question) is name] for name in Slice}
        rows = [row(name.value, own, answers, judge) for name, own in slices.items()]
        rows.append(row("all", drawn, answers, judge))
    styles = [style.label for style in Style]
    print_table(["slice", "n", "right steps", "gold", "success", *styles, *answers.shortcuts, "cut", "unread"], rows)
    print(next(one.text for one in drawn if one.prompt.task == Family.BOXES))


if __name__ == "__main__":
    main()
