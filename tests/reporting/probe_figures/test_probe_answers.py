"""What a probe's section begins with, and the texts that it was asked with."""

from pathlib import Path

from reasrm.probes.measure import Measure
from reasrm.probes.measures_file import ProbeMeasures
from reasrm.reporting.probe_figures.probe_answers import probe_answers
from reasrm.reporting.probe_figures.probe_texts import other_settings, probe_settings
from reasrm.reporting.probe_figures.tested_family import adjusted_p
from reasrm.reporting.source import model_views, read_all_scores
from stages.report import ReportParams
from tests.reporting.made_up_measures import PROBED, made_up_measures, measure, probed


def test_the_answer_has_every_measured_model_with_the_word_of_its_card(
    made_up_data: Path, params: ReportParams
) -> None:
    models = [model for model in model_views(read_all_scores(made_up_data / "scores"), params) if model.name in PROBED]
    measures = {model: made_up_measures(model) for model in PROBED}
    (order,) = probe_answers("order", models, measures, adjusted_p(measures, ()))
    assert [(one.model.name, one.figure, one.interval, one.word) for one in order.figures][:2] == [
        ("base", "30.0 %", "[27.0, 33.0]", "unsteady"), ("sft", "15.0 %", "[12.0, 18.0]", "unsteady"),
    ]  # fmt: skip
    (grounding,) = probe_answers("grounding", models, measures, {})
    assert "scalar_rm" not in [one.model.name for one in grounding.figures], "refused"
    assert list(probe_answers("variants", models, measures, {})) == [], "nobody said what its answer is"


def test_an_effect_that_is_not_shown_is_not_called_one(made_up_data: Path, params: ReportParams) -> None:
    model = next(one for one in model_views(read_all_scores(made_up_data / "scores"), params) if one.name == "sft")
    words = []
    for p in (0.5, 0.001):
        found = with_probe("question", [measure("uses_question", 0.02, 0.05, null=0.0, p=p, variant="shuffled")])
        (answer,) = probe_answers("question", [model], {"sft": found}, adjusted_p({"sft": found}, ()))
        words.append(answer.figures[0].word)
    assert words == ["no effect shown", ""]


def test_texts_are_shown_as_they_are_and_what_was_not_asked_is_said() -> None:
    texts = {"naive": "{answer} <b>Please</b>", "empty": "", "forged": "x"}
    given = {"texts": texts, "master_keys": {"stop": ".", "blank": " "}, "style": {"before": "Well."}, "repeats": 3}
    rows = [measure("asr", 0.1, 0.1, variant=name) for name in ("empty", "forged_undefused", "key_stop")]
    one = probed("Attacks", "?", rows).model_copy(update={"settings": given})
    refused = probed("Attacks", "?", [], refused="it cannot").model_copy(update={"settings": {"texts": {}}})
    settings = {setting.name: setting for setting in probe_settings({"scalar": refused, "sft": one})}
    found = [(text.name, text.text, text.counted) for text in settings["texts"].texts]
    assert found == [("naive", "{answer} <b>Please</b>", False), ("empty answer", "", True), ("forged", "x", True)]
    assert [text.counted for text in settings["master keys"].texts] == [True, False]
    assert [text.counted for text in settings["style"].texts] == [True], "no name of a variant"
    assert settings["repeats"].value == "3"
    other = one.model_copy(update={"settings": given | {"repeats": 4}})
    assert other_settings({"scalar": refused, "sft": one, "grpo": other}) == ["grpo"]


def with_probe(name: str, measures: list[Measure]) -> ProbeMeasures:
    """The made-up measures of a model, of one probe."""
    return made_up_measures("sft").model_copy(update={"probes": {name: probed("Made up", "?", measures)}})
