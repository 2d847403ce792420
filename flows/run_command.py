"""`reasrm run`: bring the pipeline up to date and say what happened, by exit status too.

Prefect is asked only if there is something to run or a server to report to: with neither, saying that every stage is
cached must not cost the start of a server.
"""

import signal

from flows.environment import find_server, prepare_prefect
from flows.execution import Execution, RunOptions, hand_over, only_flow, prepare
from flows.headline import show_headline
from flows.last_will import bequeath
from flows.outcome import GOES_ON, ExitCode, FlowError, Outcome, StageRun, exit_code
from flows.stage_run import Supervised
from flows.view import RunView


def run(options: RunOptions) -> ExitCode:
    """Run the pipeline in this process.

    Raises:
        FlowError: it cannot start; the message says why.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    supervised = Supervised()
    with only_flow(options.root), RunView() as view:
        server = find_server()
        try:
            execution = prepare(options, view, supervised)
        except KeyboardInterrupt:
            supervised.end_all()
            return ExitCode.INTERRUPTED
        if execution.dirty or execution.runs or server:
            try:
                _carry_out_in_prefect(execution, server)
            except KeyboardInterrupt:  # Prefect turns a SIGTERM into one of its own and passes it on when it is done
                execution.interrupted = True
                supervised.end_all()
        else:
            execution.finish()
        _show_rest(execution)
        _last_words(execution)
    if execution.interrupted:
        return ExitCode.INTERRUPTED
    code = exit_code(execution.runs)
    if code is ExitCode.DONE:
        show_headline(options.root, view.console)
    return code


def _carry_out_in_prefect(execution: Execution, server: str | None) -> None:
    """Run as a Prefect flow; the outcomes are in `execution` afterwards.

    Raises:
        FlowError: Prefect lost the flow, so that not all outcomes are known.
    """
    if server is None:
        execution.view.note("No Prefect server is up (`reasrm ui` starts one); this run starts one of its own.", "dim")
    prepare_prefect(execution.options.root, server)
    from flows.pipeline import pipeline

    if server is None:
        _start_own_server()

    hand_over(execution)
    state = pipeline(
        to=list(execution.options.to),
        force=list(execution.options.force),
        jobs=execution.options.jobs,
        gpus_per_stage=execution.options.gpus_per_stage,
        budget_usd=execution.options.budget_usd,
        return_state=True,
    )
    told = exit_code(execution.runs) is not ExitCode.DONE
    if execution.selected - execution.runs.keys() or state.is_crashed() or (state.is_failed() and not told):
        raise FlowError(f"Prefect ended the flow as {state.name}: {state.message}; `reasrm run` goes on from there")


def _start_own_server() -> None:
    """Start Prefect's temporary server; it ends with this process, even by kill -9."""
    from prefect.server.api.server import SubprocessASGIServer

    server = SubprocessASGIServer()
    server.start()
    if server.server_process is not None:
        bequeath(server.server_process.pid, "uvicorn")


def _show_rest(execution: Execution) -> None:
    """Show the stages that were not touched: each by name if nothing ran, else their number."""
    untouched = [name for name, run in execution.runs.items() if run == StageRun(Outcome.CACHED)]
    if len(untouched) == len(execution.runs):
        for name in untouched:
            execution.view.ended(name, execution.runs[name])
    elif untouched:
        execution.view.note(f"{len(untouched)} stages were up to date (Cached): {', '.join(untouched)}", "dim")


def _last_words(execution: Execution) -> None:
    """Say what to do if the run did not come to its end."""
    code = exit_code(execution.runs)
    if execution.interrupted or code is ExitCode.STOPPED_RESUMABLE:
        stopped = [name for name, run in execution.runs.items() if run.outcome is Outcome.STOPPED]
        execution.view.note(
            f"Stopped ({', '.join(stopped) or 'between stages'}). Everything is kept; {GOES_ON}.",
            "bold yellow",
        )
        for name in stopped:
            execution.view.note(f"    {name}: {execution.runs[name].tail.strip()[-600:]}", "yellow")
    elif code is ExitCode.FAILED:
        failed = [name for name, run in execution.runs.items() if run.outcome is Outcome.FAILED]
        execution.view.note(f"Failed: {', '.join(failed)}. The whole output is in work/logs/.", "bold red")
