"""One comparison that a benchmark asks for, with what its score needs to know."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from reasrm.records.pair import PreferencePair


class BenchmarkItem(BaseModel):
    """A pair of a benchmark. The same pair may be several items (RMB's best-of-N repeats pairs)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    benchmark: str
    """A name of `reasrm.benchmarks.registry`."""
    item_id: str
    """Unique within the benchmark; made of the benchmark's own keys."""
    group: str
    """Items of one group depend on each other (same prompt): the unit of the cluster bootstrap."""
    pair: PreferencePair
    keys: dict[str, str | int]
    """The benchmark's own keys of this item (subset, domain, styles, category, loser, ...)."""
