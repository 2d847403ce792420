"""What `reasrm serve-judge` says before it serves: a missing extra, and options that cannot be meant."""

import subprocess
import sys
from pathlib import Path

import pytest

from reasrm.runtime.stage_main import ExitCode
from tests.fixtures.command_line import reasrm

pytestmark = pytest.mark.slow


def test_a_missing_extra_is_named(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules.update(dict.fromkeys(['fastapi', 'starlette', 'uvicorn', 'prometheus_client'])); "
        "sys.argv = ['reasrm', 'serve-judge', '--base-url', 'http://127.0.0.1:1/v1', '--model', 'm']; "
        "from reasrm.cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.FAILED
    assert "pip install 'reasrm[serve]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--ledger", "."], "--ledger is a folder or a device"),
        (["--base-url", "http://127.0.0.1:1/v1"], "need the model's name"),
        (["--max-batch", "0"], "--max-batch"),
        (["--port", "70000"], "--port"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_opened(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert reasrm("serve-judge", *arguments) == ExitCode.USAGE
    assert said in capsys.readouterr().err
