"""Flow runs that `reasrm run` starts belong to a deployment of their checkout: only such can be cancelled in the UI.

Prefect 3.7.7 greys "Cancel" out for all others. Nothing is ever started from this deployment, which has no pool.
"""

from pathlib import Path
from typing import Any

from prefect import Flow
from prefect.client.orchestration import SyncPrefectClient
from prefect.client.schemas.objects import FlowRun
from prefect.states import Pending

from flows.server.schedules import checkout_name

DESCRIPTION = """Runs that somebody started with `reasrm run` in {root}: see them here, cancel them here. "Run" starts
nothing, since no worker looks here; for runs at set times there are `reasrm serve` and prefect.yaml."""


def create_flow_run(
    client: SyncPrefectClient, flow: Flow[Any, Any], parameters: dict[str, Any], root: Path
) -> FlowRun:
    """A flow run that this process carries out itself.

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
