"""The probes that `reasrm probe` asks: all with settings for judges that read English, or some of them by name.

The pipeline's own settings stand in params.yaml (`probe.suite`); profiles for published models hold these.
"""

from pathlib import Path

from reasrm.probes.probe import Probe
from reasrm.probes.registry import PROBES, suite
from reasrm.runtime.stage_main import StageError
from reasrm.runtime.yaml_files import read_yaml

FINGERPRINTED_FILES = ("default_suite.yaml",)
ALL = "all"
"""Names every probe."""


def default_suite(names: str) -> list[Probe]:
    """The probes that `names` lists, divided by commas, or `ALL` of them.

    Raises:
        StageError: a name is no probe's.
    """
    settings = read_yaml(Path(__file__).with_name(FINGERPRINTED_FILES[0]))
    wanted = list(settings) if names.strip() == ALL else [name.strip() for name in names.split(",")]
    if unknown := [name for name in wanted if name not in settings]:
        raise StageError(f"--suite {names}: {unknown[0]!r} is no probe; there are {ALL}, {', '.join(PROBES)}")
    return suite({name: settings[name] for name in wanted})
