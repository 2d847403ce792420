"""Whether a judge takes the champion's place: by the lower end of the paired interval, never by the figure alone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flows.dvc_graph import LOCK_FILE, read_pipeline, read_status
from flows.git import changed_files, commit_of
from flows.nights.champion import (
    BENCHMARKS,
    CHAMPION,
    VERSION,
    Champion,
    JudgedModel,
    judged_model,
    sha256,
)
from flows.nights.comparison import Judged, figures, gain, gain_over
from flows.nights.stored_outputs import Lock, StoredOutput
from flows.running.stage_outcome import FlowError
from flows.settings.profile import PARAMS
from reasrm.runtime.yaml_files import YamlError, parse_yaml

AGAINST_CHAMPION = "champion"


@dataclass(frozen=True)
class Rule:
    """Who is compared with whom, and what is enough."""

    model: str
    against: str = AGAINST_CHAMPION
    """The champion, or the name of a judged model of the workspace."""
    min_gain: float = 0.0
    """Points that the lower end of the gain's 95 % interval must exceed."""


@dataclass(frozen=True)
class Decision:
    """What the gate says."""

    rule: Rule
    old: Champion | None
    """The champion before it."""
    new: Champion | None
    """The champion from now on, if the model was promoted."""
    rejudged: Champion | None
    """The same champion with its judgments of the present questions, if it stays and was compared by them."""
    why: str
    gain: dict[str, Any] | None
    """As `flows.nights.comparison.gain` has it; None for the first champion."""
    lock: bytes
    """The dvc.lock that it is about."""

    @property
    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "promoted": self.new is not None,
            "model": self.rule.model,
            "against": None if self.gain is None else other_name(self.rule, self.old),
            "min_gain": self.rule.min_gain,
            "why": self.why,
            "gain": self.gain,
            "champion": (self.new or self.old or Champion({"model": None})).document["model"],
        }


def decide(root: Path, rule: Rule, old: Champion | None) -> Decision:
    """Compare; nothing is written.

    Args:
        root: the project, in which no run is alive.
        rule: of the promotion.
        old: the present champion.

    Raises:
        FlowError: the model was not judged, or is out of date; the two cannot be compared.
    """
    params, lock_bytes, params_bytes = read_params(root), _bytes(root / LOCK_FILE), _bytes(root / PARAMS)
    lock = Lock(lock_bytes.decode("utf-8"))
    new = judged_model(lock, params, rule.model)
    require_up_to_date(root, lock, [new.judgments])
    judged = _judged(root, new)
    compared: dict[str, Any] | None = None
    other: JudgedModel | None = None
    if rule.against != AGAINST_CHAMPION:
        other = judged_model(lock, params, rule.against)
        require_champions(old, other)
        require_up_to_date(root, lock, [other.judgments])
        compared = gain(root, params, judged, _judged(root, other))
    elif old is not None:
        compared = gain_over(root, params, judged, new.benchmarks, old)
    promoted = compared is None or 100 * compared["ci95"][0] > rule.min_gain
    why = _why(rule, old, compared, promoted=promoted)
    measured = figures(root, params, judged) if compared is None else _own(compared)
    pointer = None
    if promoted:
        pointer = Champion(
            {
                "version": VERSION,
                "model": rule.model,
                "promoted": _now(),
                "why": why,
                "commit": commit_of(root, "HEAD"),
                "uncommitted": changed_files(root, (LOCK_FILE, CHAMPION)) if commit_of(root, "HEAD") else [],
                "dvc_lock_sha256": sha256(lock_bytes),
                "params_sha256": sha256(params_bytes),
                "checkpoint": vars(new.checkpoint) if new.checkpoint else None,
                "judgments": vars(new.judgments),
                "benchmarks": vars(new.benchmarks),
                "figures": measured,
                "against": _against(rule, old) if compared else None,
                "gain": compared and {key: compared[key] for key in ("value", "ci95", "p", "questions", "headline")},
                "min_gain": rule.min_gain,
            }
        )
    rejudged = None
    if old is not None and other is not None and compared is not None and not promoted:
        rejudged = _rejudged(old, other, compared)
    return Decision(rule, old, pointer, rejudged, why, compared, lock_bytes)


def _rejudged(old: Champion, other: JudgedModel, compared: dict[str, Any]) -> Champion:
    """The champion as it is judged on the present questions."""
    now = {
        "rejudged": _now(),
        "judgments": vars(other.judgments),
        "benchmarks": vars(other.benchmarks),
        "figures": {**compared["other"], "questions": compared["questions"]},
    }
    return Champion(old.document | now)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def require_champions(old: Champion | None, other: JudgedModel) -> None:
    """Do nothing if `other` stands for the champion: nobody takes its place by winning against somebody else.

    Raises:
        FlowError: there is a champion, and `other` has not its checkpoint.
    """
    if old is None:
        return
    checkpoint = old.checkpoint
    if checkpoint is None or other.checkpoint is None or other.checkpoint.md5 != checkpoint.md5:
        raise FlowError(
            f"{other.model} has not the checkpoint of the champion {old.model} (promoted {old.promoted}), so a gain "
            f"over it says nothing of the champion: leave --against out, or judge the champion's checkpoint "
            f"({checkpoint.md5 if checkpoint else 'it has none'}) as a variant of `judge_variants` and name that"
        )


def require_up_to_date(root: Path, lock: Lock, outputs: list[StoredOutput]) -> None:
    """Do nothing if these outputs are what the present code, settings and data make.

    Raises:
        FlowError: one is not, or a stage above it.
    """
    pipeline = read_pipeline(root)
    makers = {lock.maker_of(one.path) or "" for one in outputs}
    if gone := makers - pipeline.stages.keys():
        raise FlowError(
            f"dvc.yaml with params.yaml has no {', '.join(gone)} any more, which dvc.lock has: name another"
        )
    stale = pipeline.above(makers) & read_status(root).keys()
    if stale:
        changed = ", ".join(sorted(stale))
        raise FlowError(f"{min(makers)} is not up to date ({changed} changed): `reasrm run --to {min(makers)}` first")


def read_params(root: Path) -> dict[str, Any]:
    """The document of params.yaml.

    Raises:
        FlowError: it is missing or no YAML.
    """
    try:
        return dict(parse_yaml(_bytes(root / PARAMS).decode("utf-8"), PARAMS) or {})
    except YamlError as error:
        raise FlowError(str(error)) from error


def other_name(rule: Rule, old: Champion | None) -> str | None:
    """Whom the model is compared with."""
    if rule.against != AGAINST_CHAMPION:
        return rule.against
    return None if old is None else old.model


def _against(rule: Rule, old: Champion | None) -> dict[str, Any]:
    """What the pointer keeps of the one that was beaten."""
    if rule.against != AGAINST_CHAMPION or old is None:
        return {"model": rule.against}
    return {"model": old.model, "promoted": old.promoted, "judgments": vars(old.judgments)}


def _own(compared: dict[str, Any]) -> dict[str, Any]:
    """The winner's figures as the pointer keeps them."""
    return {**compared["candidate"], "questions": compared["questions"]}


def _why(rule: Rule, old: Champion | None, compared: dict[str, Any] | None, *, promoted: bool) -> str:
    if compared is None:
        return "there was no champion before, so the first one has the place without a comparison"
    low, high = (100 * bound for bound in compared["ci95"])
    found = (
        f"gain over {other_name(rule, old)}: {100 * compared['value']:+.2f} points, 95 % [{low:+.2f}, {high:+.2f}], on "
        f"{compared['questions']:,} questions"
    )
    relation = "exceeds" if promoted else "does not exceed"
    return f"{found}: the lower end {relation} {rule.min_gain:g}"


def _judged(root: Path, one: JudgedModel) -> Judged:
    return Judged(root / one.judgments.path, root / BENCHMARKS)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise FlowError(f"{path} is not there: `reasrm run` first") from error
