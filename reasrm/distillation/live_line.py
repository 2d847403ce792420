"""The live line of an online run: how far it is, how fast, what it costs, and what it waits for."""

from reasrm.distillation.rate_control.admission_control import Gate, Waiting
from reasrm.distillation.run_statistics import Accounts
from reasrm.records.trace import TraceOutcome

WORTH_SAYING_SECONDS = 2.0
"""A shorter wait for the pace is how a run keeps to its limit, not what holds it up."""


def live_line(total: int, answered_before: int, accounts: Accounts, gate: Gate) -> str:
    """One line on how far a run is, how fast, and what it waits for."""
    done = answered_before + accounts.outcomes.total()
    settled = max(1, accounts.outcomes.total())
    ok = accounts.outcomes[TraceOutcome.OK]
    rate = accounts.replies_per_second
    limit = gate.pacer.requests_per_second
    budget = gate.budget
    parts = [
        f"{done}/{total}",
        f"ok {100 * ok / settled:.0f}%",
        f"right {100 * accounts.agreed / max(1, ok):.0f}%",
        f"{gate.in_flight} in flight",
        f"{rate:.1f}/s" + (f" of {limit:.{0 if limit >= 1 else 3}f}/s" if limit else ""),
        *(f"{count} {error_kind}" for error_kind, count in sorted(accounts.errors.items())),
        f"${budget.spent_usd:.2f}" + (f" of ${budget.limit_usd:.2f}" if budget.limit_usd is not None else ""),
    ]
    waits = _waits_for(gate)
    if waits:
        parts.append(waits)
    elif rate:
        parts.append(f"{(total - done) / rate:.0f} s left")
    return ", ".join(parts)


def _waits_for(gate: Gate) -> str:
    """Why nothing goes out, if it lasts; empty if all is well."""
    if gate.stopped is not None:
        paid = f": waiting for the {gate.in_flight} replies in flight, which are paid for" if gate.in_flight else ""
        return f"stopping ({gate.stopped}){paid}"
    if gate.waiting in (Waiting.NOTHING, Waiting.REPLIES):
        return ""
    if gate.waiting is Waiting.BUDGET:
        return f"waiting for {gate.waiting}"
    seconds = max(gate.pacer.seconds_until_free(), gate.breaker.seconds_until_probe)
    if gate.waiting is Waiting.PACE and seconds < WORTH_SAYING_SECONDS:
        return ""
    return f"waiting for {gate.waiting}" + (f" ({seconds:.0f} s)" if seconds else "")
