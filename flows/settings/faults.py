"""What is wrong with params.yaml, as JSON: each section by its stage's own class, then what sections say of each other.

Run by `flows.settings.check` in a process of its own, in the project's folder: `python -m flows.settings.faults`.
"""

import importlib
import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from flows.settings.check import WrongSetting
from flows.settings.rules import between_sections
from reasrm.policy.hard_cases.improve_params import ImproveParams
from reasrm.records.harmless_text import json_text
from reasrm.runtime.params import PARAMS_FILE, ParamsError, StageParams
from reasrm.runtime.stage_main import ExitCode
from reasrm.runtime.terminal import say_error, say_json
from reasrm.runtime.yaml_files import YamlError, read_yaml
from reasrm.training.trl_words import refused_words

VARIANTS = "_variants"
NO_SECTION = frozenset({"files"})
"""Keys at the top of params.yaml that are a value by themselves."""
SHOWN_VALUE = 80


def faults(root: Path) -> list[WrongSetting]:
    """All that is wrong with the params.yaml in `root`, in the order of its sections.

    Raises:
        YamlError: it is not YAML.
        ParamsError: it is no mapping.
    """
    document = read_yaml(root / PARAMS_FILE)
    if not isinstance(document, dict):
        raise ParamsError(f"{PARAMS_FILE}: a mapping of sections is needed, got {type(document).__name__}")
    classes = parameter_classes(root)
    found = list(_unknown_sections(document, classes))
    for section, params in classes.items():
        found += _section_faults(document, section, params)
    found += between_sections(document, read_yaml(root / "dvc.yaml"), root)
    order = list(document)
    unique = dict.fromkeys(found)
    return sorted(unique, key=lambda one: order.index(top) if (top := one.setting.partition(".")[0]) in order else -1)


def parameter_classes(root: Path) -> dict[str, type[StageParams]]:
    """The class that reads each section, by the section's name: those of the stages, and what these import."""
    for file in sorted((root / "stages").rglob("*.py")):
        importlib.import_module(".".join(file.relative_to(root).with_suffix("").parts))
    ours = [one for one in StageParams.__subclasses__() if one.__module__.startswith(("stages.", "reasrm."))]
    return {one.section: one for one in ours} | {ImproveParams.section: ImproveParams}


def _unknown_sections(document: Mapping[str, Any], classes: Mapping[str, type[StageParams]]) -> Iterator[WrongSetting]:
    known = {*classes, *NO_SECTION, *(f"{section}{VARIANTS}" for section in classes)}
    for section in document:
        if section not in known:
            yield WrongSetting("", str(section), "", f"no stage reads such a section{_meant(str(section), known)}")


def _section_faults(document: Mapping[str, Any], section: str, params: type[StageParams]) -> Iterator[WrongSetting]:
    """What the class refuses; of a stage with variants each is read, and a common fault is told once."""
    stage = _stage_of(params)
    variants: Any = document.get(f"{section}{VARIANTS}")
    for variant, over in variants.items() if isinstance(variants, dict) else [(None, {})]:
        if not isinstance(document.get(section), dict) or not isinstance(over, dict):
            where = f"{section}{VARIANTS}.{variant}" if isinstance(document.get(section), dict) else section
            yield WrongSetting(stage, where, "", "a mapping of settings is needed: `git diff params.yaml`")
            continue
        try:
            settings = params.model_validate({**document[section], **over})  # as `StageParams.load` merges them
        except ValidationError as error:
            yield from _faults_of(error, params, section, variant, over)
        else:
            for word in refused_words(settings, section):
                yield _wrong(params, section, variant, over, word)


def _faults_of(
    error: ValidationError, params: type[StageParams], section: str, variant: str | None, over: Mapping[str, Any]
) -> Iterator[WrongSetting]:
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"])
        value, problem = str(fault["input"])[:SHOWN_VALUE], str(fault["msg"]).removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            problem = f"there is no such setting{_meant(key, set(params.model_fields))}"
        elif fault["type"] == "missing":
            value, problem = "", "it is missing; `reasrm profile show miniature` has it"
        yield _wrong(params, section, variant, over, (key, value if key else "", problem))


def _wrong(
    params: type[StageParams], section: str, variant: str | None, over: Mapping[str, Any], fault: tuple[str, str, str]
) -> WrongSetting:
    """A fault at the place where it stands: in the variant if that sets the key, else in the common section."""
    key, value, problem = fault
    stage = _stage_of(params)
    if variant is not None and (key.partition(".")[0] in over or not key):
        place = f"{section}{VARIANTS}.{variant}" + (f".{key}" if key else "")
        return WrongSetting(f"{stage}@{variant}", place, value, problem)
    return WrongSetting(stage, f"{section}.{key}" if key else section, value, problem)


def _stage_of(params: type[StageParams]) -> str:
    """The stage that reads a class's section; of one outside of `stages` the stage that its name begins with."""
    package, *_, module = params.__module__.split(".")
    if package == "stages":
        return module
    stages = [one.section for one in StageParams.__subclasses__() if one.__module__.startswith("stages.")]
    return max((stage for stage in stages if params.section.startswith(stage)), key=len, default="")


def _meant(word: str, known: set[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f"; `{close[0]}` is one" if close else f"; there are {', '.join(sorted(known))}"


def main() -> None:
    """Print what is wrong with the params.yaml in this folder."""
    try:
        found = faults(Path())
    except (YamlError, ParamsError, OSError) as error:
        say_error("settings", error)
        sys.exit(int(ExitCode.FAILED))
    say_json(json_text([one._asdict() for one in found]))


if __name__ == "__main__":
    main()
