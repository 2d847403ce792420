"""The page: templates filled in, everything from data or models escaped, one file without outside connections.

Three layers guard the reader. Jinja escapes every value; invisible and direction-turning characters are shown as code
points; and the page's own security policy allows no connection, no image, no frame and no script but the one whose
hash it names.
"""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reasrm.records.harmless_text import harmless
from reasrm.reporting.charts import diverging
from reasrm.reporting.content import Content
from reasrm.reporting.display_text import interval, points
from reasrm.reporting.dot_chart import SHAPES
from reasrm.reporting.plots import SMOOTHING
from reasrm.reporting.stored_runs import stored_rows, stored_sources

FINGERPRINTED_FILES = (
    "templates/page.html.jinja",
    "templates/macros.html.jinja",
    "templates/first_screen.html.jinja",
    "templates/scores.html.jinja",
    "templates/set_by_hand.html.jinja",
    "templates/paper.html.jinja",
    "templates/reliability.html.jinja",
    "templates/training.html.jinja",
    "templates/rollouts.html.jinja",
    "templates/data.html.jinja",
    "templates/examples.html.jinja",
    "templates/reproduce.html.jinja",
    "templates/glossary.html.jinja",
    "templates/page.css",
    "templates/page.js",
)
"""Files beside this module whose content is part of its meaning."""

TEMPLATES = Path(__file__).with_name("templates")

PAPER_ADDRESS = "https://arxiv.org/abs/2505.02387"
"""Where a reader finds the paper. It and the repository's are the only addresses on the page; nothing is loaded."""

SECTIONS = (
    ("scores", "Scores"),
    ("by-hand", "What is set by hand"),
    ("families", "Families of questions"),
    ("slices", "Slices and the shift"),
    ("transitions", "Changed verdicts"),
    ("budgets", "Token budgets"),
    ("styles", "Style against content"),
    ("paper", "Published and stored figures"),
    ("reliability", "Reliability"),
    ("training", "Training"),
    ("rollouts", "Sample rollouts"),
    ("data", "Data"),
    ("examples", "Examples"),
    ("reproduce", "Reproduce"),
    ("glossary", "Glossary"),
)
"""Anchors and names of the navigation."""


def sections(content: Content) -> list[tuple[str, str]]:
    """The sections that this page has."""
    absent = {
        "by-hand": not content.set_by_hand,
        "families": not content.families,
        "slices": content.slices is None,
        "transitions": not content.examples.transitions,
        "budgets": content.token_budgets is None,
        "styles": not content.heat_maps,
    }
    return [(anchor, name) for anchor, name in SECTIONS if not absent.get(anchor)]


def render(content: Content) -> str:
    """The page as HTML; the same bytes for the same content."""
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    return _environment().get_template("page.html.jinja").render(
        content=content,
        settings=content.settings,
        paper_address=PAPER_ADDRESS,
        smoothing=SMOOTHING,
        sections=sections(content),
        style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),  # noqa: S704  our own file
        script=Markup(script),  # noqa: S704  our own file
        script_hash=script_hash(script),
    )  # fmt: skip


def script_hash(script: str) -> str:
    """What a content security policy calls an inline script that it allows."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {"points": points, "interval": interval, "diverging": diverging}
    environment.filters |= {"stored_rows": stored_rows, "stored_sources": stored_sources}
    environment.globals["shapes"] = SHAPES
    return environment


def _shown(value: Any) -> Any:
    """Every value that enters the page as text; our own markup passes as it is."""
    return harmless(value) if isinstance(value, str) and not isinstance(value, Markup) else value
