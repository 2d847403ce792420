"""One page as HTML: templates filled in, everything from data or models escaped, one file without outside connections.

Three layers guard the reader. Jinja escapes every value; invisible and direction-turning characters are shown as code
points; and the page's own security policy allows no connection, no image, no frame and no script but the one whose
hash it names.
"""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reasrm.records.harmless_text import harmless
from reasrm.reporting.charts import diverging
from reasrm.reporting.display_text import interval, points
from reasrm.reporting.dot_chart import SHAPES
from reasrm.reporting.stored_runs import stored_rows, stored_sources

FINGERPRINTED_FILES = (
    "templates/base.html.jinja",
    "templates/macros.html.jinja",
    "templates/overview.html.jinja",
    "templates/opening.html.jinja",
    "templates/trust.html.jinja",
    "templates/glossary.html.jinja",
    "templates/benchmarks.html.jinja",
    "templates/scores.html.jinja",
    "templates/set_by_hand.html.jinja",
    "templates/paper.html.jinja",
    "templates/reliability.html.jinja",
    "templates/examples.html.jinja",
    "templates/probes.html.jinja",
    "templates/policy.html.jinja",
    "templates/training.html.jinja",
    "templates/curves.html.jinja",
    "templates/rollouts.html.jinja",
    "templates/data.html.jinja",
    "templates/funnel.html.jinja",
    "templates/reproduce.html.jinja",
    "templates/page.css",
    "templates/page.js",
)
"""Files beside this module whose content is part of its meaning."""

TEMPLATES = Path(__file__).with_name("templates")


def render_page(template: str, **values: Any) -> str:
    """The page of a template as HTML; the same bytes for the same values."""
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    return environment().get_template(template).render(
        style=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),  # noqa: S704  our own file
        script=Markup(script),  # noqa: S704  our own file
        script_hash=script_hash(script),
        **values,
    )  # fmt: skip


def script_hash(script: str) -> str:
    """What a content security policy calls an inline script that it allows."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def environment() -> Environment:
    """The templates' environment: every value is escaped, and one that is missing is an error."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    made.filters |= {"points": points, "interval": interval, "diverging": diverging}
    made.filters |= {"stored_rows": stored_rows, "stored_sources": stored_sources}
    made.globals["shapes"] = SHAPES
    return made


def _shown(value: Any) -> Any:
    """Every value that enters the page as text; our own markup passes as it is."""
    return harmless(value) if isinstance(value, str) and not isinstance(value, Markup) else value
