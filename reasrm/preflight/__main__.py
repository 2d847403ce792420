"""`python -m reasrm.preflight`: the estimates of the project in the present folder, as JSON.

A program of its own, since `reasrm plan` must reach no model library and asks for it beside other questions.
"""

import argparse
import sys
from pathlib import Path

from reasrm.preflight.devices import described_device, own_device, with_measured_speed
from reasrm.preflight.plan import Wanted, preflight
from reasrm.records.harmless_text import json_text
from reasrm.runtime.params import ParamsError
from reasrm.runtime.stage_main import ExitCode, StageError
from reasrm.runtime.terminal import guard_streams, say_error, say_json
from reasrm.runtime.yaml_files import YamlError


def main() -> None:
    """Print the estimates that the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m reasrm.preflight", description="Estimate memory, disk and hours.")
    parser.add_argument("--device", default="", help="h100-80gb:8, 24gb, cpu-32gb; default: this machine")
    parser.add_argument("--model", default="", help="a checkpoint's folder, or a known model's hub id")
    parser.add_argument("--stage", action="append", default=[], help="only this one; repeatable")
    parser.add_argument("--remade", action="append", default=[], help="a stage whose data will be others; repeatable")
    parser.add_argument("--rows", action="store_true", help="measure all rows with the tokenizer")
    parser.add_argument("--check", action="store_true", help="look at the template, and ask accelerate's estimator")
    asked = parser.parse_args()
    guard_streams()
    try:
        device = described_device(asked.device) if asked.device else with_measured_speed(own_device())
        wanted = Wanted(device, tuple(asked.stage), asked.model, asked.rows, asked.check, tuple(asked.remade))
        say_json(json_text(preflight(Path.cwd(), wanted), indent=1))
    except (StageError, ParamsError, YamlError, OSError) as error:
        say_error("preflight", error)
        sys.exit(int(getattr(error, "exit_code", ExitCode.FAILED)))


if __name__ == "__main__":
    main()
