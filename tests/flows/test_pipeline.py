"""The flow can be sent to the process that a schedule starts."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from tests.flows.toy_project import environment

PROGRAM = """
import sys, cloudpickle
from flows import pipeline
sys.stdout.buffer.write(cloudpickle.dumps(pipeline.pipeline))
"""


@pytest.mark.slow
def test_the_flow_can_be_sent_to_another_process(tmp_path: Path) -> None:
    """`reasrm serve` pickles it, with all that its module holds, for each run."""
    surroundings = environment() | {"PREFECT_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=False, env=surroundings)
    assert done.returncode == 0, done.stderr.decode()
    assert pickle.loads(done.stdout).name == "reasrm"
