"""Stages on workers that buy replies: each clone has a ledger of its own, so a place for all of them must be named."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from flows.running.stage_outcome import FlowError
from flows.settings.profile import PARAMS
from reasrm.runtime.kept_folders import LEDGERS, LEDGERS_VARIABLE
from reasrm.runtime.yaml_files import read_yaml

API = "api"
"""The engine of judges that a service answers for."""
WITH_JUDGES = frozenset({"judge", "probe", "policy", "hard_cases", "contested"})


def require_shared_ledgers(root: Path, stages: Iterable[str], *, for_worker: bool = False) -> None:
    """Do nothing if no stage would buy what is bought already.

    A worker that buys needs REASRM_LEDGERS: without it, whichever clone runs the stage next asks all of it again. A run
    that hands such stages out needs it only where its own checkout has ledgers of them.

    Args:
        root: the clone or checkout.
        stages: those that run.
        for_worker: whether they run here.

    Raises:
        FlowError: one would; says which, and what to do.
    """
    if os.environ.get(LEDGERS_VARIABLE):
        return
    buying = buying_stages(read_yaml(root / PARAMS), stages)
    own = [name for name in buying if _has_ledger(root, name)]
    if own or (buying and for_worker):
        reason = (
            f"holds replies of {', '.join(own)}" if own else f"would hold replies of {', '.join(buying)} for itself"
        )
        raise FlowError(
            f"{root / LEDGERS} {reason}, and other clones would buy them again: set {LEDGERS_VARIABLE} to one place of "
            f"all machines, here and where workers are started, and copy {LEDGERS}/ there"
        )


def _has_ledger(root: Path, stage: str) -> bool:
    """Whether the checkout's own folder has replies of a stage, or of all its variants together (relabel)."""
    names = (stage.replace("@", "-"), stage.partition("@")[0])
    return any((root / LEDGERS / f"{name}.jsonl").exists() for name in names)


def buying_stages(params: dict[str, Any], stages: Iterable[str]) -> list[str]:
    """Those of the stages whose replies cost money, by name.

    Args:
        params: params.yaml.
        stages: names as in dvc.yaml.
    """
    judges = [params.get("judge", {}), *params.get("judge_variants", {}).values()]
    distilling = params.get("distill_traces", {})
    buys = dict.fromkeys(WITH_JUDGES, any(one.get("engine") == API for one in judges)) | {
        "distill_traces": distilling.get("source") == "oracle" and distilling.get("endpoint") != "local",
        "relabel": not params.get("relabel", {}).get("local", True),
    }
    return sorted(name for name in stages if buys.get(name.partition("@")[0], False))
