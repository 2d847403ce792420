"""Settings of the whole suite."""

import os
import signal
import sys
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["tests.fixtures.local_oracle", "tests.fixtures.tiny_checkpoint"]
MOST_WORKERS = 8
"""Each worker loads torch for itself: more than this cost memory and save little."""

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each process that a test starts would compile the project anew
sys.dont_write_bytecode = False

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job hands on "ignored" to all it starts
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no fault of the code. Every run draws other examples; `--hypothesis-profile thorough` draws many.
settings.register_profile("suite", deadline=None, max_examples=50)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile("suite")


def pytest_configure(config: pytest.Config) -> None:
    """Hide GPUs but from `-m gpu`: all other tests are the CPU's, on every machine."""
    if config.option.markexpr != "gpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """One worker per core for folders; none for single files and tests, which are over before workers have started."""
    whole = any(Path(argument).is_dir() for argument in config.args)
    return min(len(os.sched_getaffinity(0)), MOST_WORKERS) if whole else 0


@pytest.fixture(scope="session")
def made_up_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `data` folder of a made-up run; do not write into it."""
    from tests.reporting.made_up_run import write_run

    folder = tmp_path_factory.mktemp("run") / "data"
    write_run(folder)
    return folder
