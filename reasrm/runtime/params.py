"""A stage's parameters: its own section of params.yaml and nothing else.

A stage cannot read another's section, so `dvc.yaml` lists one section per stage and a change of one stage's setting
makes no other stage stale. The report alone follows all sections, since its page shows them.
"""

from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from reasrm.records.jsonl import explain
from reasrm.runtime.yaml_files import read_yaml

PARAMS_FILE = Path("params.yaml")


class ParamsError(ValueError):
    """params.yaml does not hold what the stage needs; says section, key and value."""


class StageParams(BaseModel):
    """Base of every stage's parameter class: frozen, no unknown keys, no defaults for what changes a result."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    section: ClassVar[str]

    @classmethod
    def load(cls, variant: str | None = None, file: Path = PARAMS_FILE) -> Self:
        """Read the stage's section of `file`.

        Args:
            variant: for a stage with variants (`grpo@full`), its key in the section `<stage>_variants`; the variant's
                keys are laid over the common ones.
            file: the parameter file.

        Raises:
            YamlError: the file is not YAML.
            ParamsError: the section or variant is missing, a key is unknown or missing, or a value is not allowed.
        """
        document = read_yaml(file)
        if not isinstance(document, dict) or cls.section not in document:
            raise ParamsError(f"{file}: no section `{cls.section}`; `git diff {file}` shows what was changed")
        values = dict(document[cls.section])
        if variant is not None:
            variants = document.get(f"{cls.section}_variants", {})
            if variant not in variants:
                raise ParamsError(f"{file}: `{cls.section}_variants` has no `{variant}`, only {sorted(variants)}")
            values |= variants[variant]
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            where = f"{file}: section `{cls.section}`" + (f", variant `{variant}`" if variant else "")
            raise ParamsError(f"{where}: {explain(error)}") from error
