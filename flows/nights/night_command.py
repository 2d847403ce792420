"""The command `reasrm night`: the night in this process, with Prefect's server if one is up."""

from flows.nights.night import NightOptions, hold_night
from flows.nights.promote import publish
from flows.running.run import run_pipeline
from flows.server.prefect_server import find_server
from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.terminal import say


def run_night(options: NightOptions, *, verbose: bool) -> ExitCode:
    """Hold a night; returns DONE whether or not the model was promoted: both are what a night is for.

    Raises:
        NightStoppedError: the run failed or stopped.
        FlowError: something else is in the way. Nothing was committed.
    """
    server = find_server()
    night = hold_night(options, lambda run: run_pipeline(run, verbose=verbose), say)
    if server is not None:
        publish(options.run.root, server, night.decision)
    return ExitCode.DONE
