"""The packaged suite: every probe there is, in settings that name nothing of the miniature's world."""

from pathlib import Path

import pytest

from reasrm.probes.from_files import default_suite as packaged
from reasrm.probes.from_files.default_suite import ALL, default_suite
from reasrm.probes.registry import PROBES
from reasrm.runtime.stage_main import StageError

TEXT = Path(packaged.__file__).with_name("default_suite.yaml").read_text(encoding="utf-8")


def test_it_holds_every_probe_in_the_registrys_order() -> None:
    assert [probe.name for probe in default_suite(ALL)] == list(PROBES)
    assert [probe.name for probe in default_suite("attacks, order")] == ["order", "attacks"]


@pytest.mark.parametrize("names", ["", "order,,attacks", "order;attacks"])
def test_a_name_that_is_none_is_refused(names: str) -> None:
    with pytest.raises(StageError, match="is no probe; there are all, order"):
        default_suite(names)


@pytest.mark.parametrize("word", ["world", "dial", "kind words", "toast"])
def test_it_is_not_about_the_miniature(word: str) -> None:
    assert word not in TEXT
