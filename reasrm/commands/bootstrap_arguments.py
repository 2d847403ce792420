"""What the commands `reasrm score` and `reasrm compare` are told in the same words."""

import argparse
from collections.abc import Callable

RESAMPLES = 2000


def add_bootstrap_options(arguments: argparse.ArgumentParser) -> None:
    """Add `--resamples` and `--seed`."""
    arguments.add_argument(
        "--resamples", type=_whole_number(1), default=RESAMPLES, help="bootstrap samples (default %(default)s)"
    )
    arguments.add_argument("--seed", type=_whole_number(0), default=0, help="of the bootstrap (default %(default)s)")


def _whole_number(least: int) -> Callable[[str], int]:
    """A reader of whole numbers that are not below `least`."""

    def read(given: str) -> int:
        if not given.isascii() or not given.isdigit() or int(given) < least:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least}, it is {given!r}")
        return int(given)

    return read
