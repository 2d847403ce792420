"""The page's names, texts, sizes and links (section `report` of params.yaml); none of them changes a figure.

A text that is null is derived from what ran: the base model, where traces and pairs came from, how many there were.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reasrm.reporting.data_funnel import Funnel
from reasrm.reporting.paper_reference import paper_tables
from reasrm.reporting.run_settings import asks_local_oracle

MINIATURES = ("world", "pairs")
"""Values of `base_model.source` where the base is made here, from scratch."""
TRAININGS = ("sft", "grpo", "answer_sft", "scalar_rm")
VARIED = {"grpo": "rewarded verdicts on {} pairs (GRPO)", "answer_sft": "the verdicts of {} pairs (SFT)"}
"""The trainings that have variants, each with what one of them learns from."""


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


class PaperCell(BaseModel):
    """A figure that the paper prints for the recipe of one of our models."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table: int
    row: str
    column: str

    @model_validator(mode="after")
    def _is_printed(self) -> Self:
        tables = {table.number: table for table in paper_tables().tables}
        if self.table not in tables:
            raise ValueError(f"no table {self.table} of the paper is here, only {', '.join(map(str, tables))}")
        table = tables[self.table]
        if self.row not in (rows := [row.model for row in table.rows]):
            raise ValueError(f"table {self.table} has no row {self.row!r}, only {', '.join(rows)}")
        if self.column not in table.columns:
            raise ValueError(f"table {self.table} has no column {self.column!r}, only {', '.join(table.columns)}")
        if table.figure(self.row, self.column) is None:
            raise ValueError(f"table {self.table} prints no figure for {self.row!r} in {self.column!r}")
        return self

    @property
    def value(self) -> float:
        """As printed."""
        found = paper_tables().table(self.table).figure(self.row, self.column)
        assert found is not None, "checked when it was read"
        return found


class PageSettings(BaseModel):
    """Names, texts, sizes and links of the page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str | None
    """None, as of the next two and of `reproduce`, for what `with_derived_texts` makes of the run."""
    configuration: str
    """The profile with its overlays."""
    summary: str | None
    """What was made, in one or two sentences; also what a shared link shows."""
    notes: tuple[str, ...] | None
    """What was run, one paragraph each."""
    families: dict[str, str]
    """What each family of questions asks and why an answer is the better one; others stand without explanation."""
    policy_arms: dict[str, str]
    """Names of the arms of policies for readers; others stand as they are."""
    policy_planted: str
    """What was planted in the policies' start, said where their figures stand; empty where nothing was."""
    slices: str
    """What the slices of the families are; empty where there are none."""
    repository: str = Field(pattern=r"^(https://[^\s\"'<>]+)?$")
    """Address of the code; empty for no link."""
    reference_run: ReferenceRun | None
    models: dict[str, str]
    """Names as in `data/scores/` to names for readers, in the order of the ladder."""
    paper_rows: dict[str, PaperCell]
    """The paper's figure for the recipe of each model, by its name; models that are not named stand without one."""
    lead: str
    """The model that the pipeline is about."""
    before_after: tuple[str, str]
    """The two models whose replies to one pair open the page: before training and after it."""
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
    reproduce: tuple[ReproduceCommand, ...] | None

    def label(self, model: str) -> str:
        """The model's name for readers."""
        return self.models.get(model, model)


def with_derived_texts(settings: PageSettings, parameters: Mapping[str, Any], funnel: Funnel) -> PageSettings:
    """The settings with every text that is None replaced by what is true of any run, from what ran.

    Args:
        settings: names, texts and sizes.
        parameters: the sections of params.yaml that the outputs were made with (`PARAMETER_SECTIONS`).
        funnel: what became of pairs and traces.
    """
    texts: dict[str, Callable[[], Any]] = {
        "title": lambda: f"{base_name(parameters)} as a judge of answers",
        "summary": lambda: _summary(settings.lead, parameters, funnel),
        "notes": lambda: tuple(_notes(parameters, funnel)),
        "reproduce": lambda: tuple(_reproduce(settings.configuration, parameters)),
    }
    return settings.model_copy(
        update={key: derive() for key, derive in texts.items() if getattr(settings, key) is None}
    )


def base_name(parameters: Mapping[str, Any]) -> str:
    """What readers call the base model."""
    base = parameters["base_model"]
    return "A small model made here" if base["source"] in MINIATURES else str(base["model"]).rstrip("/")


def _steps(checkpoint: str, parameters: Mapping[str, Any], funnel: Funnel) -> list[str]:
    """What each training that made a checkpoint learnt from, the first one first."""
    name = checkpoint.rstrip("/").rpartition("/")[2]
    variants = {
        f"{stage}-{variant}": (learnt, {**parameters[stage], **own})
        for stage, learnt in VARIED.items()
        for variant, own in parameters[f"{stage}_variants"].items()
    }
    steps: list[str] = []
    while name in variants and len(steps) <= len(variants):
        learnt, settings = variants[name]
        steps.insert(0, learnt.format(f"{sum(funnel.pairs[purpose] for purpose in settings['pairs']):,}"))
        name = str(settings["start"])
    first = {
        "sft": f"{funnel.kept.total():,} traces (SFT)",
        "scalar_rm": f"{funnel.pairs['distill'] + funnel.pairs['reinforce']:,} pairs (Bradley-Terry)",
    }
    return [first[name], *steps] if name in first else steps


def _summary(lead: str, parameters: Mapping[str, Any], funnel: Funnel) -> str:
    checkpoint = str(parameters["judge_variants"].get(lead, {}).get("checkpoint", ""))
    steps = _steps(checkpoint, parameters, funnel)
    learns = f"learns to judge pairs of answers from {', then from '.join(steps)}" if steps else "judges as it is"
    return f"{base_name(parameters)} {learns}."


def _notes(parameters: Mapping[str, Any], funnel: Funnel) -> Iterator[str]:
    base = parameters["base_model"]
    if base["source"] in MINIATURES:
        yield "The base model was trained from scratch by this pipeline."
    else:
        at = f", commit {base['revision']}" if base["revision"] else ""
        yield f"The base model is {base_name(parameters)}{at}, a published model."
    models = sorted({model for counts in funnel.passes for model in counts.models})
    if models and asks_local_oracle(parameters):
        yield (
            f"The traces are a program's ({', '.join(models)}) and no model's: they teach the form of a judgment and "
            f"no reasons."
        )
    elif models:
        yield f"The traces are those of {', '.join(models)}."
    sizes = ", ".join(f"{count:,} for {purpose}" for purpose, count in funnel.pairs.items())
    sources = ", ".join(funnel.source_names())
    yield f"Pairs: {sizes}, from {sources}. Of the traces {funnel.kept.total():,} were kept."
    adapted = [stage for stage in TRAININGS if parameters[stage]["lora"] is not None]
    if adapted:
        yield f"Trained with an adapter (LoRA) and not with all weights: {', '.join(adapted)}."


def _reproduce(configuration: str, parameters: Mapping[str, Any]) -> Iterator[ReproduceCommand]:
    reads_files = "files" in {parameters[section]["source"] for section in ("collect_pairs", "collect_benchmarks")}
    use = f"reasrm profile use {configuration}{' --files FOLDER' if reads_files else ''}"
    own = ", with your folder of files" if reads_files else ""
    yield ReproduceCommand(does=f"Choose this configuration{own}", command=use)
    yield ReproduceCommand(does="Everything, from pairs to this page", command="reasrm run")
    yield ReproduceCommand(does="Back to the default", command="reasrm profile use miniature")
