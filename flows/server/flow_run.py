"""A run by hand as a flow run of Prefect that the UI can cancel, and what Prefect says of a run that is under way."""

from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun, State
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Pending, Running

from flows.server.schedules import checkout_name

DESCRIPTION = """Runs that somebody started with `reasrm run` in {root}: see them here, cancel them here. "Run" starts
nothing, since no worker looks here; for runs at set times there are `reasrm serve` and prefect.yaml."""


def create_flow_run(client: SyncPrefectClient, flow: Flow[Any, Any], parameters: dict[str, Any], root: Path) -> FlowRun:
    """A flow run that this process carries out itself, of a deployment of its checkout.

    Prefect 3.7.7 greys "Cancel" out for runs of no deployment. Nothing is ever started from this one, without a pool.

    Args:
        client: the API's.
        flow: the flow.
        parameters: of the run.
        root: the project.
    """
    deployment = client.create_deployment(
        client.create_flow(flow), f"by-hand-{checkout_name(root)}", description=DESCRIPTION.format(root=root)
    )
    return client.create_flow_run_from_deployment(deployment, parameters=parameters, state=Pending())


def state_of(client: SyncPrefectClient, flow_run_id: UUID) -> Callable[[], State[Any] | None]:
    """What asks for the present state of a flow run; None, while the server does not answer.

    It asks once each time: by itself Prefect's client asks a server that is away again and again, for a minute in all.
    """

    def ask() -> State[Any] | None:
        try:
            return client.read_flow_run(flow_run_id).state
        except Exception:  # noqa: BLE001  whatever a server or a gateway replies, who asks goes on and hears signals
            return None

    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
        once = copy_context()
    return lambda: once.run(ask)


def whether_cancelled(client: SyncPrefectClient, flow_run_id: UUID) -> Callable[[], bool]:
    """What asks whether this process's flow run is cancelled in Prefect; no, while the server does not answer.

    One that Prefect calls Crashed is said to be Running again: who asks is alive. Its heartbeats were lost, as while
    the server or the way to it was gone.
    """
    ask = state_of(client, flow_run_id)

    def is_cancelled() -> bool:
        state = ask()
        if state is not None and state.is_crashed():
            with suppress(Exception):  # it is asked again
                client.set_flow_run_state(flow_run_id, Running(message="heartbeats were lost"), force=True)
        return state is not None and (state.is_cancelling() or state.is_cancelled())

    return is_cancelled
