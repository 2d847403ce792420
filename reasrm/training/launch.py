"""A training stage on several devices: it starts itself under `accelerate launch`, once per device.

The process that was asked for (`python -m stages.sft`) is the launcher: it holds the lock, starts the workers by
accelerate with the strategy's own file in `launch_configs/`, waits for them, and ends as they ended: with the summary
of the first worker, or with the reason and exit code of the first that failed. Workers run the stage's `main`; the
first alone writes outputs, curves and progress. A worker whose launcher is gone ends itself.

On several nodes the same command is started once on each, with the rendezvous in the environment: `NNODES`,
`NODE_RANK`, `MASTER_ADDR`, `MASTER_PORT`. The nodes share the project's folder; the first worker of the first node
writes.
"""

import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from reasrm.runtime.stage_main import ExitCode, StageError, failure_of, run_stage, set_environment
from reasrm.runtime.terminal import guard_streams
from reasrm.training.trainer_settings import LaunchSettings, Strategy, TrainerSettings

FINGERPRINTED_FILES = (
    "launch_configs/ddp.yaml",
    "launch_configs/fsdp2.yaml",
    "launch_configs/zero2.yaml",
    "launch_configs/zero3.yaml",
)
REPORTS = "REASRM_LAUNCH_REPORTS"
"""Environment variable of workers: the folder in which they leave how they ended."""
WATCH_SECONDS = 0.5
"""A worker looks so often whether its launcher lives."""


class LaunchError(StageError):
    """The workers cannot be started, or one ended without saying why."""


class WorkerError(StageError):
    """A worker ended with a reason, which is the text, and an exit code, which becomes the launcher's."""

    def __init__(self, reason: str, code: int) -> None:
        """End the launcher with `reason` and `code`."""
        super().__init__(reason)
        self.exit_code = ExitCode(code)


class Nodes(NamedTuple):
    """The machines of a launch and this one's place among them."""

    machines: int
    rank: int
    address: str
    """Of the first node, where all meet; empty on one machine."""
    port: str


def run_training_stage(name: str, load: Callable[[], TrainerSettings], main: Callable[[], str]) -> None:
    """Run a training stage's `main`, here or in as many workers as its settings say.

    Args:
        name: of the stage, with variant.
        load: reads the stage's parameters.
        main: trains and returns the summary line.
    """
    if REPORTS in os.environ:
        _work(main, Path(os.environ[REPORTS]))
        return

    def train() -> str:
        settings = load()
        return main() if settings.launch.strategy is Strategy.SINGLE else launch(settings)

    others = os.environ.get("NNODES", "1") != "1" and os.environ.get("NODE_RANK", "0") != "0"
    run_stage(f"{name}.node-{os.environ['NODE_RANK']}" if others else name, train)  # its own lock and line


def refuse_idle_gpus(settings: LaunchSettings, visible: int) -> None:
    """Do nothing unless a single process sees several GPUs, which transformers would use by nn.DataParallel.

    Raises:
        LaunchError: it does; says how to use all of them or one.
    """
    if settings.strategy is Strategy.SINGLE and visible > 1:
        raise LaunchError(
            f"{visible} GPUs are visible and `launch` says one process: set it to {{processes: {visible}, strategy: "
            f"ddp}} (with `reasrm run --gpus-per-stage {visible}`), or show one of them with CUDA_VISIBLE_DEVICES=0"
        )


def nodes_from_environment() -> Nodes:
    """The machines that the environment names; one where it names none.

    Raises:
        LaunchError: it names several and not how they meet.
    """
    said = {name: os.environ.get(name, "") for name in ("NNODES", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT")}
    if said["NNODES"] in {"", "1"}:
        return Nodes(1, 0, "", "")
    absent = [name for name, value in said.items() if not value]
    numbers = said["NNODES"].isdecimal() and said["NODE_RANK"].isdecimal() and said["MASTER_PORT"].isdecimal()
    if absent or not numbers or int(said["NODE_RANK"]) >= int(said["NNODES"]):
        shown = ", ".join(f"{name}={value}" for name, value in said.items())
        raise LaunchError(
            f"several nodes need NNODES, NODE_RANK (0 to NNODES - 1), MASTER_ADDR and MASTER_PORT in the environment; "
            f"there are {shown}"
        )
    return Nodes(int(said["NNODES"]), int(said["NODE_RANK"]), said["MASTER_ADDR"], said["MASTER_PORT"])


def launch(settings: TrainerSettings) -> str:
    """Start this program anew in the workers of this node and wait for them; the summary of the first.

    Raises:
        LaunchError: the strategy's library or a device is missing, or a worker ended without saying why.
        WorkerError: a worker ended with a reason.
        KeyboardInterrupt: the launcher was interrupted; the workers have ended.
    """
    from accelerate.commands.launch import launch_command, launch_command_parser
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    nodes = nodes_from_environment()
    _require_devices(settings.launch, nodes)
    arguments = launch_command_parser().parse_args(_arguments(settings, nodes))
    logging.disable(
        logging.ERROR
    )  # torch's launcher gives its own account of a failure: ours is told once, by the stage
    with tempfile.TemporaryDirectory(prefix="reasrm-launch-") as folder:
        os.environ[REPORTS] = folder
        try:
            launch_command(arguments)
        except ChildFailedError as error:
            _raise_first_failure(Path(folder), error)
        except SignalException as error:
            if error.sigval == signal.SIGINT:
                raise KeyboardInterrupt from error
            signal.signal(error.sigval, signal.SIG_DFL)
            os.kill(os.getpid(), error.sigval)
        finally:
            del os.environ[REPORTS]
            logging.disable(logging.NOTSET)
        first = Path(folder) / "0"
        return str(json.loads(first.read_text())["summary"]) if first.is_file() else f"worked as node {nodes.rank}"


def _arguments(settings: TrainerSettings, nodes: Nodes) -> list[str]:
    """What `accelerate launch` is called with; the program is the module that runs now."""
    config = Path(__file__).parent / "launch_configs" / f"{settings.launch.strategy}.yaml"
    program = sys.modules["__main__"].__spec__
    if program is None:
        raise LaunchError("a stage that is launched must be started as a module: `python -m stages.sft`")
    meeting = (
        ["--main_process_ip", nodes.address, "--main_process_port", nodes.port]
        if nodes.machines > 1
        else ["--main_process_port", "0"]
    )
    return [
        "--config_file", str(config),
        "--num_processes", str(settings.launch.processes),
        "--num_machines", str(nodes.machines),
        "--machine_rank", str(nodes.rank),
        *meeting,
        "--num_cpu_threads_per_process", str(settings.threads),
        "--module", program.name.removesuffix(".__main__"),
        *sys.argv[1:],
    ]  # fmt: skip


def _require_devices(wanted: LaunchSettings, nodes: Nodes) -> None:
    """Do nothing if this node has what its share of the workers needs.

    Raises:
        LaunchError: it has not; says what is missing.
    """
    if wanted.strategy in {Strategy.ZERO2, Strategy.ZERO3} and find_spec("deepspeed") is None:
        raise LaunchError(f"`strategy: {wanted.strategy}` needs the package deepspeed; `fsdp2` needs none")
    if wanted.processes % nodes.machines:
        raise LaunchError(f"launch.processes ({wanted.processes}) must be a multiple of the {nodes.machines} nodes")
    here, gpus = wanted.processes // nodes.machines, gpu_count()
    if not gpus and wanted.strategy is not Strategy.DDP:  # accelerate would silently take ddp
        raise LaunchError(f"`strategy: {wanted.strategy}` needs CUDA devices; on a CPU there is `ddp` alone")
    if gpus and gpus != here:
        raise LaunchError(
            f"`launch` wants {here} processes on this machine, and {gpus} GPUs are visible: set launch.processes to "
            f"{gpus * nodes.machines}, show {here} with CUDA_VISIBLE_DEVICES or by `reasrm run --gpus-per-stage {here}`"
        )


def _raise_first_failure(folder: Path, error: Exception) -> None:
    """Raise what the first worker that failed left, or else how it ended."""
    failures = getattr(error, "failures", {})
    for report in sorted(folder.iterdir(), key=lambda path: int(path.name)):
        said = json.loads(report.read_text())
        if "reason" in said:
            raise WorkerError(said["reason"], said["code"]) from error
    rank, failure = min(failures.items(), key=lambda item: item[1].timestamp)
    ended = f"was killed by signal {-failure.exitcode}" if failure.exitcode < 0 else f"exit code {failure.exitcode}"
    raise LaunchError(f"process {rank} ended: {ended}; what it said is above; a killed one may have lacked memory")


def _work(main: Callable[[], str], reports: Path) -> None:
    """Be a worker: run `main` and leave how it ended."""
    guard_streams()
    set_environment()
    _end_with_launcher()
    report = reports / os.environ["RANK"]
    try:
        report.write_text(json.dumps({"summary": main()}))
    except (Exception, KeyboardInterrupt) as error:
        failure = failure_of(error)
        if failure is None:
            raise
        report.write_text(json.dumps({"reason": failure.reason, "code": int(failure.code)}))
        sys.exit(int(failure.code))


def _end_with_launcher() -> None:
    """End this process at once when its launcher has ended: killed with -9, it could not tell."""
    launcher = os.getppid()

    def watch() -> None:
        while os.getppid() == launcher:
            time.sleep(WATCH_SECONDS)
        os._exit(int(ExitCode.FAILED))

    threading.Thread(target=watch, daemon=True).start()


def gpu_count() -> int:
    """The CUDA devices that this process sees."""
    import torch

    return int(torch.cuda.device_count())
