"""With which settings the figures were made: the sections of params.yaml, and the identity of each judge.

A judge's identity is `data/judgments/<model>/identity.json`, as the stage `judge` wrote it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from reasrm.records.content_hash import content_hash
from reasrm.records.unasked_prompts import IDENTITY
from reasrm.reporting.display_text import shortened
from reasrm.runtime.params import PARAMS_FILE, ParamsError
from reasrm.runtime.yaml_files import read_yaml

VALUE_CHARACTERS = 200
"""Longer values are cut in the middle."""

POLICY_SECTIONS = (
    "policy_prompts",
    "policy_prompts_variants",
    "policy_start",
    "policy_start_variants",
    "policy",
    "policy_variants",
    "policy_scores",
)
"""Of policies, which judge nothing."""

LOOP_SECTIONS = (
    "hard_cases",
    "hard_cases_variants",
    "relabel",
    "relabel_variants",
    "extend_pairs",
    "extend_pairs_variants",
    "contested",
    "contested_variants",
    "gate",
    "gate_variants",
)
"""Of the rounds of the closed loop; their trainings and judges stand in `grpo_variants` and `judge_variants`."""

PARAMETER_SECTIONS = (
    "collect_pairs",
    "collect_benchmarks",
    "base_model",
    "distill_traces",
    "distill_traces_variants",
    "filter_traces",
    "sft",
    "grpo",
    "grpo_variants",
    "answer_sft",
    "answer_sft_variants",
    "scalar_rm",
    "judge",
    "judge_variants",
    "probe",
    "probe_variants",
    *POLICY_SECTIONS,
    *LOOP_SECTIONS,
    "score",
)
"""Sections of params.yaml that change a figure, in the pipeline's order; the stage `report` depends on each of them.
How the oracle is asked (`distill_traces_asking`) changes no figure and is left out."""

OF_NO_MODEL = frozenset({"score", "probe", "probe_variants", *POLICY_SECTIONS, *LOOP_SECTIONS})
"""Sections that train no judge and judge nothing: they say what is made of the verdicts, or of a judge's rewards."""
SEEDED = frozenset({"seed", "threads"})
"""Keys that two runs of the same settings may differ in."""

LOCAL_ORACLE = "local"
"""What `distill_traces.endpoint` is where a program on this machine answers and nobody is paid."""
ORACLE = "oracle"
"""What `distill_traces.source` is where an oracle is asked at all."""


@dataclass(frozen=True)
class SettingsOf:
    """The settings of one judge or one section of params.yaml."""

    label: str
    rows: tuple[tuple[str, str], ...]
    """Dotted key and value."""


def read_parameters(file: Path = PARAMS_FILE) -> dict[str, Any]:
    """The sections of `file` that the outputs were made with, as they are; the page shows them.

    Raises:
        ParamsError: a section is missing.
    """
    document = read_yaml(file)
    absent = [section for section in PARAMETER_SECTIONS if section not in document]
    if absent:
        raise ParamsError(f"{file}: no section `{absent[0]}`; `git diff {file}` shows what was changed")
    return {section: document[section] for section in PARAMETER_SECTIONS}


def judge_identities(judgments: Path, labels: Mapping[str, str]) -> tuple[SettingsOf, ...]:
    """The identity of each of the models `labels`, where there is one; judgments from elsewhere may have none."""
    files = ((label, judgments / model / IDENTITY) for model, label in labels.items())
    return tuple(
        SettingsOf(label, tuple(_flat(orjson.loads(file.read_bytes()), ""))) for label, file in files if file.is_file()
    )


def shown_parameters(parameters: Mapping[str, Any]) -> tuple[SettingsOf, ...]:
    """The sections of params.yaml that set anything, in their given order."""
    return tuple(SettingsOf(section, tuple(_flat(values, ""))) for section, values in parameters.items() if values)


def settings_hash(parameters: Mapping[str, Any]) -> str:
    """Hash of all settings that train and judge, without the seeds: equal for runs that differ by chance alone."""
    sections = (section for section in PARAMETER_SECTIONS if section not in OF_NO_MODEL)
    return content_hash({section: _without_seeds(parameters[section]) for section in sections})


def _without_seeds(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_seeds(inner) for key, inner in value.items() if key not in SEEDED}
    return value


def asks_local_oracle(parameters: Mapping[str, Any]) -> bool:
    """Whether the oracle was the miniature's program, so that its price is what a paid one would cost."""
    asked = parameters["distill_traces"]
    return bool(asked["endpoint"] == LOCAL_ORACLE and asked.get("source", ORACLE) == ORACLE)


def _flat(value: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name in sorted(value):
            yield from _flat(value[name], f"{key}.{name}" if key else str(name))
    else:
        yield key, shortened(value if isinstance(value, str) else orjson.dumps(value).decode(), VALUE_CHARACTERS)
