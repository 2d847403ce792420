"""The report as a small static site: which pages there are, how they link to each other, and all of them as HTML.

Every page is one file that loads nothing, so the site works from a disk; pages link to each other by relative paths.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from reasrm.reporting.model_scores import ReportedShift
from reasrm.reporting.page import render_page
from reasrm.reporting.page_settings import PageSettings
from reasrm.reporting.pages.benchmarks import BenchmarksPage, benchmarks_page
from reasrm.reporting.pages.data import DataPage, data_page
from reasrm.reporting.pages.overview import OverviewPage, overview_page
from reasrm.reporting.pages.policy import PolicyPage, policy_page
from reasrm.reporting.pages.probes import ProbesPage, probes_page
from reasrm.reporting.pages.training import TrainingPage, training_page
from reasrm.reporting.plots import SMOOTHING
from reasrm.reporting.source import Folders, ReportSource, read_source

PAPER_ADDRESS = "https://arxiv.org/abs/2505.02387"
"""Where a reader finds the paper. It and the repository's are the only addresses on the pages; nothing is loaded."""
INDEX = "index.html"
PAGES = "pages"
"""The folder of all other pages, beside the index."""
TRACES = f"{PAGES}/traces.html"
"""The page of the trace browser, which `trace_browser.browser_files` writes with its data."""


class SitePage(NamedTuple):
    """A page as the others link to it."""

    path: str
    """Relative to the site's folder."""
    title: str
    holds: str
    """What it holds, in a sentence."""
    sections: tuple[tuple[str, str], ...]
    """Anchors and names."""


@dataclass(frozen=True)
class Site:
    """Everything that the pages show."""

    source: ReportSource
    overview: OverviewPage
    benchmarks: BenchmarksPage
    probes: ProbesPage
    policy: PolicyPage | None
    """None where no policy was trained."""
    training: TrainingPage
    data: DataPage

    @property
    def pages(self) -> tuple[SitePage, ...]:
        """All pages in the order of the navigation."""
        policies = () if self.policy is None else (_policies(self.policy),)
        return (
            SitePage(INDEX, "Overview", "The run in short.", self.overview.sections),
            SitePage(
                f"{PAGES}/benchmarks.html",
                "Benchmarks",
                "Every model on every benchmark, by family, slice and style; changed verdicts and examples.",
                self.benchmarks.sections,
            ),
            SitePage(
                f"{PAGES}/probes.html",
                "Probes",
                "Whether a verdict can be trusted: every model asked again about perturbed comparisons.",
                self.probes.sections,
            ),
            *policies,
            SitePage(
                f"{PAGES}/training.html",
                "Training",
                "What each training did step by step, and what the policy wrote while it was reinforced.",
                self.training.sections,
            ),
            SitePage(
                f"{PAGES}/data.html",
                "Data",
                "Where pairs and traces come from, what was left out, and how everything is made again.",
                self.data.sections,
            ),
            SitePage(
                TRACES,
                "Traces",
                "Every judgment of every model with its trace; swapped and perturbed ones beside it.",
                (),
            ),
        )

    def navigation(self, here: str) -> tuple[tuple[str, str], ...]:
        """Relative addresses and names of all other pages, on the page `here`."""
        return tuple((link(here, page.path), page.title) for page in self.pages if page.path != here)


def gather(
    folders: Folders, settings: PageSettings, parameters: Mapping[str, Any], shift: ReportedShift | None
) -> Site:
    """Read everything that the pages show.

    Args:
        folders: the pipeline's outputs.
        settings: names, texts and sizes.
        parameters: the sections of params.yaml that the outputs were made with (`PARAMETER_SECTIONS`).
        shift: the two models of `side_by_side` on what traces cover and on the rest; None where that is not told apart.
    """
    source = read_source(folders, settings, parameters, shift)
    probes = probes_page(source)
    return Site(
        source=source,
        overview=overview_page(source, probes.faithfulness),
        benchmarks=benchmarks_page(source),
        probes=probes,
        policy=policy_page(source),
        training=training_page(source),
        data=data_page(source),
    )


def render(site: Site) -> dict[str, str]:
    """Every page but that of the traces, by path below the site's folder; the same bytes for the same content."""
    policies = () if site.policy is None else (site.policy,)
    contents = (site.overview, site.benchmarks, site.probes, *policies, site.training, site.data)
    return dict(_rendered(site, contents))


def _policies(page: PolicyPage) -> SitePage:
    return SitePage(
        f"{PAGES}/policy.html",
        "Policies",
        "Policies trained with each judge's rewards: how right and safe, at which cost, and whether judges were gamed.",
        page.sections,
    )


def _rendered(site: Site, contents: tuple[Any, ...]) -> Iterator[tuple[str, str]]:
    settings = site.source.settings
    for here, page in zip((one for one in site.pages if one.path != TRACES), contents, strict=True):
        name = "overview" if here.path == INDEX else here.path.removeprefix(f"{PAGES}/").removesuffix(".html")
        yield (
            here.path,
            render_page(
                f"{name}.html.jinja",
                document_title=settings.title if here.path == INDEX else f"{here.title} · {settings.title}",
                source=site.source,
                settings=settings,
                page=page,
                pages=site.pages,
                here=here,
                href=lambda path, here=here: link(here.path, path),
                paper_address=PAPER_ADDRESS,
                smoothing=SMOOTHING,
            ),
        )


def link(here: str, path: str) -> str:
    """The relative address of the page `path` on the page `here`."""
    if here == INDEX:
        return path
    return f"../{INDEX}" if path == INDEX else path.removeprefix(f"{PAGES}/")
