"""The page's names, texts, sizes and links (section `report` of params.yaml); none of them changes a figure."""

from pydantic import BaseModel, ConfigDict, Field


class ReproduceCommand(BaseModel):
    """One command of the section that says how to reproduce the page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    does: str
    command: str


class ReferenceRun(BaseModel):
    """When, on what and how fast this configuration was measured; stored text, not a measurement of the present run.

    The page is the same bytes for the same inputs, so it cannot hold the date, machine and seconds of its own run.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: str
    """ISO 8601."""
    hardware: str
    """Kind of processor, cores, GPU or none."""
    seconds: int = Field(gt=0)
    """Wall time from the first stage to this page."""
    note: str = ""
    """What differs on other machines, in one or two sentences."""


class ShownRollouts(BaseModel):
    """How many of the sampled groups that a GRPO training kept stand on the page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: int = Field(ge=0)
    """From how many of the kept steps groups are shown, at equal distances from the first to the last."""
    groups: int = Field(ge=0)
    """Groups of each of these steps at most."""


class PageSettings(BaseModel):
    """Names, texts, sizes and links of the page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    configuration: str
    """Name of the configuration, as a profile calls itself."""
    summary: str
    """What was made, in one or two sentences; also what a shared link shows."""
    notes: tuple[str, ...]
    """What was run, one paragraph each."""
    planted: tuple[str, ...]
    """What the synthetic data decide beforehand, one paragraph each; empty where nothing is planted."""
    families: dict[str, str]
    """What each family of questions asks, by its name; families that are not named here stand without explanation."""
    repository: str = Field(pattern=r"^(https://[^\s\"'<>]+)?$")
    """Address of the code; empty for no link."""
    reference_run: ReferenceRun | None
    models: dict[str, str]
    """Names as in `data/scores/` to names for readers, in the order of the ladder."""
    lead: str
    """The model that the pipeline is about."""
    side_by_side: tuple[str, str]
    """The two models whose replies are shown beside each other, the earlier stage first."""
    differences: tuple[tuple[str, str], ...]
    """Pairs of models whose difference (first minus second) is shown."""
    examples: int = Field(ge=0)
    """How many items are shown at most."""
    rollouts: ShownRollouts
    example_characters: int = Field(ge=200)
    """Longer texts are cut in the middle."""
    reply_sample: int = Field(ge=0)
    """From how many replies per model quotations and rubrics are counted at most."""
    reproduce: tuple[ReproduceCommand, ...]

    def label(self, model: str) -> str:
        """The model's name for readers."""
        return self.models.get(model, model)
