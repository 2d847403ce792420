"""A made-up run: small outputs of every stage that the report reads, in the stages' own records.

The judges work a question out as often as dice say, and decide by layout or by stock criteria else; only the shape of
what they leave is real.
"""

import math
import random
from pathlib import Path
from typing import Any

from reasrm.benchmarks.collection import CollectedBenchmark, RowSelection, collect, write_benchmarks
from reasrm.benchmarks.registry import BENCHMARKS
from reasrm.datasets.origins import DataOrigin, as_written
from reasrm.datasets.row_files import DataSource, RowInFile
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.miniature import traces
from reasrm.miniature.benchmark_rows import benchmark_rows
from reasrm.miniature.chat_families import is_chat_request
from reasrm.miniature.slices import Slice
from reasrm.miniature.world import Split, training_pairs
from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.comparison import Comparison, Side, show
from reasrm.records.jsonl import write_records
from reasrm.records.judgment import Judgment
from reasrm.records.pair import PreferencePair
from reasrm.records.reply import Finish, Reply
from reasrm.records.rollout import Rollout, RolloutGroup
from reasrm.records.trace import KeptTrace, OracleTrace, RejectedTrace, TraceOutcome, TracePass
from reasrm.runtime.outputs import write_json, write_text
from reasrm.scoring.judge_scores import score_judges
from reasrm.scoring.judged_items import read_items, read_judged_items
from stages.score import ScoreParams
from tests.policy.made_up_policies import write_policy_scores
from tests.reporting.made_up_measures import write_probes

JUDGES = {
    "base": (0.15, PromptVariant.FULL),
    "grpo-cold_start": (0.45, PromptVariant.PLAIN),
    "grpo-cold_start_rubrics": (0.6, PromptVariant.RUBRICS),
    "grpo-cold_start_rubrics_qc": (0.7, PromptVariant.FULL),
    "sft": (0.65, PromptVariant.FULL),
    "grpo-full": (0.9, PromptVariant.FULL),
    "answer_sft-all": (0.2, PromptVariant.ANSWER_ONLY),
    "scalar_rm": (0.3, PromptVariant.FULL),
}
"""How often each judge works the question out, and what its prompt asks it to write."""
COVERED = (Slice.DIAL_SHORT, Slice.TURN_SHORT, Slice.CHAT_TOAST, Slice.CHAT_LETTER)
BUDGETS = {8: 0.2, 16: 0.5, 32: 0.9}
"""Tokens, and what is left of the distance from chance."""
PARTS = {"reward_bench": ("reward_bench",), "rm_bench": ("rm_bench",), "rmb": ("rmb_pairwise", "rmb_bon")}
EVERY = 15
SET = DataOrigin(name="some/traces", revision="ab" * 20, licence="mit", written_by="<b>a model</b>")


def made_up_items() -> dict[str, CollectedBenchmark]:
    """A fifteenth of the miniature's benchmark rows, as items with their account."""
    rows = benchmark_rows(0)
    picked = {name: [row for part in parts for row in rows[part]][::EVERY] for name, parts in PARTS.items()}
    return {
        name: collect(
            BENCHMARKS[name], (RowInFile("made up", at, row) for at, row in enumerate(found)), RowSelection(seed=0)
        )
        for name, found in picked.items()
    }


def judge(model: str, item: BenchmarkItem, better: Side, dice: random.Random) -> Judgment:
    """A judgment as `model` might leave it."""
    shown, (skill, variant) = show(item.pair, better), JUDGES[model]
    written = analyse(shown, skill, dice)
    verdict: Side | None = written.preferred or Side.A
    scores, reply, unreadable = None, None, None
    if model == "scalar_rm":
        scores = (1.0, 0.0) if verdict is Side.A else (0.0, 1.0)
    elif model == "base" and dice.random() < 0.08:
        verdict, unreadable, reply = None, "no_answer", made_up_reply("<type>Chat</type><rubric> layout")
    else:
        invented = "<quote_A> never said</quote_A></eval>" if dice.random() < 0.1 else "</eval>"
        text = written.text(variant).replace("</eval>", invented)
        reply = made_up_reply(text + traces.answer_tag(written.preferred or Side.A))
    return Judgment(
        benchmark=item.benchmark, item_id=item.item_id, better=better, verdict=verdict, unreadable=unreadable,
        scores=scores, reply=reply,
    )  # fmt: skip


def analyse(shown: Comparison, skill: float, dice: random.Random) -> traces.Analysis:
    """A careful look at the answers, as often as `skill` says, else a careless one."""
    question, answers = shown.prompt[-1].content, (shown.response_a, shown.response_b)
    if dice.random() < skill:
        return traces.careful_analysis(question, *answers)
    if is_chat_request(question) and dice.random() < 0.5:
        return traces.stock_analysis(*answers)
    return traces.layout_analysis(*answers)


def made_up_reply(text: str) -> Reply:
    """A complete reply."""
    return Reply(text=text, finish=Finish.STOP, prompt_tokens=60, completion_tokens=len(text.split()))


def write_judgments(folder: Path, items: dict[str, CollectedBenchmark]) -> None:
    """Judgments of all models in both orders."""
    for model in JUDGES:
        dice = random.Random(model)
        for name, collected in items.items():
            judgments = [judge(model, item, side, dice) for item in collected.items for side in Side]
            write_records(folder / "judgments" / model / f"{name}.jsonl", judgments)
        write_json(folder / "judgments" / model / "identity.json", {"engine": {"name": "dice"}, "params": {"seed": 0}})


def write_pairs_and_traces(folder: Path) -> None:
    """Pairs, two oracle passes, kept and rejected traces."""
    pairs = training_pairs(Split.TRAIN, 900, seed=0)
    covered = [pair for pair in pairs if pair.labels["slice"] in COVERED]
    others = [pair for pair in pairs if pair.labels["slice"] not in COVERED]
    sets = {"distill": covered[:200], "reinforce": others[:80], "dev": others[80:100]}
    for name, some in sets.items():
        write_records(folder / "pairs" / f"{name}.jsonl", some)
    write_records(folder / "pairs" / "rejected.jsonl", [{"reason": "duplicate", "id": str(i)} for i in range(5)])
    dice = random.Random(1)
    first = [ask_oracle(pair, TracePass.FIRST, dice) for pair in sets["distill"]]
    failed = [trace for trace in first if trace.outcome is not TraceOutcome.OK or traces_wrong(trace)]
    second = [ask_oracle(trace.pair, TracePass.SECOND, dice) for trace in failed]
    write_records(folder / "traces" / "first.jsonl", first)
    write_records(folder / "traces" / "second.jsonl", second)
    for name, usd in (("first", 1.25), ("second", 0.25)):
        costs = {"input_tokens": 1000, "output_tokens": 100, "usd": usd, "prices_as_of": "2026-01-01"}
        write_json(folder / "traces" / f"{name}.metrics.json", costs)
    good = [trace for trace in (*first, *second) if trace.outcome is TraceOutcome.OK and not traces_wrong(trace)]
    write_records(folder / "traces" / "kept.jsonl", [kept(trace) for trace in good[:-9]])
    rejected = [RejectedTrace(trace=trace, reason="wrong_verdict") for trace in failed]
    rejected += [RejectedTrace(trace=trace, reason="quote_not_found") for trace in good[-9:]]
    write_records(folder / "traces" / "rejected.jsonl", rejected)


def write_published_metrics(folder: Path) -> None:
    """The metrics of traces that others published, in place of the oracle's."""
    metrics = {"source": "published", "rows_in": 300, "refused": {"contradictory": 7}, "labelled_by_reply": 0}
    for name in TracePass:
        write_json(folder / "traces" / f"{name}.metrics.json", metrics | as_written((SET,)))


def ask_oracle(pair: PreferencePair, oracle_pass: TracePass, dice: random.Random) -> OracleTrace:
    """What the oracle might have said."""
    better = dice.choice(list(Side))
    shown = show(pair, better)
    right = oracle_pass is TracePass.SECOND or dice.random() < 0.8
    written = traces.layout_analysis(shown.response_a, shown.response_b)
    text = written.text(PromptVariant.FULL) + traces.answer_tag(better if right else better.other)
    outcome = dice.choices([TraceOutcome.OK, TraceOutcome.REFUSED, TraceOutcome.TRUNCATED], [0.95, 0.03, 0.02])[0]
    return OracleTrace(
        pair=pair, better=better, oracle_pass=oracle_pass, model="oracle-2026-01-01", outcome=outcome,
        text=text if outcome is TraceOutcome.OK else "",
    )  # fmt: skip


def traces_wrong(trace: OracleTrace) -> bool:
    """Whether a complete trace ends with the wrong verdict."""
    return not trace.text.endswith(traces.answer_tag(trace.better))


def kept(trace: OracleTrace) -> KeptTrace:
    """The trace as SFT reads it."""
    return KeptTrace(
        comparison=show(trace.pair, trace.better), text=trace.text, source=trace.pair.source,
        oracle_pass=trace.oracle_pass,
    )  # fmt: skip


def write_curves(folder: Path) -> None:
    """Curves as DVCLive writes them."""
    dice = random.Random(2)
    for run in (model for model in JUDGES if model.startswith("grpo-")):
        names = ("reward", "kl", "entropy", "completions/mean_length", "frac_reward_zero_std", "loss",
                 "verdict_a_share", "readable")  # fmt: skip
        for name in names:
            top = JUDGES[run][0]
            write_curve(
                folder / "curves" / run, name, [top * math.tanh(i / 20) + dice.gauss(0, 0.1) for i in range(60)]
            )
    for run in ("base", "sft", "answer_sft-all", "scalar_rm"):
        write_curve(folder / "curves" / run, "loss", [2 * math.exp(-i / 10) + dice.gauss(0, 0.05) for i in range(40)])
    for run in JUDGES.keys() - {"base"}:
        top = 0.5 + JUDGES[run][0] / 2
        shares = [round(top - (top - 0.55) * math.exp(-i), 2) for i in range(4)]
        write_curve(folder / "curves" / run, "dev/accuracy", shares, every=20)
        write_curve(folder / "curves" / run, "dev/pairs", [100.0] * 4, every=20)


def write_rollouts(folder: Path) -> None:
    """Sampled groups as GRPO keeps them: a training that learns, and one in which all replies earn the same."""
    dice = random.Random(3)
    pairs = training_pairs(Split.TRAIN, 80, seed=1)
    for run, terms in {"grpo-full": ("verdict",), "grpo-cold_start": ("answer", "format")}.items():
        groups = []
        for step in range(0, 60, 10):
            for pair in dice.sample(pairs, 2):
                comparison = show(pair, dice.choice(list(Side)))
                right = [run == "grpo-full" and dice.random() < 0.3 + step / 80 for _ in range(6)]
                groups.append(rollout_group(step, comparison, right, terms))
        write_records(folder / "curves" / run / "rollout_samples.jsonl", groups)


def rollout_group(step: int, comparison: Comparison, right: list[bool], terms: tuple[str, ...]) -> RolloutGroup:
    """Replies of which those that are not right name the worse answer, or none where the terms are two."""
    rollouts = []
    for at in right:
        side = comparison.better if at else comparison.better.other
        readable = at or len(terms) == 1
        written = traces.careful_analysis(comparison.prompt[-1].content, comparison.response_a, comparison.response_b)
        analysis = written.text(PromptVariant.FULL)
        text = analysis + traces.answer_tag(side) if readable else analysis
        finish = Finish.STOP if readable else Finish.LENGTH
        rollouts.append(
            Rollout(
                better=comparison.better, finish=finish, after_verdict=" and so on" if at else "",
                reply=made_up_reply(text).model_copy(update={"finish": finish}),
                verdict=side if readable else None, unreadable=None if readable else "truncated",
                terms=dict.fromkeys(terms, float(at)), reward=float(at), advantage=at - sum(right) / len(right),
            )
        )  # fmt: skip
    has_signal = len(set(right)) > 1
    return RolloutGroup(step=step, comparison=comparison, has_signal=has_signal, rollouts=tuple(rollouts))


def write_curve(folder: Path, name: str, values: list[float], every: int = 1) -> None:
    """One metric in DVCLive's layout, one value for each `every` steps."""
    lines = [f"step\t{name.rpartition('/')[2]}", *(f"{every * at}\t{value}" for at, value in enumerate(values))]
    write_text(folder / "plots" / "metrics" / "train" / f"{name}.tsv", "\n".join(lines) + "\n")


def write_scores(folder: Path) -> None:
    """Score files by the stage `score` itself."""
    params = ScoreParams.model_validate({
        "models": list(JUDGES), "headline": list(PARTS), "unreadable": "benchmark", "resamples": 100, "seed": 0,
        "prices": {},
    })  # fmt: skip
    items = read_items(folder / "benchmarks")
    judged = {model: read_judged_items(folder / "judgments" / model, items) for model in JUDGES}
    for model, card in score_judges(judged, params.settings()).items():
        budgets = {} if model == "scalar_rm" else {"token_budgets": made_up_budgets(card)}
        write_json(folder / "scores" / f"{model}.json", card | budgets)


def made_up_budgets(card: dict[str, Any]) -> dict[str, Any]:
    """Accuracy within token budgets: the less a judge may write, the nearer to chance."""
    return {
        str(tokens): {"accuracy": 0.5 + (card["accuracy"] - 0.5) * share, "n": card["n"],
                      "ci95": [0.5 + (bound - 0.5) * share for bound in card["ci95"]]}
        for tokens, share in BUDGETS.items()
    }  # fmt: skip


def write_run(folder: Path) -> None:
    """Write the outputs of a made-up run below `folder`."""
    items = made_up_items()
    write_benchmarks(folder / "benchmarks", items.values(), DataSource.MINIATURE)
    write_judgments(folder, items)
    write_pairs_and_traces(folder)
    write_curves(folder)
    write_rollouts(folder)
    write_scores(folder)
    write_probes(folder)
    write_policy_scores(folder)
