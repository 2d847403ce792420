"""The device that a plan is made for: the machine's own, or one that is described (`h100-80gb:8`, `24gb`, `cpu-24gb`).

Sizes of memory are in bytes; a card's "80 GB" is 80 GiB, as its driver counts. Throughput is the peak of dense bfloat16
products, from the makers' data sheets; where they print it with sparsity, half of it.
"""

import os
import re
import subprocess
import time
from dataclasses import dataclass, replace

from reasrm.runtime.stage_main import ExitCode, StageError

GIB = 2**30
CPU = "cpu"
_DESCRIPTION = re.compile(r"(?P<name>[a-z][a-z0-9]*)?-?(?:(?P<gib>\d{1,5})gb)?(?::(?P<count>\d{1,5}))?")
GPU_CONTEXT = 1 * GIB
"""What CUDA's context and the work space of its libraries take on a GPU before any tensor."""
GPU_USABLE = 0.95
"""Of the rest, what torch's allocator can use before fragments stop it."""
CPU_USABLE = 0.95
"""Of a machine's memory, what one process may take before the kernel ends it."""
MATRIX, ROUNDS = 1024, 3
"""Rows of the matrices whose product measures a CPU's speed, and how often: the quickest counts."""


class DeviceError(StageError):
    """A device is described in words that mean nothing; says which do."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True)
class GpuKind:
    """One kind of GPU as its maker states it."""

    gib: int
    """Memory where a description names none."""
    peak_flops: float
    """Dense products in bfloat16, sums in float32, per second."""
    bytes_per_second: float
    """From its memory."""


CARDS = {
    "b200": GpuKind(180, 2250e12, 8.0e12),
    "h200": GpuKind(141, 989e12, 4.8e12),
    "h100": GpuKind(80, 989e12, 3.35e12),
    "a100": GpuKind(80, 312e12, 2.04e12),
    "l40s": GpuKind(48, 362e12, 0.864e12),
    "a6000": GpuKind(48, 155e12, 0.768e12),
    "rtx5090": GpuKind(32, 209e12, 1.79e12),
    "rtx4090": GpuKind(24, 165e12, 1.01e12),
    "rtx3090": GpuKind(24, 71e12, 0.936e12),
    "l4": GpuKind(24, 121e12, 0.300e12),
    "a10g": GpuKind(24, 70e12, 0.600e12),
}
"""NVIDIA's data sheets; h100 and a100 are the SXM models."""


@dataclass(frozen=True, slots=True)
class Device:
    """What the processes of a stage run on; several are alike."""

    name: str
    is_gpu: bool
    memory: int
    """Bytes of one GPU, or of the machine where there is none."""
    count: int = 1
    """GPUs that a stage may use; 1 for a CPU."""
    peak_flops: float | None = None
    """Products per second of one device; None where that is unknown."""
    bytes_per_second: float | None = None
    """From the memory of one device; None where that is unknown."""

    @property
    def usable(self) -> int:
        """Bytes that tensors may take on one GPU; on a CPU, that processes may take in all."""
        return int((self.memory - GPU_CONTEXT) * GPU_USABLE) if self.is_gpu else int(self.memory * CPU_USABLE)


def described_device(text: str) -> Device:
    """The device that `text` describes.

    Args:
        text: a card of `CARDS` with or without its memory (`h100`, `a100-40gb`), memory alone (`24gb`), or `cpu-24gb`;
            of cards, `:8` behind it for eight.

    Raises:
        DeviceError: it is none of these.
    """
    found = _DESCRIPTION.fullmatch(text.strip().lower())
    name = (found["name"] or "") if found else ""
    card = CARDS.get(name)
    memory = int(found["gib"]) if found and found["gib"] else card.gib if card else 0
    count = int(found["count"] or 1) if found else 0
    if not memory or not count or (name and card is None and name != CPU) or (name == CPU and count > 1):
        raise DeviceError(
            f"--device {text!a}: not understood; a card with or without its memory and number (h100-80gb:8), memory "
            f"alone (24gb:2) or a machine without GPU (cpu-32gb). Cards: {', '.join(CARDS)}"
        )
    if name == CPU:
        return Device(f"CPU with {memory} GiB", False, memory * GIB)
    said = f"{count} x {name or 'GPU'} of {memory} GiB"
    if card is None:
        return Device(said, True, memory * GIB, count)
    return Device(said, True, memory * GIB, count, card.peak_flops, card.bytes_per_second)


def own_device() -> Device:
    """What this machine has: the GPUs that this process may use, else its memory.

    A GPU whose name is in `CARDS` has that card's throughput.
    """
    gpus = _visible_gpus()
    if not gpus:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return Device(f"this machine's CPU, {memory / GIB:.0f} GiB", False, memory)
    name, memory = min(gpus, key=lambda gpu: gpu[1])
    plain = re.sub("[^a-z0-9]", "", name.lower())
    card = next((card for known, card in CARDS.items() if known in plain), None)
    said = f"this machine's {len(gpus)} x {name}"
    if card is None:
        return Device(said, True, memory, len(gpus))
    return Device(said, True, memory, len(gpus), card.peak_flops, card.bytes_per_second)


def with_measured_speed(device: Device) -> Device:
    """`device` with the float32 products per second of this machine's CPU; a GPU as it is."""
    if device.is_gpu:
        return device
    import numpy

    numbers = numpy.ones((MATRIX, MATRIX), dtype=numpy.float32)
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        numbers @ numbers
        seconds.append(time.perf_counter() - start)
    return replace(device, peak_flops=2 * MATRIX**3 / min(seconds))


def _visible_gpus() -> list[tuple[str, int]]:
    """Name and bytes of each GPU that CUDA_VISIBLE_DEVICES leaves, by nvidia-smi; none where it fails."""
    query = ["nvidia-smi", "--query-gpu=index,uuid,name,memory.total", "--format=csv,noheader,nounits"]
    try:
        listed = subprocess.run(query, capture_output=True, text=True, check=False, timeout=20)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return []
    rows = [[cell.strip() for cell in line.split(",")] for line in listed.stdout.splitlines()]
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    wanted = None if chosen is None else {one.strip() for one in chosen.split(",")}
    return [
        (row[2], int(row[3]) * 2**20)
        for row in rows
        if len(row) == 4 and row[3].isdecimal() and (wanted is None or not wanted.isdisjoint(row[:2]))
    ]
