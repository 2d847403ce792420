"""The page of the data and of how everything is made again: funnel, commands, parameters, identities of the judges."""

from dataclasses import dataclass

from reasrm.reporting.run_settings import SettingsOf, judge_identities, shown_parameters
from reasrm.reporting.source import ReportSource


@dataclass(frozen=True)
class DataPage:
    """What the page shows beside the funnel, which other pages show parts of."""

    identities: tuple[SettingsOf, ...]
    parameters: tuple[SettingsOf, ...]

    @property
    def sections(self) -> tuple[tuple[str, str], ...]:
        """Anchors and names."""
        return ("data", "From pairs to traces"), ("reproduce", "Reproduce")


def data_page(source: ReportSource) -> DataPage:
    """Gather it."""
    labels = {model.name: model.label for model in source.models}
    return DataPage(judge_identities(source.folders.judgments, labels), shown_parameters(source.parameters))
