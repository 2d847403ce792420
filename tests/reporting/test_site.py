"""The pages: each self-contained, linked to each other, and nothing from data or models is more than text."""

import html
import re
import shutil
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from pydantic import ValidationError

from reasrm.records.benchmark_folder import ACCOUNT
from reasrm.records.harmless_text import harmless
from reasrm.reporting.page import TEMPLATES, script_hash
from reasrm.reporting.pages import benchmarks
from reasrm.reporting.run_settings import read_parameters, settings_hash
from reasrm.reporting.site import INDEX, PAPER_ADDRESS, TRACES, link, render
from reasrm.reporting.stored_runs import OtherLadder, StoredRun
from stages.report import ReportParams, report
from tests.policy.made_up_policies import score_to
from tests.reporting.made_up_run import SET, write_published_metrics

VOID = {"meta", "br", "link", "img", "input", "hr", "base", "col"}


class Page(HTMLParser):
    """What a browser would build: tags, attributes, and the text of each kind of element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that opens."""
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that closes itself."""
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that it closes what was opened last."""
        assert self.open[-1:] == [tag], f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text.append(data)


def text_of(site: dict[str, str], *paths: str) -> str:
    """The text of some pages, of all if none is named, with single spaces."""
    return " ".join("".join("".join(Page(site[path]).text) for path in paths or site).split())


BENCHMARKS, PROBES, POLICY, TRAINING, DATA = (
    f"pages/{name}.html" for name in ("benchmarks", "probes", "policy", "training", "data")
)
PATHS = (INDEX, BENCHMARKS, PROBES, POLICY, TRAINING, DATA)
ALL = (*PATHS, TRACES)


def test_these_are_the_pages(made_up_site: dict[str, str]) -> None:
    assert tuple(made_up_site) == PATHS
    assert [link(PROBES, path) for path in PATHS[:3]] == ["../index.html", "benchmarks.html", "probes.html"]


@pytest.mark.parametrize("path", PATHS)
def test_every_tag_is_closed(made_up_site: dict[str, str], path: str) -> None:
    assert Page(made_up_site[path]).open == []


@pytest.mark.parametrize("path", PATHS)
def test_nothing_is_loaded_and_the_only_link_outside_is_the_paper(made_up_site: dict[str, str], path: str) -> None:
    outside = [
        (tag, value)
        for tag, name, value in Page(made_up_site[path]).attributes
        if name in {"href", "src", "xlink:href", "action", "data"}
        and not value.startswith("#")
        and str(Path(path).parent / value.partition("#")[0]).replace("pages/../", "") not in ALL
    ]
    assert outside == ([("a", PAPER_ADDRESS)] if path == INDEX else [])
    assert not re.search(r"url\((?!#)|@import", made_up_site[path])


def test_each_link_has_its_target(made_up_site: dict[str, str]) -> None:
    ids = {
        path: [value for _, name, value in Page(page).attributes if name == "id"] for path, page in made_up_site.items()
    }
    for path, page in made_up_site.items():
        for tag, name, value in Page(page).attributes:
            if tag == "a" and name == "href" and "#" in value and value != PAPER_ADDRESS:
                file, _, anchor = value.partition("#")
                there = str(Path(path).parent / file).replace("pages/../", "") if file else path
                if there == TRACES:
                    assert parse_qs(anchor).keys() <= {"model", "flags", "changed"}, value
                else:
                    assert anchor in ids[there], f"{path} links to {value}"
        own = [name for name in ids[path] if not re.fullmatch(r"[mp][0-9a-f]{10}", name)]
        assert len(own) == len(set(own))


@pytest.mark.parametrize("path", PATHS)
def test_every_page_links_to_every_page_and_marks_itself(made_up_site: dict[str, str], path: str) -> None:
    (navigation,) = re.findall(r'<nav class="site".*?</nav>', made_up_site[path], flags=re.DOTALL)
    assert re.findall(r'href="([^"]+)"', navigation) == [link(path, other) for other in ALL]
    assert re.findall(r'href="([^"]+)" aria-current="page"', navigation) == [link(path, path)]


def test_what_stood_on_the_one_page_has_kept_its_anchor(made_up_site: dict[str, str]) -> None:
    anchors = {
        BENCHMARKS: ("scores", "by-hand", "families", "slices", "transitions", "budgets", "styles", "paper",
                     "reliability", "examples"),
        TRAINING: ("training", "rollouts"),
        DATA: ("data", "reproduce"),
        INDEX: ("glossary",),
    }  # fmt: skip
    for path, names in anchors.items():
        for name in names:
            assert f'id="{name}"' in made_up_site[path], name


@pytest.mark.parametrize("path", PATHS)
def test_the_policy_allows_the_one_script_and_no_connection(made_up_site: dict[str, str], path: str) -> None:
    (policy,) = (
        value
        for tag, name, value in Page(made_up_site[path]).attributes
        if name == "content" and "default-src" in value
    )
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    assert f"<script>{script}</script>" in made_up_site[path]
    assert policy.startswith("default-src 'none';")
    assert f"script-src '{script_hash(script)}'" in policy


def test_the_site_is_small_enough_for_a_mail(made_up_site: dict[str, str]) -> None:
    sizes = {path: len(page.encode()) for path, page in made_up_site.items()}
    assert sizes.pop(POLICY) < 90_000
    assert sum(sizes.values()) < 700_000


@pytest.mark.parametrize("path", PATHS)
def test_headings_go_down_one_step_at_a_time(made_up_site: dict[str, str], path: str) -> None:
    levels = [int(tag[1]) for tag in Page(made_up_site[path]).tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))


def test_every_plot_says_what_it_shows(made_up_site: dict[str, str]) -> None:
    everything = "".join(made_up_site.values())
    plots = re.findall(r'<svg class="plot"[^>]*>', everything)
    assert len(plots) > 10
    assert everything.count('class="dots"') > 15
    assert all('aria-label="' in plot and 'role="img"' in plot for plot in plots)


def test_what_a_reader_needs_is_there(made_up_site: dict[str, str]) -> None:
    wanted: dict[str, tuple[str, ...]] = {
        INDEX: (
            "ScalarRM", "Chain of Rubrics", "One pair, judged before and after training", "Chosen by rule: of the",
            "of the paper's table 2", "91.4", "5 min 1 s on 2 CPU cores", "Elsewhere it took longer", "stored",
            "first a rubric, each criterion with its weight in percent, or the judge's own solution; then quotations",
            "Can it be trusted?", "How the words are chosen", "above chance", "unsteady",
        ),
        BENCHMARKS: (
            "mini-RewardBench", "mini-RM-Bench: style against content", "mini-RMB", "flips when swapped", "unreadable",
            "Cold-start RL", "published", "in neither answer", "Better answer shown as B", "arXiv 2505.02387v3",
            "becomes right", "exact McNemar test", "What is set by hand", "The base model's habits",
            "all of dial-short, turn-short, chat-toast, chat-letter", "What the traces cover, and what they do not",
            "on what no trace covers", "on what grounds", "worked solution", "own criteria: layout",
            "Accuracy within a token budget", "From Base model to SFT + GRPO, in points: hard +",
            "A dial counts 0 to 4", "A slice is a part of a family", "hard",
        ),
        PROBES: (
            "Order of the answers", "Does the verdict follow the answer?", "Somebody (2026), section 1", "net change",
                "Verdicts that flip when A and B change places",
            "What net_change is, in words.", "edit 8", "3.25", "steps", "adjusted as one family of the 8 tests",
            "ScalarRM was not probed: the judge writes no replies", "SFT on traces 7 of 30;", "4 left out",
            "Is it easy to cheat?", "What does it cost against a reward model that scores?",
            "From SFT on traces to SFT + GRPO, on the same questions, with adjusted p. More: ",
            "Are the intermediate steps right?", "Do longer traces help?", "1.50", "-12.0",
        ),
        TRAINING: (
            "KL to the starting checkpoint", "Sample rollouts", "No kept group had signal", "Behind the verdict",
        ),
        DATA: (
            "What was left out, and why", "wrong verdict", "dvc repro", "Exact parameters", "learning_rate",
            "no key was used", "it would cost $1.50", "nothing is trained on them", "probe_variants",
        ),
    }  # fmt: skip
    for path, expected in wanted.items():
        text = text_of(made_up_site, path)
        for one in expected:
            assert one in text, f"{one} on {path}"


def test_hostile_text_adds_no_element_and_no_handler(
    made_up_site: dict[str, str], hostile_site: dict[str, str]
) -> None:
    for path, hostile in hostile_site.items():
        page = Page(hostile)
        assert set(page.tags) <= set(Page(made_up_site[path]).tags), path
        assert page.tags.count("script") == page.tags.count("style") == page.tags.count("title") == 1
        assert not [name for _, name, _ in page.attributes if name.startswith("on")]
        links = {value for _, name, value in page.attributes if name in {"href", "src"}}
        assert {one for one in links if ":" in one.partition("#")[0]} == ({PAPER_ADDRESS} if path == INDEX else set())


def test_hostile_text_is_shown_as_it_is(hostile_site: dict[str, str]) -> None:
    for path, page in hostile_site.items():
        text = "".join(Page(page).text)
        assert text.count("<script>window.pwned=1;alert(1)</script>") > 5, path
        assert "{{ 7*7 }}{% raw %}" in text
        assert "49{%" not in text


def test_what_cannot_be_seen_is_spelled_out(hostile_site: dict[str, str]) -> None:
    for page in hostile_site.values():
        assert "⟦U+202E RIGHT-TO-LEFT OVERRIDE⟧" in page
        assert harmless(page) == page


def test_blank_lines_and_spaces_of_an_answer_survive(made_up_site: dict[str, str]) -> None:
    page = made_up_site[BENCHMARKS]
    assert "seg-text" in page
    assert "  " not in re.sub(r">\s+<", "><", "".join(re.findall(r'<p class="text">(.*?)</p>', page)))


def test_benchmarks_of_the_miniature_are_never_called_like_the_published_ones(made_up_site: dict[str, str]) -> None:
    published = r'<section (?:id="paper"|class="sheet ladder"[^>]*)>.*?</section>'
    for page in made_up_site.values():
        text = "".join(Page(re.sub(published, "", page, flags=re.DOTALL)).text)
        assert not re.findall(r"(?<!mini-)\b(?:RewardBench|RM-Bench|RMB)\b", text)


def test_a_shared_link_shows_title_and_summary(made_up_site: dict[str, str], params: ReportParams) -> None:
    for path, page in made_up_site.items():
        meta = dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)">', page))
        assert meta["og:title"].endswith(str(params.title))
        assert (meta["og:title"] == params.title) == (path == INDEX)
        assert html.unescape(meta["og:description"]) == html.unescape(meta["description"]) == params.summary


@pytest.mark.parametrize("path", PATHS)
def test_every_row_has_a_header_with_text_and_every_region_a_name_of_its_own(
    made_up_site: dict[str, str], path: str
) -> None:
    assert not re.findall(r"<th[^>]*>\s*</th>", made_up_site[path])
    names = re.findall(r'role="region" aria-label="([^"]+)"', made_up_site[path])
    assert len(names) == len(set(names)) == made_up_site[path].count('role="region"')


def test_a_lazy_oracle_and_what_was_measured_apart_are_told(
    data_without_curves: Path, params: ReportParams, made_up_site: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = {"model": "base", "accuracy": 0.512, "n": 9, "ci95": (0.5, 0.53), "command": "reasrm x", "measured_on": "now"}
    lazy = read_parameters()
    lazy["distill_traces_variants"] = {name: {"model": "miniature-lazy-1"} for name in ("first", "second")}
    same = {"settings": settings_hash(lazy), **run}
    seeds = (StoredRun(ladder="miniature", seed=1, **same), StoredRun(ladder="another", seed=2, **same))
    ladder = OtherLadder(title="No shift", text="All slices.", runs=(StoredRun(ladder="all slices", seed=0, **run),))
    monkeypatch.setattr(benchmarks, "other_seeds", lambda: seeds)
    monkeypatch.setattr(benchmarks, "other_ladders", lambda: (ladder,))
    site = render(report(data_without_curves, params, lazy))
    text = text_of(site)
    assert all(Page(page).open == [] for page in site.values())
    assert site[INDEX].count('class="ring"') == 1, "a seed of another configuration is not this ladder's"
    for expected in ("rings: training seed 1", "storedOther training seeds", "storedNo shift", "all slices, seed 0",
                     "judges so many by layout alone: dial 10 %, turn 75 %"):  # fmt: skip
        assert expected in text, expected
    assert "another, seed 2" not in text
    assert "The oracle is careful." in made_up_site[BENCHMARKS]
    assert "The oracle is careful." not in text
    assert "not shown: params.yaml trains" not in text


def test_seeds_that_had_other_settings_are_not_shown_and_it_is_said(
    data_without_curves: Path, params: ReportParams, made_up_site: dict[str, str]
) -> None:
    assert "storedOther training seeds" in text_of(made_up_site)
    edited = read_parameters()
    edited["grpo"] = edited["grpo"] | {"steps": edited["grpo"]["steps"] + 1}
    text = text_of(render(report(data_without_curves, params, edited)))
    assert "storedOther training seeds" not in text
    assert "rings: training seed" not in text
    assert "not shown: params.yaml trains or judges with other settings than they had." in text


@pytest.mark.parametrize("address", ["javascript:alert(1)", "http://x", "https://x y", 'https://x"onclick=', "code"])
def test_the_repository_is_an_https_address_or_nothing(params: ReportParams, address: str) -> None:
    with pytest.raises(ValidationError, match="repository"):
        ReportParams.model_validate(params.model_dump() | {"repository": address})


@pytest.mark.slow
def test_published_traces_are_not_called_an_oracles(
    data_without_curves: Path, params: ReportParams, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(data_without_curves, data)
    write_published_metrics(data)
    site = render(report(data, params, read_parameters()))
    text = text_of(site)
    assert all(Page(page).open == [] for page in site.values())
    assert f"some/traces (revision {SET.revision}, licence mit; written by: <b>a model</b>)" in text
    assert "published traces kept for SFT" in text
    assert "What others published" in text
    for absent in ("no key was used", "first pass: asked", "oracle traces kept"):
        assert absent not in text, absent


def test_what_a_configuration_does_not_have_is_left_out(
    data_without_curves: Path, params: ReportParams, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(data_without_curves, data)
    account = data / "benchmarks" / ACCOUNT
    account.write_text(account.read_text(encoding="utf-8").replace('"miniature"', '"files"'), encoding="utf-8")
    bare = {"reference_run": None, "families": {}, "slices": "", "notes": (), "paper_rows": {}}
    bare |= {"before_after": ("scalar_rm", "grpo-full")}  # the first writes nothing
    bare |= {"configuration": "rows of a user"}  # so seeds stored for the miniature are not its own
    vendor = read_parameters() | {"distill_traces": {"endpoint": "environment"}}
    for section in ("collect_pairs", "base_model"):
        vendor[section] = vendor[section] | {"source": "files"}
    vendor["probe_variants"] = {}
    score_to(data, [])
    shutil.rmtree(data / "probes")
    (data / "probes").mkdir()
    site = render(report(data, params.model_copy(update=bare), vendor))
    text = text_of(site)
    assert all(Page(page).open == [] for page in site.values())
    assert tuple(site) == tuple(path for path in PATHS if path != POLICY), "no policy is trained"
    assert "policy.html" not in site[INDEX]
    for absent in (
        "set by hand",
        "2 CPU cores",
        "Other training seeds",
        "steps of the paper's table",
        "no key was used",
        "mini-RM",
        "before and after",
        "no trace covers",
        "How to read the tables",
        "How the words are chosen",
    ):
        assert absent not in text, absent
    assert "Accuracy of each recipe" in text
    assert "tokens come to $1.50" in text
    assert text.count("No model of this configuration is probed") == 2
    assert "Not measured in this run: no model was attacked." in text
    probes = text_of(site, PROBES)
    assert probes.index("No model of this configuration is probed") < probes.index("Is it easy to cheat?")
