"""What a run says on the terminal: its live line, why it stopped for the budget, what is still to come, what it did."""

from typing import Any

from reasrm.distillation.cost_estimate import CostEstimate
from reasrm.distillation.rate_control.admission_control import AdmissionControl, WaitReason
from reasrm.distillation.run_statistics import RunStatistics
from reasrm.distillation.traces import PassTotals
from reasrm.records.trace import TraceOutcome

FINGERPRINT_EXEMPT = "it words what a run says on the terminal"

SHOWN_WAIT_SECONDS = 2.0
"""A shorter wait for the rate is how a run keeps to its limit, not what delays it."""
UNKNOWN_COST = "cost unknown"


def live_line(
    total: int, answered_before: int, statistics: RunStatistics, admission: AdmissionControl, *, priced: bool
) -> str:
    """One line on how far a run is, how fast, and what it waits for; `priced` if the oracle's prices are known."""
    done = answered_before + statistics.outcomes.total()
    settled = max(1, statistics.outcomes.total())
    ok = statistics.outcomes[TraceOutcome.OK]
    rate = statistics.replies_per_second
    limit = admission.rate_limiter.requests_per_second
    parts = [
        f"{done}/{total}",
        f"ok {100 * ok / settled:.0f}%",
        f"right {100 * statistics.agreed / max(1, ok):.0f}%",
        f"{admission.in_flight} in flight",
        f"{rate:.1f}/s" + (f" of {limit:.{0 if limit >= 1 else 3}f}/s" if limit else ""),
        *(f"{count} {error_kind}" for error_kind, count in sorted(statistics.errors.items())),
        _spend(admission) if priced and not statistics.unpriced else UNKNOWN_COST,
    ]
    waits = _waits_for(admission)
    if waits:
        parts.append(waits)
    elif rate:
        parts.append(f"{(total - done) / rate:.0f} s left")
    return ", ".join(parts)


def _spend(admission: AdmissionControl) -> str:
    budget = admission.budget
    return f"${budget.spent_usd:.2f}" + (f" of ${budget.limit_usd:.2f}" if budget.limit_usd is not None else "")


def _waits_for(admission: AdmissionControl) -> str:
    """Why nothing goes out, if it lasts; empty if all is well."""
    if admission.stopped is not None:
        count = admission.in_flight
        paid = f": waiting for the {count} replies in flight, which are paid for" if count else ""
        return f"stopping ({admission.stopped}){paid}"
    if admission.waiting in (WaitReason.NOTHING, WaitReason.REPLIES):
        return ""
    if admission.waiting is WaitReason.BUDGET:
        return f"waiting for {admission.waiting}"
    seconds = max(admission.rate_limiter.seconds_until_free(), admission.breaker.seconds_until_probe)
    if admission.waiting is WaitReason.RATE and seconds < SHOWN_WAIT_SECONDS:
        return ""
    return f"waiting for {admission.waiting}" + (f" ({seconds:.0f} s)" if seconds else "")


def budget_message(estimate: CostEstimate, limit_usd: float, rest_usd: float, next_usd: float) -> str:
    """What of a budget is spent, on what, and what the rest may cost.

    Args:
        estimate: of the questions, with what was possibly billed and what the other pass cost.
        limit_usd: the budget.
        rest_usd: what the questions that are left are expected to cost.
        next_usd: what the next request may cost.
    """
    other, lost = estimate.other_pass_usd, estimate.possibly_billed_usd
    parts = [f"{dollars(other)} by the other pass"] if other else []
    if lost:
        parts.append(f"{dollars(lost)} at most for {estimate.possibly_billed} attempts without a reply")
    breakdown = f" ({', '.join(parts)})" if parts else ""
    return (
        f"{dollars(estimate.counted_usd)} of the {dollars(limit_usd)} that these questions may cost in all runs are "
        f"spent{breakdown}, the next request may cost {dollars(next_usd)}; the {estimate.to_ask} of "
        f"{estimate.questions} questions of this pass that are left are estimated at {dollars(rest_usd)} more"
    )


def estimate_message(expected: dict[str, Any]) -> str:
    """What `CostEstimate.expected` says, as a sentence."""
    about = f", about {dollars(expected['usd'])} at the mean length so far" if expected["answered"] else ""
    return (
        f"{expected['to_ask']} of {expected['questions']} questions still to ask in {expected['requests']} requests: "
        f"at most {dollars(expected['at_most_usd'])}, if each reply is as long as the token limit{about}; prices as of "
        f"{expected['prices_as_of']}; {dollars(expected['spent_usd'])} spent so far"
    )


def pass_message(totals: PassTotals, possibly_billed: int, *, free: bool) -> str:
    """What a pass came to, with what a reader has to know beyond the counts; `free` if nobody is paid for it."""
    share = f", {totals.right / totals.asked:.1%} right" if totals.asked else ""
    cost = UNKNOWN_COST if totals.unpriced else f"{'would cost ' if free else ''}${totals.usd:.2f}"
    lost = f", at most {possibly_billed} more may have been billed" if possibly_billed else ""
    message = f"{totals.asked} pairs asked{share}, {totals.replies} replies, {cost}{lost}"
    if totals.of_other_models:
        others = ", ".join(f"{count} by {name}" for name, count in sorted(totals.of_other_models.items()))
        message += f"; WARNING: replies were not given by the model that was asked: {others}"
    if totals.at_other_prices:
        message += f"; {totals.at_other_prices} of {totals.replies} replies were paid at other prices than today's"
    return message


def dollars(amount: float) -> str:
    """Dollars with as many digits as matter."""
    return f"${amount:.2f}" if amount >= 10 else f"${amount:.4f}"
