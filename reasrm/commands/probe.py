"""`reasrm probe`: whether any judge can be trusted, on pairs of a file, or on what it has replied before.

    reasrm probe --items pairs.jsonl --model data/checkpoints/grpo-full --out probed
    reasrm probe --items pairs.jsonl --suite order --base-url http://127.0.0.1:8000/v1 --model NAME --plan
    reasrm probe --recorded judged.jsonl --format rm_r1

Light at import, since `reasrm --help` imports it: what judges is imported when it is needed.
"""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from reasrm.commands.command_run import run_command
from reasrm.commands.named_judge import (
    ApiOption,
    BaseUrlOption,
    DataParallelOption,
    DtypeOption,
    EngineOption,
    MaxNewTokensOption,
    ModelOption,
    PromptFileOption,
    ServedOption,
    TensorParallelOption,
    VariantOption,
)
from reasrm.commands.probe_options import (
    QUESTIONS,
    BudgetOption,
    FormatOption,
    ItemsOption,
    JsonOption,
    OutOption,
    PlanOption,
    ProbeOptions,
    QuestionsOption,
    RecordedOption,
    ResamplesOption,
    SeedOption,
    SuiteOption,
)
from reasrm.commands.probe_output import judge_folders, output_fault
from reasrm.commands.probe_text import measures_text, plan_text
from reasrm.records.harmless_text import json_text
from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.terminal import say, say_error, say_json

if TYPE_CHECKING:
    from reasrm.probes.from_files.probing import ProbedJudge
    from reasrm.probes.query import ProbeItem

COMMAND = "reasrm probe"
"""As it is called in what it says."""
ONLY_PRINTED = "nothing is kept without --out FOLDER"
HELP = "\n\n".join(
    (
        "Probe a judge: can its verdicts be trusted?",
        "Every pair of the sample is judged in both orders, then each probe perturbs it and asks the same judge again: "
        "whether the order decides, whether attacks do, whether the stated reasons carry the verdict. Each measure "
        "comes with its interval over questions and, beside every null, with the effect that would have been found.",
        "The judge is a checkpoint (--model FOLDER; --engine scalar if it scores answers), a model that you serve "
        "(--base-url URL --model NAME) or a vendor's (--api openai --model NAME), as for `reasrm judge`. What it takes "
        "is known beforehand: --plan prints it, --budget refuses more. With --out every reply is kept as it comes "
        "(FOLDER.replies.jsonl): the same command goes on after a stop and asks nothing twice.",
        "--recorded runs the probes that ask nothing on a log: LLMBar's, RM-R1's, or judgments of `reasrm judge`.",
    )
)
EPILOG = (
    "Exit status: 0 probed, 1 failed, 2 wrong usage or over --budget, 3 stopped by the service (out of reach, over its "
    "limits; the same command goes on), 4 another run writes to the same --out, 130 interrupted."
)


def probe(  # noqa: PLR0913  one parameter per option of the command line
    items: ItemsOption = None,
    suite: SuiteOption = "all",
    questions: QuestionsOption = None,
    seed: SeedOption = 0,
    resamples: ResamplesOption = 2000,
    budget: BudgetOption = None,
    plan: PlanOption = False,
    recorded: RecordedOption = None,
    written_as: FormatOption = None,
    model: ModelOption = None,
    base_url: BaseUrlOption = None,
    api: ApiOption = None,
    served: ServedOption = None,
    engine: EngineOption = None,
    dtype: DtypeOption = None,
    tensor_parallel: TensorParallelOption = None,
    data_parallel: DataParallelOption = None,
    prompt_file: PromptFileOption = None,
    variant: VariantOption = None,
    max_new_tokens: MaxNewTokensOption = None,
    out: OutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Probe a judge; `HELP` is what the command line shows."""
    options = ProbeOptions(**locals())
    error = options.usage_error()
    raise typer.Exit(probe_by(options) if error is None else _failed(error, ExitCode.USAGE))


def probe_by(options: ProbeOptions) -> int:
    """Probe what the options name and return the exit status."""
    return run_command(
        COMMAND,
        lambda: _probe_items(options) if options.recorded is None else _probe_recorded(options, options.recorded),
        on_stop="" if options.out else f"; {ONLY_PRINTED}",
        interrupted=lambda: f"interrupted; {_kept(options)}",
    )


def _kept(options: ProbeOptions) -> str:
    """What an interrupted run leaves."""
    if options.recorded or options.out is None:
        return ONLY_PRINTED
    file = options.replies_file
    if file is None or not file.exists():
        return "nothing had been asked"
    return f"{file} keeps every reply that came, the same command goes on from there"


def _probe_items(options: ProbeOptions) -> int:
    from reasrm.probes.from_files.cost_plan import cost_plan, over_budget
    from reasrm.probes.from_files.default_suite import default_suite
    from reasrm.probes.from_files.probing import probe_pairs
    from reasrm.probes.items import sample_of
    from reasrm.probes.probe_run import traits_of
    from reasrm.records.ledger import Ledger

    suite, items = default_suite(options.suite), _items(options)
    sample = sample_of(items, options.questions or QUESTIONS, options.seed)
    with options.open_judge() as judge:
        traits = traits_of(judge)
        plan = cost_plan(suite, len(items), len(sample), traits)
        if options.plan and options.as_json:
            sums = {"total": plan.total, "ratio": plan.ratio, "ratio_of_all": plan.ratio_of_all}
            say_json(json_text({**plan.model_dump(), **sums}, indent=1))
        elif options.plan:
            say(plan_text(plan, options.budget))
        if options.budget is not None and (why := over_budget(suite, plan, traits, options.budget)):
            return _failed(why, ExitCode.USAGE)
        if options.plan:
            return ExitCode.DONE
        with nullcontext() if options.replies_file is None else Ledger(options.replies_file) as ledger:
            found = probe_pairs(judge, suite, sample, ledger, options.resamples, options.seed)
    if options.out is not None:
        found.write(options.out.resolve())
    if options.as_json:
        say_json(json_text(found.measures.model_dump(mode="json"), indent=1))
    else:
        say(_text(found))
    return ExitCode.DONE


def _items(options: ProbeOptions) -> "list[ProbeItem]":
    """The pairs of the file; says which of its rows are none."""
    from reasrm.probes.from_files.file_items import items_of_file

    items, refused = items_of_file(Path(str(options.items)))
    if refused:
        rows = "row" if len(refused) == 1 else "rows"
        say_error(COMMAND, f"{options.items}: {len(refused):,} {rows} left out, no pair; the first: {refused[0]}")
    different = len({item.question for item in items})
    if different < min(len(items), options.questions or QUESTIONS):
        said = f"{options.items}: {len(items):,} pairs of {different:,} different conversations"
        say_error(COMMAND, f"{said}; one pair of each is asked about")
    return items


def _probe_recorded(options: ProbeOptions, recorded: Path) -> int:
    from reasrm.probes.from_files.default_suite import default_suite
    from reasrm.probes.from_files.probing import probe_recorded
    from reasrm.probes.recorded.reading import RecordedFormat, read_recorded

    suite = default_suite(options.suite)
    judges = read_recorded(recorded, RecordedFormat(str(options.written_as)), options.items)
    folders = judge_folders(options.out.resolve(), [one.name for one in judges]) if options.out else []
    if fault := next(filter(None, map(output_fault, folders)), ""):
        return _failed(fault, ExitCode.USAGE)
    found = [probe_recorded(one, suite, options.resamples, options.seed) for one in judges]
    for one, folder in zip(found, folders, strict=False):  # none without --out
        one.write(folder)
    if options.as_json:
        by_judge = {one.name: one.measures.model_dump(mode="json") for one in found}
        say_json(json_text(by_judge, indent=1))
    else:
        say("\n\n".join(f"{one.name}: {_text(one)}" for one in found))
    return ExitCode.DONE


def _text(found: "ProbedJudge") -> str:
    from reasrm.probes.measuring.families import adjusted

    tested = {
        (name, one.name, one.variant): one.p
        for name, probe in found.measures.probes.items()
        for one in probe.measures
        if one.p is not None
    }
    return measures_text(found.measures, adjusted(tested))


def _failed(error: object, code: int) -> int:
    say_error(COMMAND, error)
    return int(code)
