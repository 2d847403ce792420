"""The trace browser as files: the page, the index and the chunks of texts.

A page that is opened from a disk may read no file but scripts, pictures and styles. So each data file is a script of
one call, `reasrmTraces(name, build, data)`, whose `data` is base64 of gzip of JSON: no text of others can end the
string or begin a statement. The page's own script is allowed by its hash, and what it loads in turn by
`strict-dynamic`; hashes of the data files in the policy would be stricter, but browsers check them only where files
may be fetched, which is what a page on a disk may not. `require-trusted-types-for` makes the browser refuse any use of
text as markup, and lets the script load addresses of its own form alone.
"""

import base64
import gzip
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reasrm.benchmarks.registry import display_names
from reasrm.records.harmless_text import harmless
from reasrm.reporting.page import TEMPLATES, script_hash
from reasrm.reporting.page_settings import PageSettings
from reasrm.reporting.trace_browser.trace_index import TraceIndex
from reasrm.reporting.trace_browser.trace_texts import ItemTexts, Marks, chunks
from reasrm.reporting.trace_browser.traced_items import (
    TraceFolders,
    judged_models,
    probe_titles,
    read_traced_items,
)
from reasrm.runtime.outputs import new_folder, write_text

SCRIPTS = (
    "store.js",
    "choice.js",
    "address.js",
    "controls.js",
    "list.js",
    "overview.js",
    "highlights.js",
    "probed.js",
    "trace.js",
    "main.js",
)
"""The page's script, in parts that share one function's scope."""
FINGERPRINTED_FILES = (
    "templates/traces.html.jinja",
    "templates/traces.css",
    "templates/store.js",
    "templates/choice.js",
    "templates/address.js",
    "templates/controls.js",
    "templates/list.js",
    "templates/overview.js",
    "templates/highlights.js",
    "templates/probed.js",
    "templates/trace.js",
    "templates/main.js",
)
"""Files beside this module whose content is part of its meaning."""

OWN_TEMPLATES = Path(__file__).with_name("templates")
PAGE = Path("pages/traces.html")
"""The page, below the report's folder."""
DATA = "traces"
"""The folder of its data there."""
INDEX = "index"
REPORT = (("../index.html", "Report"),)


class BrowserSize(NamedTuple):
    """What was written."""

    judgments: int
    chunks: int
    bytes: int
    """Of the data files together."""


def write_trace_browser(
    folders: TraceFolders,
    settings: PageSettings,
    out: Path,
    navigation: tuple[tuple[str, str], ...] = REPORT,
) -> BrowserSize:
    """Write the page `pages/traces.html` and its data `traces/*.js` into the report's folder; whole or not at all.

    The same bytes for the same inputs.

    Args:
        folders: the pipeline's outputs.
        settings: the models' names and order.
        out: the report's folder.
        navigation: addresses and names of the report's other pages.

    Raises:
        BadRecordError: an input is not what its stage writes.
    """
    files, index = trace_files(folders, settings)
    with new_folder(out / DATA) as folder:
        for name, text in files.items():
            (folder / f"{name}.js").write_text(text, encoding="ascii")
    write_text(out / PAGE, render_browser(settings, navigation))
    return BrowserSize(index.judgments, len(files) - 1, sum(map(len, files.values())))


def trace_files(folders: TraceFolders, settings: PageSettings) -> tuple[dict[str, str], TraceIndex]:
    """The data files by name without ending, the index first."""
    models = judged_models(folders.judgments, settings.models)
    index, marks, starts = TraceIndex(models), Marks(), [0]

    def entries() -> Any:
        for traced in read_traced_items(folders, models):
            texts = ItemTexts(traced, models, marks)
            yield texts.entry()
            index.add(traced, texts.ungrounded)

    packed = []
    for chunk in chunks(entries()):
        packed.append(packed_json(chunk))
        starts.append(starts[-1] + len(chunk))
    labels = {model: settings.label(model) for model in models}
    columns = index.columns(labels, display_names(folders.benchmarks), probe_titles(folders, models))
    columns |= {"marks": marks.table, "chunks": starts[:-1]}
    build = hashlib.sha256("".join(packed).encode()).hexdigest()[:16]
    texts = {f"{number:04d}": script(f"{number:04d}", build, data) for number, data in enumerate(packed)}
    return {INDEX: script(INDEX, build, packed_json(columns)), **texts}, index


def packed_json(value: Any) -> str:
    """`value` as base64 of gzip of JSON; the same for the same value."""
    return base64.b64encode(gzip.compress(orjson.dumps(value), compresslevel=9, mtime=0)).decode()


def script(name: str, build: str, data: str) -> str:
    """A data file: one call, of nothing but letters, digits and `+/=` in quotation marks."""
    return f'reasrmTraces("{name}","{build}","{data}");\n'


def render_browser(settings: PageSettings, navigation: tuple[tuple[str, str], ...]) -> str:
    """The page as HTML; it depends on no judgment."""
    script_text = "(() => {\n" + "".join(_own(name) for name in SCRIPTS) + "})();\n"
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8") + _own("traces.css")
    values: Mapping[str, Any] = {
        "title": harmless(settings.title or ""),
        "configuration": harmless(settings.configuration),
        "navigation": [(address, harmless(name)) for address, name in navigation],
        "script": Markup(script_text),  # noqa: S704  our own file
        "script_hash": script_hash(script_text),
        "style": Markup(style),  # noqa: S704  our own file
        "style_hash": script_hash(style),
    }
    environment = Environment(
        loader=FileSystemLoader(OWN_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("traces.html.jinja").render(values)


def _own(name: str) -> str:
    return (OWN_TEMPLATES / name).read_text(encoding="utf-8")
