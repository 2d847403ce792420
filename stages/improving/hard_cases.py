"""Draw a policy's answers, let the current judge compare them, and pick what an oracle is to be asked about.

Reads:   the policy's checkpoint, its training prompts, data/judgments/<judge> (the settings in its identity.json), the
         judge's checkpoint, data/benchmarks, whose prompts no hard case may repeat
Writes:  data/hard_cases/<round>/candidates.jsonl (in the order in which they are to be asked about), held_out.jsonl
         (pairs of the prompts that are held out, not judged yet), funnel.json
Resumes: ledgers/hard_cases-<round>.jsonl; nothing that is in it is drawn or judged again
Run:     python -m stages.improving.hard_cases <round>      (or: dvc repro hard_cases@<round>)
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, ClassVar

import orjson
from pydantic import Field

from reasrm.data_quality.decontamination import BenchmarkPrompts
from reasrm.evaluation.judge import Judge
from reasrm.evaluation.judge_params import JudgeParams, RunningParams
from reasrm.evaluation.pairwise_judgment import Pair, judge_pairs
from reasrm.policy.hard_cases.answer_sampling import AnswerSampling, SampledAnswers, sample_answers
from reasrm.policy.hard_cases.candidate_picking import candidates, in_shares
from reasrm.policy.hard_cases.refinement import NearDuplicateRule, Refinement, readable_by
from reasrm.records.benchmark_folder import item_prompts
from reasrm.records.content_hash import unit_interval
from reasrm.records.hard_case import AnswerPair, Candidate, CandidateKind, Verdicts
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.ledger import Ledger
from reasrm.records.policy import PolicyPrompt
from reasrm.records.unasked_prompts import IDENTITY
from reasrm.runtime.kept_folders import ledger_file
from reasrm.runtime.outputs import new_folder, write_json
from reasrm.runtime.params import StageParams
from reasrm.runtime.stage_main import StageError, run_stage

BENCHMARKS = Path("data/benchmarks")
JUDGMENTS = Path("data/judgments")
HARD_CASES = Path("data/hard_cases")
Share = Annotated[float, Field(ge=0, le=1)]


class HardCasesParams(StageParams):
    """Section `hard_cases` of params.yaml, with the round's own keys laid over it."""

    section: ClassVar[str] = "hard_cases"

    policy: Path
    """The checkpoint whose answers are compared."""
    prompts: Path
    """Its training prompts, a file of `PolicyPrompt`."""
    judge: str
    """The current judge, a key of `judge_variants`: it is run as it made its judgments."""
    checkpoint: Path
    """The judge's."""
    seed: int
    """Of the prompts drawn, of the answers, and of every order by hash."""
    most_prompts: int = Field(gt=0)
    """Prompts of a round, held-out ones among them, drawn by hash."""
    held_out_share: float = Field(gt=0, lt=1)
    """Share of the prompts of which no hard case is learnt. Both judges may have been trained on pairs of the same
    prompts before. The hash of a prompt alone decides, so it is the same in every round."""
    answers: AnswerSampling
    answer_after: str
    """What ends a thought: only what follows the last one is judged. Empty for policies that do not think."""
    pairs_per_prompt: int = Field(gt=0)
    """The most pairs of one prompt that are judged."""
    candidates_per_prompt: int = Field(gt=0)
    """The most pairs of one prompt that the oracle may be asked about."""
    kinds: dict[CandidateKind, Share]
    """Shares of the kinds among the first candidates, while there are any of each."""
    near_duplicates: NearDuplicateRule | None
    overlap_ngram: int = Field(gt=0)
    """As in `collect_pairs`."""
    overlap_share: float = Field(gt=0, le=1)


def is_held_out(prompt_id: str, share: float) -> bool:
    """Whether a prompt is for comparing judges alone: by its hash, so in every round the same."""
    return unit_interval("held_out", prompt_id) < share


def drawn_prompts(params: HardCasesParams) -> list[PolicyPrompt]:
    """The round's prompts, by hash.

    Raises:
        StageError: there are none.
    """
    distinct = {one.id: one for one in read_records(params.prompts, PolicyPrompt)}
    if not distinct:
        raise StageError(f"{params.prompts} holds no prompt")
    ordered = sorted(distinct.values(), key=lambda one: unit_interval("round", params.seed, one.id))
    return ordered[: params.most_prompts]


def judged_candidates(
    judge: Judge, pairs: Sequence[AnswerPair], params: HardCasesParams, ledger: Ledger
) -> list[Candidate]:
    """The candidates among the pairs of training prompts, as the current judge sees them, in the order of asking."""
    asked = [Pair(pair.prompt, pair.a, pair.b) for pair in pairs]
    verdicts: list[Verdicts] = [
        (judged.orders[0].verdict, judged.orders[1].verdict) for judged in judge_pairs(judge, asked, ledger)
    ]
    found = candidates(pairs, verdicts, params.judge, params.seed, params.candidates_per_prompt)
    return in_shares(found, params.kinds)


def main(round_name: str) -> str:
    """Find the hard cases of a round; return the summary line."""
    params, running = HardCasesParams.load(round_name), RunningParams.load()
    identity: Mapping[str, Any] = orjson.loads((JUDGMENTS / params.judge / IDENTITY).read_bytes())
    judge_params = JudgeParams.recorded_in(identity, params.checkpoint)
    with Ledger(ledger_file(f"hard_cases-{round_name}", paid=judge_params.is_paid)) as ledger:
        model = params.answers.local_model(params.policy, running.data_parallel, running.memory_share)
        prompts = drawn_prompts(params)
        sampled, counts = sample_answers(prompts, model, params.answers, params.answer_after, params.seed, ledger)
        benchmarks = BenchmarkPrompts(item_prompts(BENCHMARKS), params.overlap_ngram, params.overlap_share)
        with judge_params.open_judge(running) as judge:
            rule = params.near_duplicates
            refinement = Refinement(params.seed, params.pairs_per_prompt, benchmarks, rule, readable_by(judge))
            refined = list(refinement.refined(sampled))
            held_out = [pair for pair in refined if is_held_out(pair.prompt_id, params.held_out_share)]
            train = [pair for pair in refined if not is_held_out(pair.prompt_id, params.held_out_share)]
            if not train or not held_out:
                raise StageError(
                    f"{len(train)} pairs to learn from and {len(held_out)} held out of {len(prompts)} prompts: both "
                    f"are needed; left out were {dict(refinement.refused) or 'none'}, answers {dict(counts.unusable)}"
                )
            found = judged_candidates(judge, train, params, ledger)
    with new_folder(HARD_CASES / round_name) as folder:
        write_records(folder / "candidates.jsonl", found)
        write_records(folder / "held_out.jsonl", held_out)
        write_json(folder / "funnel.json", funnel(sampled, vars(counts), refinement, train, held_out, found))
    kinds = Counter(one.kind.value for one in found)
    return f"{round_name}: {len(found)} candidates of {len(train)} pairs ({dict(kinds)}), {len(held_out)} held out"


def funnel(
    sampled: Sequence[SampledAnswers],
    counts: Mapping[str, Any],
    refinement: Refinement,
    train: Sequence[AnswerPair],
    held_out: Sequence[AnswerPair],
    found: Sequence[Candidate],
) -> dict[str, Any]:
    """From prompts to candidates, everything that was left out with its reason."""
    return {
        "answers": {key: dict(value) if isinstance(value, Counter) else value for key, value in counts.items()},
        "pairs": sum(len(list(combinations(one.answers, 2))) for one in sampled),
        "left_out": {refusal.value: count for refusal, count in sorted(refinement.refused.items())},
        "kept": {"train": len(train), "held_out": len(held_out)},
        "candidates": dict(sorted(Counter(one.kind.value for one in found).items())),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Find the hard cases of a judge among a policy's answers.")
    parser.add_argument("round", help="a key of `hard_cases_variants` in params.yaml")
    chosen = parser.parse_args().round
    run_stage(f"hard_cases-{chosen}", lambda: main(chosen))
