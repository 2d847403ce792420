"""The runs behind the bars of `oracle_bars.py`: the oracle command against a local server with planted faults.

Each function runs one scenario with one vendor's protocol and returns its figures. Every figure comes from outside the
client: what the server counted, the process's own resource usage, the output file.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from oracle_runs import FakeVendorSettings, command, fresh, local_oracle, make_pairs, measure, outcomes, request_log

VENDORS = ("anthropic", "openai", "openai_responses")
RPM = 3000
CLEAN: dict[str, Any] = {"requests_per_minute": RPM, "latency_seconds": 0.5}
FAULTS = {
    "overloaded": 0.03, "server_error": 0.01, "reset": 0.01, "reset_billed": 0.004, "hang": 0.003, "cut": 0.004,
    "bad_json": 0.004, "refusal": 0.01, "truncated": 0.01, "empty": 0.005, "invalid": 0.003,
}  # fmt: skip
IMPATIENT = ("--timeout-seconds", "5")
Row = dict[str, Any]


def steady(folder: Path, vendor: str) -> Row:
    """Share of the request limit in the steady state, and 429s, with the server's headers."""
    return _clean(folder, vendor, "steady", 1500, {}, ())


def output_limit(folder: Path, vendor: str) -> Row:
    """Share of Anthropic's output-token limit."""
    limits = {"requests_per_minute": 60_000, "output_tokens_per_minute": 900_000, "output_tokens": 600}
    row = _clean(folder, vendor, "output_limit", 900, limits, ())
    row["share_of_output_limit"] = round(row.pop("steady_output_tokens") / 15_000, 3)
    del row["share_of_limit"]
    return row


def no_headers(folder: Path, vendor: str) -> Row:
    """The server tells no limit, and the declared one is twice too high."""
    return _clean(folder, vendor, "no_headers", 1500, {"limit_headers": False}, ("--declared-rpm", str(2 * RPM)))


def _clean(folder: Path, vendor: str, name: str, count: int, limits: Row, more: tuple[str, ...]) -> Row:
    with local_oracle(FakeVendorSettings(**{**CLEAN, **limits})) as url:
        out = fresh(folder, f"{name}-{vendor}")
        run = measure(command(vendor, make_pairs(folder, count), out, *more), url)
        log = request_log(url)
    return {
        "status": run.status,
        "n": count,
        "share_of_limit": round(log["steady"]["replies"] / (RPM / 60), 3),
        "steady_output_tokens": round(log["steady"]["output_tokens"]),
        "429_per_reply": round(log["by_status"].get("429", 0) / log["billed"], 4),
        "unaccounted": count - outcomes(out).total(),
        "peak_in_flight_over_rate_times_latency": round(
            log["peak_in_flight"] / (log["steady"]["replies"] * log["mean_seconds"]), 2
        ),
        "seconds_of_replies": round(log["last_served"], 1),
        "cpu_seconds": round(run.cpu_seconds, 2),
        "peak_mb": round(run.peak_mb),
    }


def faults(folder: Path, vendor: str) -> Row:
    """All faults at once."""
    count = 1500
    with local_oracle(FakeVendorSettings(**CLEAN, faults=FAULTS)) as url:
        out = fresh(folder, f"faults-{vendor}")
        run = measure(command(vendor, make_pairs(folder, count), out, *IMPATIENT), url)
        log = request_log(url)
    return {
        "status": run.status,
        "n": count,
        "outcomes": dict(outcomes(out)),
        "unaccounted": count - outcomes(out).total(),
        "billed_undelivered": log["billed_lost"],
        "billed_twice": log["billed_again"],
        "billed_twice_over_undelivered": _ratio(log["billed_again"], log["billed_lost"]),
        "rejected": log["rejected"],
        "rejected_sent_again": log["rejected_sent_again"],
        "429_per_reply": round(log["by_status"].get("429", 0) / log["billed"], 4),
        "seconds_of_replies": round(log["last_served"], 1),
    }


def kill(folder: Path, vendor: str) -> Row:
    """A kill -9 of the client in the middle, then the same command again."""
    count = 1200
    with local_oracle(FakeVendorSettings(**CLEAN)) as url:
        out = fresh(folder, f"kill-{vendor}")
        arguments = command(vendor, make_pairs(folder, count), out)
        killed = measure(arguments, url, kill_after_replies=count // 2)
        in_flight = unanswered(out.with_name(f"{out.name}.ledger.jsonl"))
        before = request_log(url)["billed"]
        again = measure(arguments, url)
        log = request_log(url)
    return {
        "status": [killed.status, again.status],
        "n": count,
        "billed_before": before,
        "in_flight_at_kill": in_flight,
        "possibly_billed_by_the_summary": json.loads(out.with_suffix(".summary.json").read_text())["possibly_billed"],
        "billed_twice": log["billed_again"],
        "billed_twice_over_in_flight": _ratio(log["billed_again"], in_flight),
        "unaccounted": count - outcomes(out).total(),
    }


def _ratio(part: float, whole: float) -> float:
    return round(part / whole, 3) if whole else float(part)


def unanswered(ledger: Path) -> int:
    """Requests whose last ledger entry is that they were sent: what was in flight when the client died."""
    last: dict[str, str] = {}
    for line in ledger.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            entry = json.loads(line)
            last[entry["key"]] = entry["state"]
    return sum(state == "sent" for state in last.values())


def lost_batch(folder: Path, vendor: str) -> Row:
    """The reply to the creation of a batch is lost."""
    count = 300
    errors = {"lost_batch_creates": 1, "batch_seconds": 1, "batch_errored": 0.02, "batch_expired": 0.02}
    with local_oracle(FakeVendorSettings(**CLEAN, **errors)) as url:
        out = fresh(folder, f"lost_batch-{vendor}")
        run = measure(command(vendor, make_pairs(folder, count), out, "--batch", "--poll-seconds", "1"), url)
        log = request_log(url)
    return {
        "status": run.status,
        "n": count,
        "batches": log["batches_created"],
        "billed_twice": log["billed_again"],
        "unaccounted": count - outcomes(out).total(),
    }


def outage(folder: Path, vendor: str) -> Row:
    """Everything is answered 529 (or 503) for some seconds."""
    count, start, length = 1500, 6.0, 8.0
    with local_oracle(FakeVendorSettings(**CLEAN, outages=[(start, start + length)])) as url:
        out = fresh(folder, f"outage-{vendor}")
        run = measure(command(vendor, make_pairs(folder, count), out), url)
        log = request_log(url)
    return {
        "status": run.status,
        "n": count,
        "requests_in_outage": log["in_outage"],
        "over_rate_times_length": round(log["in_outage"] / (RPM / 60 * length), 3),
        "unaccounted": count - outcomes(out).total(),
        "not_ok": count - outcomes(out)["ok"],
        "seconds_of_replies": round(log["last_served"], 1),
    }


def credit(folder: Path, vendor: str) -> Row:
    """The account's money runs out in the middle."""
    with local_oracle(FakeVendorSettings(**CLEAN, credit_usd=1.0)) as url:
        out = fresh(folder, f"credit-{vendor}")
        run = measure(command(vendor, make_pairs(folder, 1200), out), url)
        log = request_log(url)
    return {
        "status": run.status,
        "requests_after_stop": log["after_credit_stop"],
        "peak_in_flight": log["peak_in_flight"],
        "after_stop_over_in_flight": _ratio(log["after_credit_stop"], log["peak_in_flight"]),
        "billed": log["billed"],
    }


def budget(folder: Path, vendor: str) -> Row:
    """A budget that is too small for all."""
    limit = 1.0
    with local_oracle(FakeVendorSettings(**CLEAN)) as url:
        out = fresh(folder, f"budget-{vendor}")
        run = measure(command(vendor, make_pairs(folder, 1200), out, "--budget-usd", str(limit)), url)
        log = request_log(url)
    overshoot = max(0.0, log["usd"] / limit - 1)
    return {"status": run.status, "budget": limit, "billed_usd": round(log["usd"], 4), "overshoot": overshoot}


def large(folder: Path, vendor: str, count: int = 10_000) -> Row:
    """CPU and memory at many requests."""
    with local_oracle(FakeVendorSettings(requests_per_minute=60_000, latency_seconds=0.1)) as url:
        out = fresh(folder, f"large-{count}-{vendor}")
        run = measure(command(vendor, make_pairs(folder, count), out, "--most-in-flight", "64"), url)
        log = request_log(url)
    return {
        "status": run.status,
        "n": count,
        "cpu_seconds_per_1000": round(run.cpu_seconds / count * 1000, 2),
        "peak_mb": round(run.peak_mb),
        "wall_seconds": round(run.wall_seconds, 1),
        "billed": log["billed"],
        "unaccounted": count - outcomes(out).total(),
    }


def larger(folder: Path, vendor: str) -> Row:
    """Memory at ten times as many."""
    return large(folder, vendor, 100_000)


SCENARIOS: dict[str, tuple[Callable[[Path, str], Row], tuple[str, ...]]] = {
    "steady": (steady, VENDORS),
    "output_limit": (output_limit, ("anthropic",)),
    "no_headers": (no_headers, VENDORS),
    "faults": (faults, VENDORS),
    "kill": (kill, VENDORS),
    "lost_batch": (lost_batch, VENDORS),
    "outage": (outage, VENDORS),
    "credit": (credit, VENDORS),
    "budget": (budget, VENDORS),
    "large": (large, VENDORS),
    "larger": (larger, ("anthropic",)),
}
