"""What is published loads by transformers alone and judges the same; nothing private or superfluous is in it."""

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from reasrm.evaluation.judge_opening import open_judge
from reasrm.evaluation.judge_template import RubricsTemplate
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.judging.prompt import PLAIN_COMPARISON
from reasrm.publishing.card_facts import card_facts
from reasrm.publishing.clean_folder import LeakError, write_clean_folder
from reasrm.publishing.hub_upload import push
from reasrm.publishing.lineage import lineage, read_lock
from reasrm.publishing.model_card import model_card
from reasrm.runtime.stage_main import StageError
from tests.publishing.finished_project import write_project
from tests.publishing.local_hub import local_hub
from tests.publishing.test_model_card import CURRENT

SFT = "data/checkpoints/sft"


@pytest.fixture
def project(checkpoint: Path, tmp_path: Path) -> Path:
    write_project(tmp_path / "project", checkpoint)
    return tmp_path / "project"


def published(project: Path, dtype: str = "float32") -> tuple[Path, list[str]]:
    facts = card_facts(project, "sft", lineage(read_lock(project), "sft"), CURRENT)
    card, to = model_card(facts, "", dtype), project / "published/sft"
    return to, write_clean_folder(project / SFT, to, card, dtype, facts.base.licence_files, [project, Path.home()])


def test_the_cards_code_judges_as_the_projects_own_judge(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, left_out = published(project)
    assert left_out == ["training_args.bin"]
    assert (folder / "LICENSE").read_text() == "Apache License\n"
    assert (folder / "model.safetensors").read_bytes() == (project / SFT / "model.safetensors").read_bytes()
    template = RubricsTemplate(PromptVariant.ANSWER_ONLY)
    with open_judge(folder, template=template, max_new_tokens=24) as judge:
        (judged,) = judge.judge([PLAIN_COMPARISON])
    assert judged.reply is not None
    monkeypatch.chdir(folder)
    capsys.readouterr()
    (snippet,) = re.findall(r"```python\n(.*?)```", (folder / "README.md").read_text(), re.DOTALL)
    exec(snippet, {})
    written = capsys.readouterr().out.strip()
    assert written.startswith(judged.reply.text.strip())  # the last token may reach beyond the end of the verdict
    assert len(written) < len(judged.reply.text.strip()) + 12


def test_weights_are_rounded_and_the_configuration_says_so(project: Path) -> None:
    folder, _ = published(project, "bfloat16")
    stored, before = (load_file(one / "model.safetensors") for one in (folder, project / SFT))
    assert all(torch.equal(tensor, before[name].bfloat16()) for name, tensor in stored.items())
    assert json.loads((folder / "config.json").read_text())["dtype"] == "bfloat16"
    assert (
        "Measured with the weights in `float32`, before they were rounded to `bfloat16`."
        in (folder / "README.md").read_text()
    )


@pytest.mark.parametrize(
    ("leak", "said"),
    [
        ("a-secret-of-16-ch", "the value of SOME_API_KEY"),
        ("hf_" + "a1B2" * 9, "what looks like a key"),
        ("PROJECT/data/x", "a path of this machine"),
    ],
)
def test_what_must_not_leave_the_machine_stops_it(
    project: Path, monkeypatch: pytest.MonkeyPatch, leak: str, said: str
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "a-secret-of-16-ch")
    file = project / SFT / "tokenizer_config.json"
    leaking = json.loads(file.read_text()) | {"note": leak.replace("PROJECT", str(project))}
    file.write_text(json.dumps(leaking))
    with pytest.raises(LeakError, match=rf"^tokenizer_config\.json: holds {said}") as caught:
        write_clean_folder(project / SFT, project / "out", "card", "float32", [], [project])
    assert leak not in str(caught.value)
    assert not (project / "out").exists()


def test_a_folder_of_something_else_is_not_replaced(project: Path) -> None:
    to, _ = published(project)
    published(project)  # what reasrm has published is
    (to / "thesis.tex").write_text("years of work")
    with pytest.raises(StageError, match=r"holds something else \(thesis\.tex\)"):
        published(project)
    (to / "thesis.tex").rename(project / "thesis.tex")
    (to / ".git").mkdir()
    with pytest.raises(StageError, match=r"holds something else \(\.git\)"):
        published(project)
    (to / ".git").rmdir()
    (to / "README.md").write_text("# My own project\n")
    with pytest.raises(StageError, match=r"holds something else \(no README\.md of reasrm\)"):
        published(project)
    (project / "link").symlink_to(project / "data")
    with pytest.raises(StageError, match="no folder of its own"):
        write_clean_folder(project / SFT, project / "link", "card", "float32", [], [])


def test_the_hub_gets_every_file_in_one_commit_of_a_private_repository(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    folder, _ = published(project)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(StageError, match="HF_TOKEN is not set"):
        push(folder, "someone/judge", "first", public=False)
    monkeypatch.setenv("HF_TOKEN", "hf_a_token_of_the_test")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with local_hub() as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.address)
        assert push(folder, "someone/judge", "first", public=False).startswith(f"{hub.address}/someone/judge/commit/")
        assert hub.created[0]["visibility"] == "private"
        assert hub.files == {file.name: file.read_bytes() for file in folder.iterdir()}
        assert hub.tokens == {"Bearer hf_a_token_of_the_test"}
        hub.status = 403
        with pytest.raises(StageError, match="someone/judge cannot be uploaded") as caught:
            push(folder, "someone/judge", "second", public=False)
    assert "hf_a_token" not in str(caught.value)
