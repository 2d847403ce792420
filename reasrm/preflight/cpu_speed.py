"""How fast this machine multiplies matrices: one measurement, for the hours of a plan."""

import time
from dataclasses import replace

from reasrm.preflight.devices import Device

SIZE = 1024
ROUNDS = 3


def with_measured_speed(device: Device) -> Device:
    """`device` with the float32 products per second of this machine's CPU; a GPU as it is."""
    if device.is_gpu:
        return device
    import numpy

    numbers = numpy.ones((SIZE, SIZE), dtype=numpy.float32)
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        numbers @ numbers
        seconds.append(time.perf_counter() - start)
    return replace(device, peak_flops=2 * SIZE**3 / min(seconds))
