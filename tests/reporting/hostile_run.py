"""A made-up run whose every text tries to be more than text."""

import json
import shutil
from pathlib import Path
from typing import Any

from reasrm.records.benchmark_item import BenchmarkItem
from reasrm.records.jsonl import read_records, write_records
from reasrm.records.judgment import Judgment
from reasrm.records.pair import PreferencePair
from reasrm.records.rollout import RolloutGroup
from reasrm.records.trace import OracleTrace, RejectedTrace
from reasrm.reporting.run_settings import read_parameters
from reasrm.runtime.outputs import write_json
from stages.report import ReportParams
from tests.reporting.made_up_run import PARTS, made_up_reply, write_curve

HOSTILE = (
    "<script>window.pwned=1;alert(1)</script></style></title><style>*{display:none}</style>"
    "\"'><img src=x onerror=window.pwned=1><svg onload=window.pwned=1><iframe src=javascript:alert(2)></iframe>"
    "<a href='javascript:alert(3)'>{{ 7*7 }}{% raw %}$\\frac{1}{0}$<!-- ]]> &lt;script&gt; \u202egnp.exe\u200b\u2066"
    "<link rel=stylesheet href=http://127.0.0.1:9/x.css><meta http-equiv=refresh content='0;url=http://127.0.0.1:9'>"
    "--></text></svg><base href=javascript:alert(4)><form action=javascript:alert(5)><math><mi xlink:href=data:x>"
    "\x1b]0;owned\x07\x1b[2J\x9b31m\x08\x7f\r\x85\u2028\U000e0041\ufe0f\ufe0f"
)
"""Everything that a text could try, in one string."""


def poison(folder: Path) -> None:
    """Put hostile text into every field that comes from data or models."""
    items = poison_items(folder)
    poison_judgments(folder, items)
    poison_pairs_and_traces(folder)
    poison_scores(folder)
    poison_rollouts(folder)
    poison_probes(folder)
    poison_policies(folder)
    write_curve(folder / "curves" / HOSTILE.replace("/", "∕")[:80], "loss", [1.0, 0.5])


def poison_items(folder: Path) -> dict[str, str]:
    """Hostile questions, answers, ids and families; returns old ids to new."""
    renamed: dict[str, str] = {}
    for name in PARTS:
        file = folder / "benchmarks" / f"{name}.jsonl"
        items = []
        for item in read_records(file, BenchmarkItem):
            prompt = tuple(turn.model_copy(update={"content": turn.content + HOSTILE}) for turn in item.pair.prompt)
            texts = (item.pair.chosen + HOSTILE, HOSTILE + item.pair.rejected)
            pair = PreferencePair(prompt=prompt, chosen=texts[0], rejected=texts[1], source=HOSTILE)
            renamed[item.item_id] = item.item_id + HOSTILE
            keys = item.keys | {"family": HOSTILE, "slice": HOSTILE}
            items.append(item.model_copy(update={"pair": pair, "item_id": renamed[item.item_id], "keys": keys}))
        write_records(file, items)
    return renamed


def poison_judgments(folder: Path, renamed: dict[str, str]) -> None:
    """Hostile replies, quotations, rubrics and reasons."""
    poison = f"<rubric>{HOSTILE} 100</rubric><quote_A>{HOSTILE}</quote_A><quote_B>not {HOSTILE}</quote_B>"
    for file in (folder / "judgments").glob("*/*.jsonl"):
        judgments = []
        for judgment in read_records(file, Judgment):
            reply = None if judgment.reply is None else made_up_reply(poison + judgment.reply.text)
            update = {
                "item_id": renamed[judgment.item_id],
                "reply": reply,
                "unreadable": judgment.unreadable and HOSTILE,
            }
            judgments.append(judgment.model_copy(update=update))
        write_records(file, judgments)


def poison_pairs_and_traces(folder: Path) -> None:
    """Hostile sources, reasons and names of the oracle."""
    for name in ("distill", "reinforce", "dev"):
        file = folder / "pairs" / f"{name}.jsonl"
        pairs = [pair.model_copy(update={"source": HOSTILE}) for pair in read_records(file, PreferencePair)]
        write_records(file, pairs)
    write_records(folder / "pairs" / "rejected.jsonl", [{"reason": HOSTILE}])
    first = folder / "traces" / "first.jsonl"
    write_records(first, [row.model_copy(update={"model": HOSTILE}) for row in read_records(first, OracleTrace)])
    costs = {"input_tokens": 1, "output_tokens": 1, "usd": 1.0, "prices_as_of": HOSTILE}
    write_json(folder / "traces" / "first.metrics.json", costs)
    rejected = folder / "traces" / "rejected.jsonl"
    write_records(
        rejected, [row.model_copy(update={"reason": HOSTILE}) for row in read_records(rejected, RejectedTrace)]
    )


def poison_rollouts(folder: Path) -> None:
    """Hostile questions, answers, replies, reasons and names of reward terms."""
    for file in (folder / "curves").glob("*/rollout_samples.jsonl"):
        groups = []
        for group in read_records(file, RolloutGroup):
            shown, turn = group.comparison, group.comparison.prompt[-1]
            question = turn.model_copy(update={"content": HOSTILE + turn.content})
            answers = {"response_a": shown.response_a + HOSTILE, "response_b": HOSTILE + shown.response_b}
            rollouts = tuple(
                rollout.model_copy(
                    update={
                        "reply": made_up_reply(f"<rubric>{HOSTILE}<quote_A>{HOSTILE}</quote_A>{rollout.reply.text}"),
                        "after_verdict": HOSTILE,
                        "unreadable": rollout.unreadable and HOSTILE,
                        "terms": {HOSTILE: 1.0, "answer": 0.0},
                    }
                )
                for rollout in group.rollouts
            )
            comparison = shown.model_copy(update=answers | {"prompt": (*shown.prompt[:-1], question)})
            groups.append(group.model_copy(update={"comparison": comparison, "rollouts": rollouts}))
        write_records(file, groups)


def poison_scores(folder: Path) -> None:
    """Hostile names of families, sections and causes, and a model with a hostile name."""
    for file in (folder / "scores").glob("*.json"):
        card = json.loads(file.read_text(encoding="utf-8"))
        card["families"] = {HOSTILE: next(iter(card["families"].values()))}
        card["slices"] = {HOSTILE: next(iter(card["slices"].values()))}
        card["unreadable"] = {HOSTILE: 3}
        for one in card["benchmarks"].values():
            one["sections"] = {HOSTILE: next(iter(one["sections"].values()))}
            one["unreadable_rule"], one["sections_missing"], one["notes"] = HOSTILE, [HOSTILE], [HOSTILE]
        write_json(file, card)
    shutil.copy(folder / "scores" / "sft.json", folder / "scores" / "<b>x$y$.json")


def poison_probes(folder: Path) -> None:
    """Hostile names, titles, definitions, units and reasons of probes."""
    for file in (folder / "probes").glob("*/measures.json"):
        found = json.loads(file.read_text(encoding="utf-8"))
        for probed in found["probes"].values():
            probed |= {"title": HOSTILE, "question": HOSTILE, "source": HOSTILE}
            probed["refused"] = probed["refused"] and HOSTILE
            probed["unknown_words"] = 1
            for at, one in enumerate(probed["measures"]):
                one |= {"variant": one["variant"] and one["variant"] + HOSTILE, "unit": one["unit"] and HOSTILE}
                probed["measures"][at] = one
            probed["definitions"] = dict.fromkeys(probed["definitions"], HOSTILE)
        found["probes"][HOSTILE] = found["probes"]["order"]
        write_json(file, found)


def hostile_params() -> ReportParams:
    """Settings of the page with hostile texts."""
    given = ReportParams.load().model_dump(mode="json")
    given |= {"reply_sample": 60, "title": HOSTILE, "configuration": HOSTILE, "summary": HOSTILE}
    given |= {"notes": [HOSTILE], "slices": HOSTILE, "families": {HOSTILE: HOSTILE}}
    given["reference_run"] = {"date": HOSTILE, "hardware": HOSTILE, "seconds": 1, "note": HOSTILE}
    given["models"] = dict.fromkeys(given["models"], HOSTILE)
    given["reproduce"] = [{"does": HOSTILE, "command": HOSTILE}]
    return ReportParams.model_validate(given)


def hostile_parameters() -> dict[str, Any]:
    """Sections of params.yaml with hostile keys and values."""
    return read_parameters() | {"collect_pairs": {HOSTILE: HOSTILE}, "sft": {"texts": [HOSTILE]}}


def poison_policies(folder: Path) -> None:
    """Hostile names of arms, judges, schemes, tasks, phrases and patterns, and hostile reasons."""
    for name in ("measures", "curves"):
        file = folder / "policy_scores" / f"{name}.json"
        text = file.read_text(encoding="utf-8").replace('"scalar_rm"', json.dumps(HOSTILE))
        write_json(file, json.loads(text))
    file = folder / "policy_scores" / "measures.json"
    found = json.loads(file.read_text(encoding="utf-8"))
    found["phrases"], found["styles"] = {HOSTILE: HOSTILE}, {HOSTILE: HOSTILE}
    found["prompts"] |= {"by_task": {HOSTILE: 3}, "refusal_error": HOSTILE}
    for one in found["about"]:
        one |= {"title": HOSTILE, "definition": HOSTILE}
    for arm in found["arms"]:
        arm["gold_by_task"] = {HOSTILE: next(iter(arm["gold_by_task"].values()))}
        for seed in arm["seeds"]:
            seed["outcome"] |= {"stopped": HOSTILE, "scheme": HOSTILE, "judge": HOSTILE}
    write_json(file, found)
