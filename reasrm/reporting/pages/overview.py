"""The first page: headline, ladder, one pair before and after training, and a trust card per model."""

from dataclasses import dataclass

from reasrm.reporting.benchmark_figures.headline import Card, difference_rows, headline_cards
from reasrm.reporting.benchmark_figures.ladder import Ladder, build_ladder
from reasrm.reporting.pages.benchmarks import seeds_of
from reasrm.reporting.probe_figures.trust_card import TrustCard, rules_in_words, trust_cards
from reasrm.reporting.replies.before_after import before_after_pair
from reasrm.reporting.replies.example_view import BeforeAfterView, before_after_view
from reasrm.reporting.source import ReportSource


@dataclass(frozen=True)
class OverviewPage:
    """What the page shows."""

    cards: tuple[Card, ...]
    ladder: Ladder
    before_after: BeforeAfterView | None
    trust: tuple[TrustCard, ...]
    rules: tuple[tuple[str, str], ...]
    """How the words of the trust cards are chosen, by label of the line."""
    faithfulness: str
    """What training did to the faithfulness of the reasons; empty where that was not probed."""

    @property
    def sections(self) -> tuple[tuple[str, str], ...]:
        """Anchors and names."""
        return (
            ("overview", "In short"),
            ("trust", "Can it be trusted?"),
            ("pages", "All pages"),
            ("glossary", "Glossary"),
        )


def overview_page(source: ReportSource, faithfulness: str) -> OverviewPage:
    """Gather it."""
    scores, settings = source.scores, source.settings
    return OverviewPage(
        cards=headline_cards(scores, settings, difference_rows(scores, settings), source.funnel),
        ladder=build_ladder(source.models, settings, seeds_of(settings.configuration, source.parameters)),
        before_after=_before_after(source),
        trust=trust_cards(source.models, source.measures),
        rules=rules_in_words(),
        faithfulness=faithfulness,
    )


def _before_after(source: ReportSource) -> BeforeAfterView | None:
    """The pair that the page opens with; None where one of its models was not scored."""
    settings, folders = source.settings, source.folders
    models = settings.before_after
    if any(model not in source.scores for model in models):
        return None
    pair = before_after_pair(folders.judgments, folders.benchmarks, models)
    names = (settings.label(models[0]), settings.label(models[1]))
    if pair is None:
        return None
    return before_after_view(pair, names, settings.example_characters, source.benchmark_labels)
