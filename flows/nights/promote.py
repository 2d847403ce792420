"""The command `reasrm promote` from its options to its exit status; and how a decision is shown."""

from pathlib import Path

from flows.nights.champion import CHAMPION
from flows.nights.night_commit import NightBranch, present_champion
from flows.nights.promotion import Decision, Rule, decide, other_name
from flows.running.pipeline_run import only_run
from flows.server.prefect_server import find_server, prepare_prefect
from reasrm.records.harmless_text import json_text
from reasrm.runtime.outputs import write_text
from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.terminal import say, say_error, say_json

ARTIFACT, DESCRIPTION = "promotion", "Whether a judge was promoted."


def promote(branch: NightBranch, rule: Rule, *, as_json: bool) -> ExitCode:
    """Decide, write the pointer if the model is promoted, say so, tell Prefect's server if one is up.

    Raises:
        FlowError: a run is alive, or the two cannot be compared; the pointer is as it was.
    """
    root, server = branch.root, find_server()
    with only_run(root):
        decision = decide(root, rule, present_champion(branch))
        if (champion := decision.new or decision.rejudged) is not None:
            write_text(root / CHAMPION, champion.text())
    if as_json:
        say_json(json_text(decision.document, indent=1))
    else:
        say("\n".join(decision_lines(decision)))
        if decision.new is not None:
            say(f"Written to {CHAMPION}: commit it with dvc.lock, and `dvc push`, so that it can be had elsewhere")
        if decision.rejudged is not None:
            say(f"{CHAMPION} names its judgments of the present questions, those of {rule.against}")
    if server is not None:
        publish(root, server, decision)
    return ExitCode.DONE if decision.new is not None else ExitCode.KEPT


def decision_lines(decision: Decision) -> list[str]:
    """The decision for reading."""
    rule = decision.rule
    if decision.new is not None:
        first = "promoted, the first champion" if decision.gain is None else "promoted"
        return [f"{rule.model}: {first}", f"  {decision.why}"]
    stays = f"the champion stays {decision.old.model} of {decision.old.promoted}" if decision.old else "no champion yet"
    return [f"{rule.model}: kept out; {stays}", f"  {decision.why}"]


def publish(root: Path, server: str, decision: Decision) -> None:
    """Create Prefect's artifact of a decision that no flow made, at the server with the API address `server`.

    A server that does not take it changes nothing of the decision; that is said.
    """
    prepare_prefect(root, server)
    try:
        from prefect.client.orchestration import get_client
        from prefect.client.schemas.actions import ArtifactCreate

        artifact = ArtifactCreate(key=ARTIFACT, type="markdown", description=DESCRIPTION, data=markdown(decision))
        with get_client(sync_client=True) as client:
            client.create_artifact(artifact)
    except Exception as error:  # noqa: BLE001  whatever client and server do, the decision stands
        say_error("Prefect lacks this decision", f"{type(error).__name__}: {error}")


def markdown(decision: Decision) -> str:
    """The decision as a page of Prefect's UI."""
    text = f"**{decision_lines(decision)[0]}**\n\n{decision.why}\n"
    found = decision.gain
    if found is None:
        return text
    names = {"candidate": decision.rule.model, "other": other_name(decision.rule, decision.old)}
    rows = "".join(
        f"| {name} | {_percent(found[side]['average'])} | {_percent(found[side]['accuracy'])} |\n"
        for side, name in names.items()
    )
    return (
        f"{text}\n| judge | mean of {', '.join(found['headline'])} [95 %] | accuracy [95 %] |\n|---|---|---|\n{rows}\n"
        f"Shares in percent; the gain's interval is a paired bootstrap over questions.\n"
    )


def _percent(figure: dict[str, object]) -> str:
    value, bounds = figure["value"], figure["ci95"]
    assert isinstance(value, float)
    assert isinstance(bounds, list)
    return f"{100 * value:.1f} [{100 * bounds[0]:.1f}, {100 * bounds[1]:.1f}]"
