"""The most memory that a stage holds on one device, as phases of which each holds some parts; in bytes."""

from collections.abc import Mapping
from dataclasses import dataclass

Parts = Mapping[str, float]
"""Bytes by what they are for."""


@dataclass(frozen=True, slots=True)
class MemoryNeed:
    """What a stage holds on each device in each of its phases."""

    phases: Mapping[str, Parts]

    @property
    def largest(self) -> str:
        """The phase that holds most."""
        return max(self.phases, key=lambda phase: sum(self.phases[phase].values()))

    @property
    def parts(self) -> Parts:
        """What that phase holds, the largest first; parts of no bytes are left out."""
        parts = self.phases[self.largest]
        return {name: size for name, size in sorted(parts.items(), key=lambda part: -part[1]) if size}

    @property
    def peak(self) -> float:
        """Bytes."""
        return sum(self.parts.values())
