"""All probes by name; a new one is a file with a class and a line here."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from reasrm.probes.attacks import AttacksProbe
from reasrm.probes.bias import BiasProbe
from reasrm.probes.counterfactual import CounterfactualProbe
from reasrm.probes.grounding import GroundingProbe
from reasrm.probes.nldd import NlddProbe
from reasrm.probes.order import OrderProbe
from reasrm.probes.prefilled_thought import PrefilledThoughtProbe
from reasrm.probes.probe import Probe
from reasrm.probes.question import QuestionProbe
from reasrm.probes.reason_verdict import ReasonVerdictProbe
from reasrm.probes.reread import RereadProbe
from reasrm.records.jsonl import explain
from reasrm.runtime.stage_main import StageError

PROBES: dict[str, type[Probe]] = {
    probe.name: probe
    for probe in (
        OrderProbe,
        ReasonVerdictProbe,
        GroundingProbe,
        RereadProbe,
        NlddProbe,
        CounterfactualProbe,
        QuestionProbe,
        BiasProbe,
        AttacksProbe,
        PrefilledThoughtProbe,
    )
}
"""In the order in which they are asked and shown."""


def suite(settings: Mapping[str, Mapping[str, Any]]) -> list[Probe]:
    """The probes that `settings` name, with their settings, in the registry's order.

    Raises:
        StageError: a name is no probe's, or a setting is missing or wrong; says which.
    """
    unknown = [name for name in settings if name not in PROBES]
    if unknown:
        raise StageError(f"`probe.suite` names {', '.join(unknown)}; the probes are {', '.join(PROBES)}")
    if not settings:
        raise StageError(f"`probe.suite` is empty: nothing would be asked; name some of {', '.join(PROBES)}")
    return [_probe(name, settings[name]) for name in PROBES if name in settings]


def _probe(name: str, settings: Mapping[str, Any]) -> Probe:
    try:
        return PROBES[name](**settings)
    except ValidationError as error:
        raise StageError(f"`probe.suite.{name}`: {explain(error)}") from error
