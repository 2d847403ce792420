"""What the report is told about the run: names, words and sizes; none of them changes a figure."""

from pydantic import BaseModel, ConfigDict, Field


class Step(BaseModel):
    """One command of the section that says how to do it again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    does: str
    command: str


class Wording(BaseModel):
    """What the report is told about the run: names, words and sizes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str
    configuration: str
    """Name of the configuration, as a profile calls itself."""
    notes: tuple[str, ...]
    """What was run, one paragraph each; planted habits and known limits belong here."""
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
    example_characters: int = Field(ge=200)
    """Longer texts are cut in the middle."""
    habit_sample: int = Field(ge=0)
    """From how many replies per model quotations and rubrics are counted at most."""
    reproduce: tuple[Step, ...]

    def label(self, model: str) -> str:
        """The model's name for readers."""
        return self.models.get(model, model)
