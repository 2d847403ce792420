"""A finished demo's judges on its dev pairs: under each prompt, and with their replies ended at token budgets.

Greedy, both orders, by the project's own judging with the settings of `judge`; nothing is trained and no benchmark is
read. Intervals are of a bootstrap over pairs. `covered` are the slices whose pairs are distilled.

- `prompts`: a judge asked for the work of a table's other rows. So one sees what a row owes to its prompt: the base is
  shown under `full` alone, and a cold start begins from what the base does under the row's own prompt.
- `budgets`: accuracy against the tokens that a judge may write before its verdict is forced.

Run:  OMP_NUM_THREADS=1 python -m benchmarks.dev_budgets --data data [--pairs 300]
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.grpo_runs import RESAMPLES
from benchmarks.judge_reference import print_table
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.comparison import Side, show
from reasrm.records.jsonl import read_records
from reasrm.records.judgment import ComparisonJudgment
from reasrm.records.ledger import Ledger
from reasrm.records.pair import PreferencePair
from reasrm.runtime.yaml_files import read_yaml
from reasrm.scoring.bootstrap import bootstrap_means
from reasrm.scoring.intervals import percentiles
from stages.judge import JudgeParams, RunningParams

BUDGETS = (4, 8, 16, 24, 32, 40, 48, 56)
PROMPTED = ("base", "sft", "grpo-full")
"""Judges that are asked for the work of other rows too."""
BUDGETED = ("base", "grpo-cold_start", "grpo-cold_start_rubrics_qc", "sft", "grpo-full")
"""Judges that are ended early, by their keys in `judge_variants`."""


def judged(
    model: str, prompt: PromptVariant | None, budgets: Sequence[int | None], data: Path, pairs: Sequence[PreferencePair]
) -> list[list[str]]:
    """A row for each budget; None for no budget, and for the prompt that the judge has in params.yaml."""
    params = JudgeParams.load(model)
    changes: dict[str, Any] = {"checkpoint": data / "checkpoints" / params.checkpoint.name}
    params = params.model_copy(update=changes | ({"prompt": prompt} if prompt else {}))
    shown = [show(pair, side) for pair in pairs for side in Side]
    with (
        tempfile.TemporaryDirectory() as folder,
        Ledger(Path(folder) / "ledger.jsonl") as ledger,
        params.open_judge(RunningParams.load()) as judge,
    ):
        found = [(budget, list(judge.judge(shown, ledger, budget))) for budget in budgets]
    return [_row(model, params.prompt, budget, pairs, judgments) for budget, judgments in found]


def _row(
    model: str,
    prompt: PromptVariant,
    budget: int | None,
    pairs: Sequence[PreferencePair],
    judgments: Sequence[ComparisonJudgment],
) -> list[str]:
    """Each pair has two judgments in a row, with the better answer first and second."""
    right = np.reshape(
        [one.verdict is side for one, side in zip(judgments, [*Side] * len(pairs), strict=True)], (-1, 2)
    )
    low, high = percentiles(bootstrap_means(right.mean(1), RESAMPLES, 0))
    slices = read_yaml(Path("params.yaml"))["collect_pairs"]["distill_slices"] or ()
    covered = np.array([pair.labels["slice"] in slices for pair in pairs])
    parts = [f"{right[which].mean():.3f}" if which.any() else "" for which in (covered, ~covered)]
    lost = sum(one.verdict is None for one in judgments)
    tokens = np.mean([one.reply.completion_tokens if one.reply else 0 for one in judgments])
    limit = "none" if budget is None else str(budget)
    return [model, prompt, limit, f"{right.mean():.3f} [{low:.3f}, {high:.3f}]", *parts, str(lost), f"{tokens:.1f}"]


def main() -> None:
    """Judge and print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("data"), help="a finished demo's data folder")
    parser.add_argument("--pairs", type=int, default=300, help="dev pairs")
    given = parser.parse_args()
    pairs = list(read_records(given.data / "pairs/dev.jsonl", PreferencePair))[: given.pairs]
    prompts = (PromptVariant.PLAIN, PromptVariant.RUBRICS, PromptVariant.FULL)
    head = ["judge", "prompt", "budget", "dev accuracy [95 %]", "covered", "shift", "no verdict", "tokens"]
    print_table(
        head, [row for model in PROMPTED for one in prompts for row in judged(model, one, [None], given.data, pairs)]
    )
    print()
    print_table(head, [row for model in BUDGETED for row in judged(model, None, [*BUDGETS, None], given.data, pairs)])


if __name__ == "__main__":
    main()
