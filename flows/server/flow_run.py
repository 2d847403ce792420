"""A run by hand as a flow run of Prefect that the UI can cancel, and whether somebody did."""

from collections.abc import Callable
from contextvars import copy_context
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.settings import PREFECT_CLIENT_MAX_RETRIES, temporary_settings
from prefect.states import Pending

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


def whether_cancelled(client: SyncPrefectClient, flow_run_id: UUID) -> Callable[[], bool]:
    """What asks whether the flow run is cancelled in Prefect; no, while the server does not answer.

    It asks once each time: by itself Prefect's client asks a server that is away again and again, for a minute in all.
    """

    def ask() -> bool:
        try:
            state = client.read_flow_run(flow_run_id).state
        except Exception:  # noqa: BLE001  whatever a server or a gateway replies, who asks goes on and hears signals
            return False
        return state is not None and (state.is_cancelling() or state.is_cancelled())

    with temporary_settings({PREFECT_CLIENT_MAX_RETRIES: 0}):
        once = copy_context()
    return lambda: once.run(ask)
