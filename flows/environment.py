"""The environment of stages and of Prefect: this virtual environment first, no telemetry, all files in the project."""

import json
import os
import sys
import tomllib
import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

from flows.outcome import FlowError

BUDGET_VARIABLE = "REASRM_BUDGET_USD"
"""What the present questions may cost at the oracle, in US dollars, all runs together; no parameter of a result."""
HOST = "127.0.0.1"
DEFAULT_PORT = 4200
PROBE_SECONDS = 5.0

QUIET = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "VLLM_NO_USAGE_STATS": "1",
}
ROOMY_HEAP = {"MALLOC_MMAP_THRESHOLD_": str(4 * 2**30), "MALLOC_TRIM_THRESHOLD_": str(8 * 2**30)}
"""glibc keeps freed tensors instead of handing their pages back and faulting them in anew: two trainings side by side
on two cores took 37 instead of 46 seconds. No result depends on it."""
PREFECT = {
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "300",
}


def stage_environment(gpus: tuple[str, ...] = (), budget_usd: float | None = None) -> dict[str, str]:
    """The environment in which DVC runs a stage: what the user set wins, except for the interpreter.

    Args:
        gpus: the CUDA devices that the stage got, if this machine has any.
        budget_usd: what the present questions may cost at the oracle.
    """
    chosen = {"PYTHONUNBUFFERED": "1", "TOKENIZERS_PARALLELISM": "false", **QUIET}
    if not gpus:
        chosen |= ROOMY_HEAP | {"OMP_NUM_THREADS": "1"}
    environment = chosen | dict(os.environ)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # every stage would compile torch and transformers anew
    environment["PATH"] = os.pathsep.join([str(Path(sys.prefix, "bin")), environment.get("PATH", os.defpath)])
    if gpus:
        environment["CUDA_VISIBLE_DEVICES"] = ",".join(gpus)
    if budget_usd is not None:
        environment[BUDGET_VARIABLE] = str(budget_usd)
    return environment


def prepare_prefect(root: Path, api_url: str | None) -> None:
    """Set what Prefect reads when it is imported; call it before. A variable that the user set stays.

    Args:
        root: the project, whose `.prefect` holds Prefect's own files.
        api_url: the server to report to; None lets Prefect start one for this run alone.
    """
    home = os.environ.get("PREFECT_HOME", str(root / ".prefect"))
    own = {"PREFECT_HOME": home, "PREFECT_SERVER_MEMO_STORE_PATH": str(Path(home, "memo_store.toml"))}
    for name, value in {**QUIET, **PREFECT, **own}.items():
        os.environ.setdefault(name, value)
    if api_url is not None:
        os.environ["PREFECT_API_URL"] = api_url


def server_port() -> int:
    """The port of this machine's Prefect server: `PREFECT_SERVER_API_PORT`, or 4200."""
    return int(os.environ.get("PREFECT_SERVER_API_PORT", DEFAULT_PORT))


def find_server() -> str | None:
    """The API address of the Prefect server to report to, or None if there is none.

    One that the user named (`PREFECT_API_URL`, or the active profile of a `PREFECT_HOME` of theirs) is taken; else the
    server that `reasrm ui` starts, if it answers.

    Raises:
        FlowError: the named server does not answer.
    """
    named = os.environ.get("PREFECT_API_URL") or _profile_url()
    url = named or f"http://{HOST}:{server_port()}/api"
    if is_healthy(url):
        return url
    if named:
        raise FlowError(
            f"PREFECT_API_URL is {named}, but no Prefect server answers there: start it (`reasrm ui`), or unset "
            f"the variable"
        )
    return None


def is_healthy(api_url: str) -> bool:
    """Whether a Prefect server answers at `api_url`; one elsewhere may answer that it wants a key first."""
    local = urlsplit(api_url).hostname in {HOST, "localhost", "::1"}
    opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if local else []))
    try:
        with opener.open(f"{api_url}/health", timeout=PROBE_SECONDS) as reply:
            return json.load(reply) is True
    except urllib.error.HTTPError as refusal:
        return not local and refusal.code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    except (OSError, ValueError):
        return False


def _profile_url(environment: Mapping[str, str] = os.environ) -> str | None:
    """`PREFECT_API_URL` in the active profile of the user's own Prefect home, if they set one."""
    home = environment.get("PREFECT_HOME")
    path = Path(home or "", "profiles.toml")
    if not home or not path.is_file():
        return None
    profiles = tomllib.loads(path.read_text(encoding="utf-8"))
    active = environment.get("PREFECT_PROFILE") or profiles.get("active")
    found = profiles.get("profiles", {}).get(active, {}).get("PREFECT_API_URL")
    return str(found) if found else None
