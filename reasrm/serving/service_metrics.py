"""What a served judge counts, in Prometheus' text format (`GET /metrics`)."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from reasrm.records.judgment import ComparisonJudgment

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class ServiceMetrics:
    """The counters of one service."""

    def __init__(self) -> None:
        """All at zero, in a registry of their own."""
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "reasrm_requests", "Requests answered, by path and status.", ["path", "status"], registry=registry
        )
        self.seconds = Histogram(
            "reasrm_request_seconds",
            "Time from a request's head to its reply.",
            ["path"],
            buckets=SECONDS,
            registry=registry,
        )
        self.comparisons = Counter(
            "reasrm_comparisons",
            "Comparisons asked for: judged for it, or kept already.",
            ["source"],
            registry=registry,
        )
        self.batch_size = Histogram(
            "reasrm_batch_comparisons",
            "Comparisons judged in one call of the engine.",
            buckets=SIZES,
            registry=registry,
        )
        self.waiting = Gauge("reasrm_waiting_comparisons", "Comparisons in the queue.", registry=registry)
        self.unreadable = Counter(
            "reasrm_unreadable", "Comparisons judged without a verdict, by reason.", ["reason"], registry=registry
        )
        self.tokens = Counter(
            "reasrm_tokens", "Tokens of the judgments made: of prompts, of replies.", ["kind"], registry=registry
        )

    def count_judgment(self, judgment: ComparisonJudgment) -> None:
        """Count a new judgment's tokens, and why it names no answer."""
        cost = judgment.samples or judgment.reply
        self.tokens.labels("prompt").inc(cost.prompt_tokens if cost else 0)
        self.tokens.labels("completion").inc(cost.completion_tokens if cost else 0)
        if judgment.unreadable is not None:
            self.unreadable.labels(str(judgment.unreadable)).inc()

    def text(self) -> bytes:
        """All of them as they stand."""
        return generate_latest(self._registry)
