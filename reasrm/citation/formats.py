"""A run's citation as text, JSON, BibTeX or LaTeX."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from reasrm.citation.cited_run import CitedRun
from reasrm.citation.latex import latex_text, tables
from reasrm.records.harmless_text import json_text

PAPER = r"""@article{chen2025rmr1,
  author  = {Chen, Xiusi and Li, Gaotang and Wang, Ziqi and Jin, Bowen and Qian, Cheng and Wang, Yu and
             Wang, Hongru and Zhang, Yu and Zhang, Denghui and Zhang, Tong and Tong, Hanghang and Ji, Heng},
  title   = {{RM-R1}: Reward Modeling as Reasoning},
  journal = {arXiv preprint arXiv:2505.02387},
  year    = {2025}
}"""
"""The paper whose recipe is run, with its authors in its order."""
LONGEST_NOTE = 1000
"""Characters."""
SHOWN_HASH = 12
"""Digits of a hash in text and LaTeX; JSON has all of them."""


class CitationFormat(StrEnum):
    """How a citation is written."""

    TEXT = "text"
    JSON = "json"
    BIBTEX = "bibtex"
    LATEX = "latex"


def written(run: CitedRun, as_what: CitationFormat) -> str:
    """The citation of `run`, ending with a line break."""
    match as_what:
        case CitationFormat.TEXT:
            lines = "\n".join(_text(run))
        case CitationFormat.JSON:
            lines = json_text(document(run), indent=1)
        case CitationFormat.BIBTEX:
            lines = bibtex(run)
        case CitationFormat.LATEX:
            lines = "\n".join((*_comments(run), tables(run)))
    return lines + "\n"


def bibtex(run: CitedRun) -> str:
    """The entries of the paper and of this software as it ran; `doubts` stand in its note."""
    commit = f"commit {run.state.commit}" if run.state.commit else "no commit"
    note = "; ".join((commit, f"configuration {run.figures.configuration}", *run.doubts()))
    fields = {
        "author": "{The reasrm contributors}",
        "title": "{reasrm}: reasoning reward models, trained and evaluated",
        "year": run.state.committed_on[:4],
        "version": run.version,
        "note": latex_text(note, LONGEST_NOTE),
        "url": latex_text(run.repository),
    }
    rows = ",\n".join(f"  {name:<7} = {{{value}}}" for name, value in fields.items() if value)
    return f"{PAPER}\n\n@software{{reasrm,\n{rows}\n}}"


def document(run: CitedRun) -> dict[str, Any]:
    """Everything as JSON."""
    return {
        "title": run.figures.title,
        "configuration": run.figures.configuration,
        "software": {"name": "reasrm", "version": run.version, "repository": run.repository},
        "commit": run.state.commit,
        "has_edits": run.state.has_edits,
        "out_of_date": run.state.stale,
        "figures_as_locked": run.figures_as_locked,
        "doubts": run.doubts(),
        "data_md5": {one.path: one.md5 for one in run.data},
        "data_of_others": {what: [one.model_dump(mode="json") for one in some] for what, some in run.origins.items()},
        "seeds": {key: list(seeds) for key, seeds in run.seeds.items()},
        "prompts": {model: prompt.model_dump() for model, prompt in run.prompts.items()},
        "versions": run.versions,
        "models": {name: {"label": run.label(name), **run.figures.models[name].model_dump(mode="json")}
                   for name in run.figures.ladder},
        "probes": {
            model: {
                name: [one.model_dump(mode="json") for one in probe.measures] for name, probe in found.probes.items()
            }
            for model, found in run.probes.items()
        },
    }  # fmt: skip


def _facts(run: CitedRun) -> Iterator[tuple[str, list[str]]]:
    """What is cited in words, by heading."""
    commit = run.state.commit or "none: the project is not in git"
    yield "title", [run.figures.title]
    yield "configuration", [run.figures.configuration]
    yield "software", [f"reasrm {run.version}"]
    yield "commit", [f"{commit}{' with edits' if run.state.has_edits else ''}"]
    yield "versions", [f"{name} {version}" for name, version in run.versions.items()]
    yield "seeds", [f"{key} {' and '.join(map(str, seeds))}" for key, seeds in run.seeds.items()]
    yield (
        "prompts",
        [
            f"{run.label(model)}: {one.prompt} {one.instruction[:SHOWN_HASH]}"
            for model, one in run.prompts.items()
            if one.instruction
        ],
    )
    yield "data (md5)", [f"{one.path} {_short(one.md5)}" for one in run.data]
    yield (
        "data of others",
        [
            f"{what}: {one.name}, revision {one.revision or 'not known'}, licence {one.licence or 'not stated'}"
            for what, some in run.origins.items()
            for one in some
        ],
    )
    yield "to be known", run.doubts()


def _text(run: CitedRun) -> Iterator[str]:
    for heading, values in _facts(run):
        if len(values) == 1:
            yield f"{heading}: {values[0]}"
        elif values:
            yield f"{heading}:"
            yield from (f"  {value}" for value in values)
    yield ""
    yield bibtex(run)


def _comments(run: CitedRun) -> Iterator[str]:
    for heading, values in _facts(run):
        if values:
            yield f"% {heading}: {latex_text('; '.join(values)) if len(values) == 1 else ''}".rstrip()
            yield from (f"%   {latex_text(value)}" for value in (values if len(values) > 1 else ()))


def _short(md5: str) -> str:
    """A hash's first digits, with the mark that it is a folder's."""
    digits, dot, folder = md5.partition(".")
    return f"{digits[:SHOWN_HASH]}{dot}{folder}"
