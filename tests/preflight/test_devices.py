"""A device by its description, and what is no description."""

import pytest

from reasrm.preflight.devices import CARDS, GIB, DeviceError, described_device
from reasrm.runtime.stage_main import ExitCode


@pytest.mark.parametrize(
    ("text", "gib", "count", "is_gpu"),
    [
        ("h100-80gb:8", 80, 8, True),
        ("h100", 80, 1, True),
        ("a100-40gb", 40, 1, True),
        ("RTX4090:2", 24, 2, True),
        ("24gb", 24, 1, True),
        ("80gb:8", 80, 8, True),
        ("cpu-24gb", 24, 1, False),
    ],
)
def test_a_description_names_memory_and_number(text: str, gib: int, count: int, is_gpu: bool) -> None:
    device = described_device(text)
    assert (device.memory, device.count, device.is_gpu) == (gib * GIB, count, is_gpu)
    assert device.usable < device.memory
    assert (device.peak_flops is None) == (text[0].isdecimal() or not is_gpu)


@pytest.mark.parametrize("text", ["", "cpu", "cpu-24gb:2", "h100:0", "gtx9000", "h100 80gb", "0gb", "-80gb:x"])
def test_what_describes_nothing_is_refused_with_the_words_that_do(text: str) -> None:
    with pytest.raises(DeviceError, match="h100-80gb:8") as refused:
        described_device(text)
    assert refused.value.exit_code is ExitCode.USAGE
    assert all(name in str(refused.value) for name in CARDS)
