"""params.yaml from profiles: laid over, comments kept, edits by hand never lost unseen."""

import shutil
import subprocess
from pathlib import Path

import pytest

from flows.running.stage_outcome import FlowError, UsageError
from flows.settings.profile import ProfileChoice, compose, current_choice, edits_by_hand, use
from flows.settings.profile_layers import profile_names
from reasrm.runtime.yaml_files import read_yaml

MINIATURE = """# The miniature.
files: data/raw
grpo:
  learning_rate: 0.0003  # per step
  shape: {a: 1, b: [1, 2]}
judge_variants:
  base: {checkpoint: x}
  sft: {checkpoint: y}
"""
BIG = """# A 7B model.
grpo:
  learning_rate: 1.0e-6
  shape: {b: [3]}
judge_variants: !replace
  sft: {checkpoint: z}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/big.yaml").write_text(BIG)
    (tmp_path / "params.yaml").write_text(MINIATURE)
    commit(tmp_path)
    return tmp_path


def commit(root: Path) -> None:
    name = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q"], ["add", "params.yaml"], [*name, "commit", "-q", "-m", "params"]):
        subprocess.run(["git", *words], cwd=root, check=True)


def params(root: Path) -> dict[str, object]:
    return dict(read_yaml(root / "params.yaml"))


def test_a_profile_is_laid_over_the_miniature_with_its_comments(root: Path) -> None:
    text = use(root, ProfileChoice("big"))
    assert params(root) == {
        "files": "data/raw",
        "grpo": {"learning_rate": 1e-6, "shape": {"a": 1, "b": [3]}},
        "judge_variants": {"sft": {"checkpoint": "z"}},
    }
    assert "# per step" in text
    assert current_choice(root) == ProfileChoice("big")
    assert edits_by_hand(root) == []


def test_back_to_the_miniature_gives_its_very_bytes(root: Path) -> None:
    (root / "my files").mkdir()
    use(root, ProfileChoice("big", settings=("grpo.shape.a=7",), files="my files"))
    assert current_choice(root) == ProfileChoice("big", settings=("grpo.shape.a=7",), files="my files")
    assert params(root)["files"] == "my files"
    use(root, ProfileChoice())
    assert (root / "params.yaml").read_text() == MINIATURE


def test_the_miniature_is_found_below_a_committed_profile(root: Path) -> None:
    use(root, ProfileChoice("big"))
    commit(root)
    assert edits_by_hand(root) == []
    use(root, ProfileChoice())
    assert (root / "params.yaml").read_text() == MINIATURE


def test_without_git_the_present_file_is_the_miniature_unless_a_profile_made_it(root: Path) -> None:
    shutil.rmtree(root / ".git")
    use(root, ProfileChoice("big"))
    with pytest.raises(FlowError, match="made by a profile and git knows no earlier one"):
        use(root, ProfileChoice())


def test_edits_by_hand_are_told_and_kept(root: Path) -> None:
    (root / "params.yaml").write_text(MINIATURE.replace("0.0003", "0.0005"))
    assert edits_by_hand(root) == ["grpo.learning_rate: 0.0003 -> 0.0005"]
    with pytest.raises(FlowError, match=r"grpo\.learning_rate: 0\.0003 -> 0\.0005.*--discard"):
        use(root, ProfileChoice("big"))
    assert "0.0005" in (root / "params.yaml").read_text()
    use(root, ProfileChoice("big"), discard=True)
    assert current_choice(root).name == "big"


@pytest.mark.parametrize("setting", ["grpo.learnig_rate=1", "=1", "nothing.at.all=1", "grpo.learning_rate.x=1"])
def test_a_misspelt_setting_is_refused(root: Path, setting: str) -> None:
    with pytest.raises(UsageError, match=r"params\.yaml has no"):
        compose(root, ProfileChoice("miniature", settings=(setting,)))


@pytest.mark.parametrize(
    "setting", ["grpo", "grpo.shape={a: ", "grpo.learning_rate='a\nb'", "grpo.learning_rate=\x1b[31m"]
)
def test_what_is_no_setting_on_one_line_is_refused_and_nothing_is_written(root: Path, setting: str) -> None:
    with pytest.raises(UsageError):
        use(root, ProfileChoice("miniature", settings=(setting,)))
    assert (root / "params.yaml").read_text() == MINIATURE


def test_values_are_yaml(root: Path) -> None:
    use(root, ProfileChoice("miniature", settings=("grpo.shape={a: 2}", "grpo.learning_rate=1e-5")))
    assert params(root)["grpo"] == {"learning_rate": 1e-5, "shape": {"a": 2}}


def test_an_unknown_profile_is_refused_with_the_known_ones(root: Path) -> None:
    assert profile_names(root) == ["miniature", "big"]
    with pytest.raises(UsageError, match="miniature, big"):
        use(root, ProfileChoice("small"))


def test_a_folder_of_files_that_does_not_exist_is_refused_at_once(root: Path) -> None:
    with pytest.raises(UsageError, match="--files /nonexist: there is no such folder"):
        use(root, ProfileChoice("big", files="/nonexist"))
    assert params(root)["files"] == "data/raw"


def test_a_misspelt_setting_of_a_profile_is_refused(root: Path) -> None:
    (root / "profiles/big.yaml").write_text("grpo: {shape: {c: 1}}\n")
    with pytest.raises(UsageError, match=r"profiles/big\.yaml: the committed params\.yaml has no `grpo\.shape\.c`"):
        use(root, ProfileChoice("big"))
    (root / "profiles/big.yaml").write_text("judge_variants: {new: {checkpoint: z, mode: 1}}\n")
    use(root, ProfileChoice("big"))


def test_a_broken_profile_is_refused_with_its_line(root: Path) -> None:
    (root / "profiles/big.yaml").write_text("a: 1\nb: [\n")
    with pytest.raises(FlowError, match=r"big\.yaml line 3: not YAML"):
        use(root, ProfileChoice("big"))


def test_a_byte_order_mark_is_no_edit_and_other_encodings_are_one_line(root: Path) -> None:
    text = use(root, ProfileChoice("big"))
    (root / "params.yaml").write_text(text, encoding="utf-8-sig")
    assert current_choice(root) == ProfileChoice("big")
    assert edits_by_hand(root) == []
    assert params(root)["files"] == "data/raw"
    (root / "params.yaml").write_text(text, encoding="utf-16")
    with pytest.raises(FlowError, match=r"params\.yaml: byte 0: not UTF-8"):
        current_choice(root)


@pytest.mark.parametrize("words", ["'big", "", "big --set"])
def test_a_first_line_that_no_command_wrote_is_named(root: Path, words: str) -> None:
    (root / "params.yaml").write_text(f"# reasrm profile use {words}\n{MINIATURE}")
    with pytest.raises(FlowError, match="line 1: not as `reasrm profile use` wrote it"):
        current_choice(root)
