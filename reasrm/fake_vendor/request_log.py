"""What the fake vendor remembers of each request: what was billed, what was delivered, when. Tests compare with it."""

from array import array
from collections import Counter
from typing import Any

from reasrm.fake_vendor.protocols import ParsedRequest
from reasrm.fake_vendor.settings import FakeVendorSettings


class RequestLog:
    """Counts of one server's life. A key is the hash of a request's body."""

    def __init__(self, settings: FakeVendorSettings) -> None:
        """Start empty; prices come from `settings`."""
        self._settings = settings
        self.requests = 0
        self.by_status: Counter[int] = Counter()
        self.billed: Counter[str] = Counter()
        self.lost: Counter[str] = Counter()
        """Billed and certainly not delivered: reset, hung, cut or broken after the work."""
        self.rejected: Counter[str] = Counter()
        self.sent: Counter[str] = Counter()
        self.usd = 0.0
        self.after_credit_stop = 0
        self.in_outage = 0
        self.in_flight = 0
        self.peak_in_flight = 0
        self.served_at = array("d")
        """Seconds since the first request at which each billed reply was done."""
        self.output_tokens = array("l")
        self.seconds_in_flight = 0.0
        self.batches_created = 0

    def bill(self, parsed: ParsedRequest, output_tokens: int, at: float, share: float = 1.0) -> None:
        """Put a reply on the bill; `share` is the discount's remainder (a batch costs half)."""
        self.billed[parsed.key] += 1
        self.usd += share * self._settings.usd(parsed.input_tokens, output_tokens)
        self.served_at.append(at)
        self.output_tokens.append(output_tokens)

    def steady_rates(self) -> dict[str, float]:
        """Replies and output tokens per second between the 10th and the 90th percentile of the replies."""
        count = len(self.served_at)
        order = sorted(range(count), key=self.served_at.__getitem__)
        low, high = count // 10, count * 9 // 10
        if high - low < 2:
            return {"replies": 0.0, "output_tokens": 0.0}
        seconds = self.served_at[order[high]] - self.served_at[order[low]]
        tokens = sum(self.output_tokens[order[place]] for place in range(low, high))
        return {"replies": (high - low) / seconds, "output_tokens": tokens / seconds}

    def summary(self) -> dict[str, Any]:
        """All figures, JSON-like."""
        again = {key: count for key, count in self.billed.items() if count > 1}
        return {
            "requests": self.requests,
            "by_status": {str(status): count for status, count in sorted(self.by_status.items())},
            "billed": self.billed.total(),
            "distinct_billed": len(self.billed),
            "billed_again": sum(again.values()) - len(again),
            "billed_lost": self.lost.total(),
            "rejected": self.rejected.total(),
            "rejected_sent_again": sum(self.sent[key] - 1 for key in self.rejected),
            "usd": self.usd,
            "after_credit_stop": self.after_credit_stop,
            "in_outage": self.in_outage,
            "in_flight": self.in_flight,
            "peak_in_flight": self.peak_in_flight,
            "mean_seconds": self.seconds_in_flight / max(1, self.requests - self.in_flight),
            "steady": self.steady_rates(),
            "last_served": self.served_at[-1] if self.served_at else 0.0,
            "batches_created": self.batches_created,
        }
