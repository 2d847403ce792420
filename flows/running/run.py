"""`reasrm run`: bring the pipeline up to date and say what happened, by exit status too.

With a Prefect server up, a run that has something to do is a Prefect flow; without one, threads carry it out. Where
nothing is to be done, nothing is reported: that must not cost the import of Prefect.
"""

import signal
import time

from flows.planning.preflight import PreflightRequest, has_models, misfits, read_preflight
from flows.running.pipeline_run import PipelineRun, RunOptions, only_run, prepare
from flows.running.run_display import RunDisplay
from flows.running.run_results import show_results
from flows.running.stage_outcome import RESUME_HINT, UNTOUCHED, FlowError, StageOutcome, exit_code
from flows.running.stage_threads import carry_out_in_threads
from flows.server.prefect_server import find_server, prepare_prefect, quick_import
from reasrm.runtime.stage_main import ExitCode


def run_pipeline(options: RunOptions, *, verbose: bool = False) -> ExitCode:
    """Run the pipeline in this process.

    Args:
        options: what to run and how.
        verbose: show every line that stages write.

    Raises:
        FlowError: it cannot start; the message says why.
    """
    start = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with only_run(options.root), RunDisplay(verbose=verbose) as display:
        server = find_server()
        if options.workers and server is None:
            raise FlowError("--workers needs the Prefect server that its workers ask: `reasrm ui`, or PREFECT_API_URL")
        run = prepare(options, display)
        try:
            _bring_up_to_date(run, server)
        except KeyboardInterrupt:
            run.interrupted = True
            run.processes.end_all()
            run.pushing.end_all()
            run.finish()
        _show_untouched(run)
        _show_end(run)
    code = ExitCode.INTERRUPTED if run.interrupted else exit_code(run.runs.values())
    if run.not_pushed:
        code = code or ExitCode.FAILED
        display.note(f"Not all is in the remote: {run.not_pushed}; `reasrm run --push` tries again.", "bold red")
    if code is ExitCode.DONE:
        show_results(options.root, display.console, run.selected)
    display.note(f"\n{_duration(time.monotonic() - start)} in all")
    return code


def _bring_up_to_date(run: PipelineRun, server: str | None) -> None:
    """Run the stages that have to, as a Prefect flow if a server is up; the outcomes are in `run` afterwards."""
    run.update_fingerprints()
    if not run.dirty and run.is_untouched():
        run.finish()
        return
    if not run.options.workers:
        _warn_of_misfits(run)
    if server is None:
        run.display.note("No Prefect server is up (`reasrm ui` starts one); this run is reported nowhere.", "dim")
        carry_out_in_threads(run)
    else:
        _run_as_flow(run, server)


def _warn_of_misfits(run: PipelineRun) -> None:
    """Say which stages surely do not fit this machine; they run all the same, since it is an estimate."""
    stages = has_models(run.options.root, run.dirty)
    try:
        lines = misfits(read_preflight(run.options.root, stages, PreflightRequest()), surely=True) if stages else []
    except FlowError as error:
        run.display.note(f"Memory was not estimated: {error}", "dim")
        return
    for line in lines:
        run.display.note(f"Will not fit, by the estimate of `reasrm plan`: {line}", "bold yellow")


def _run_as_flow(run: PipelineRun, server: str) -> None:
    """Carry the run out in Prefect.

    Raises:
        FlowError: Prefect lost the flow, so that not all outcomes are known.
    """
    prepare_prefect(run.options.root, server)
    with quick_import():
        from prefect.exceptions import TerminationSignal

        from flows.pipeline import carry_out_as_flow

    try:
        state = carry_out_as_flow(run)
    except TerminationSignal as ended:  # SIGTERM, before or after the stages
        raise KeyboardInterrupt from ended
    explained = run.interrupted or run.not_pushed or exit_code(run.runs.values()) is not ExitCode.DONE
    if run.selected - run.runs.keys() or state.is_crashed() or (state.is_failed() and not explained):
        raise FlowError(f"Prefect ended the flow as {state.name}: {state.message}; `reasrm run` goes on from there")


def _show_untouched(run: PipelineRun) -> None:
    """Show the stages that were not touched: each by name if nothing ran, else their number."""
    untouched = [name for name, one in run.runs.items() if one == UNTOUCHED]
    if run.is_untouched():
        for name in untouched:
            run.display.ended(name, run.runs[name])
    elif untouched:
        run.display.note(f"{len(untouched)} stages were up to date (Cached): {', '.join(untouched)}", "dim")


def _show_end(run: PipelineRun) -> None:
    """Say what to do if the run did not come to its end."""
    code = exit_code(run.runs.values())
    if run.interrupted or code is ExitCode.STOPPED_RESUMABLE:
        stopped = [name for name, one in run.runs.items() if one.outcome is StageOutcome.STOPPED]
        names = ", ".join(stopped) or "between stages"
        run.display.note(f"Stopped ({names}). Everything is kept; {RESUME_HINT}.", "bold yellow")
        for name in stopped:
            run.display.note(f"    {name}: {run.runs[name].tail.strip()[-600:]}", "yellow")
    elif code is ExitCode.FAILED:
        failed = [name for name, one in run.runs.items() if one.outcome is StageOutcome.FAILED]
        where = " of the workers' clones" if run.options.workers else ""
        run.display.note(f"Failed: {', '.join(failed)}. The whole output is in work/logs/{where}.", "bold red")


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds:.0f} s ({seconds / 60:.1f} min)"
