"""Overlays over profiles: order, conflicts, what is told; and files that change or go after they were used."""

import copy
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from flows.cli import app
from flows.running.stage_outcome import FlowError, UsageError
from flows.settings.profile import (
    ProfileChoice,
    compose,
    current_choice,
    edits_by_hand,
    miniature,
    named_choice,
    settings_hash,
    summary,
    use,
)
from flows.settings.profile_layers import merge, overlay_names, overridden, profile_names
from reasrm.runtime.yaml_files import parse_yaml, read_yaml, yaml_text
from tests.flows.settings.test_profile import MINIATURE, commit

FILES = {
    "big": "# Big.\ngrpo: {learning_rate: 1.0e-6}\n",
    "bigger": "# Bigger.\nbased_on: big\ngrpo: {shape: {a: 2}}\n",
    "overlays/lora": "# An adapter.\ngrpo: &part {learning_rate: 1.0e-5, shape: {b: {rank: 8}}}\n",
    "overlays/gpu": "# One GPU.\ngrpo: {shape: {a: 9, b: null}}\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "profiles/overlays").mkdir(parents=True)
    for name, text in FILES.items():
        (tmp_path / f"profiles/{name}.yaml").write_text(text)
    (tmp_path / "params.yaml").write_text(MINIATURE)
    commit(tmp_path)
    return tmp_path


def grpo(root: Path) -> Any:
    return read_yaml(root / "params.yaml")["grpo"]


def test_overlays_are_laid_over_in_order_and_set_comes_last(root: Path) -> None:
    choice = ProfileChoice("bigger", ("lora", "gpu"), ("grpo.shape.a=4",))
    text = use(root, choice)
    assert grpo(root) == {"learning_rate": 1e-5, "shape": {"a": 4, "b": None}}
    assert text.startswith("# reasrm profile use bigger +lora +gpu --set grpo.shape.a=4\n")
    assert current_choice(root) == choice
    assert summary(root) == "bigger +lora +gpu --set grpo.shape.a=4"
    use(root, ProfileChoice("bigger", ("gpu", "lora")))
    assert grpo(root) == {"learning_rate": 1e-5, "shape": {"a": 9, "b": {"rank": 8}}}


def test_what_a_later_overlay_takes_back_is_told_with_both_values(root: Path) -> None:
    assert overridden(root, ["lora", "gpu"]) == ["+gpu over +lora: grpo.shape.b, grpo.shape.b.rank 8 -> None"]


def test_overlays_and_whole_profiles_are_not_mixed_up(root: Path) -> None:
    assert (profile_names(root), overlay_names(root)) == (["miniature", "big", "bigger"], ["gpu", "lora"])
    with pytest.raises(UsageError, match=r"`lora` is an overlay: `reasrm profile use PROFILE \+lora`"):
        use(root, ProfileChoice("lora"))
    with pytest.raises(UsageError, match="`big` is a whole profile and comes first, without a plus"):
        use(root, ProfileChoice("bigger", ("big",)))
    for names in (["+lora"], ["big", "lora"], []):
        with pytest.raises(UsageError, match="first the name of a profile, then overlays, each with a plus"):
            named_choice(names)
    with pytest.raises(UsageError, match=r"`reasrm profile use PROFILE \+lora \+gpu`"):
        named_choice(["+lora", "gpu"])
    with pytest.raises(UsageError, match=r"\+lora stands twice"):
        named_choice(["big", "+lora", "+gpu", "+lora"])


def test_a_wrong_file_of_a_stack_is_named(root: Path) -> None:
    (root / "profiles/big.yaml").write_text("based_on: nothing\n")
    with pytest.raises(FlowError, match=r"profiles/big\.yaml: `based_on`: no profile `nothing`"):
        compose(root, ProfileChoice("bigger"))
    for text, found in {"- a\n": "a list", "# nothing\n": "nothing", "word\n": "'word'"}.items():
        (root / "profiles/big.yaml").write_text(text)
        with pytest.raises(FlowError, match=rf"profiles/big\.yaml: a mapping of sections is needed, it holds {found}"):
            compose(root, ProfileChoice("big"))


def test_profiles_based_on_each_other_are_refused(root: Path) -> None:
    (root / "profiles/big.yaml").write_text("based_on: bigger\n")
    with pytest.raises(FlowError, match=r"`based_on` goes round: bigger -> big -> bigger"):
        use(root, ProfileChoice("bigger"))


def test_an_edited_profile_is_used_again_and_only_edits_of_params_are_edits(root: Path) -> None:
    use(root, ProfileChoice("big", ("gpu",)))
    (root / "profiles/big.yaml").write_text("grpo: {learning_rate: 5.0e-7}\n")
    assert edits_by_hand(root) == []
    assert summary(root) == "big +gpu; its files say otherwise today: `reasrm profile use big +gpu` takes that over"
    use(root, ProfileChoice("big", ("gpu",)))
    assert grpo(root)["learning_rate"] == 5e-7

    text = (root / "params.yaml").read_text()
    (root / "params.yaml").write_text(f"{text}# a comment is no edit\n")
    use(root, ProfileChoice("bigger"))
    use(root, ProfileChoice("big"))
    (root / "params.yaml").write_text((root / "params.yaml").read_text().replace("data/raw", "mine"))
    (root / "profiles/big.yaml").write_text("grpo: {learning_rate: 7.0e-7}\n")
    assert "files: data/raw -> mine" in edits_by_hand(root)
    with pytest.raises(FlowError, match="edits by hand that would be lost"):
        use(root, ProfileChoice("big"))


def test_a_profile_that_is_gone_is_one_line_and_no_prison(root: Path) -> None:
    use(root, ProfileChoice("bigger", ("lora",)))
    (root / "profiles/bigger.yaml").unlink()
    assert "which cannot be done again: no profile `bigger`" in summary(root)
    use(root, ProfileChoice("big"))

    (root / "params.yaml").write_text((root / "params.yaml").read_text().replace("data/raw", "mine"))
    (root / "profiles/big.yaml").unlink()
    with pytest.raises(FlowError, match=r"edits by hand.*no profile `big`.*--discard"):
        use(root, ProfileChoice())
    use(root, ProfileChoice(), discard=True)
    assert (root / "params.yaml").read_text() == MINIATURE


def test_a_new_miniature_below_a_used_profile_is_no_edit(root: Path) -> None:
    text = use(root, ProfileChoice("big"))
    (root / "params.yaml").write_text(MINIATURE.replace("a: 1", "a: 3"))
    commit(root)
    (root / "params.yaml").write_text(text)
    assert miniature(root) != MINIATURE
    assert edits_by_hand(root) == []


def test_what_a_layer_shares_by_an_anchor_is_not_shared_in_params(root: Path) -> None:
    (root / "profiles/overlays/both.yaml").write_text(
        "grpo: {shape: {b: &adapter {rank: 8}}}\njudge_variants: {base: {x: *adapter}, sft: {x: *adapter}}\n"
    )
    text = compose(root, ProfileChoice("big", ("both",), ("grpo.shape.b.rank=16",)))
    document = parse_yaml(text, "params.yaml")
    assert document["grpo"]["shape"]["b"] == {"rank": 16}
    assert document["judge_variants"]["base"]["x"] == {"rank": 8}
    assert "&" not in text


def test_the_commands_take_and_tell_stacks(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(root)

    def reasrm(*words: str) -> str:
        done = CliRunner().invoke(app, ["profile", *words])
        assert done.exit_code == 0, done.output
        return done.output

    told = reasrm("use", "bigger", "+lora", "+gpu", "--set", "files=mine")
    assert "params.yaml holds profile bigger +lora +gpu\n  +gpu over +lora: grpo.shape.b" in told
    listed = [line.split("  ")[0] for line in reasrm("list").splitlines()]
    assert [line for line in listed if line.startswith("*")] == ["* bigger", "* +gpu", "* +lora"]
    assert reasrm("show").startswith("# reasrm profile use bigger +lora +gpu --set files=mine\n")
    assert reasrm("diff", "big") == (
        "files: mine -> data/raw\ngrpo.learning_rate: 1e-05 -> 1e-06\n"
        "grpo.shape.a: 9 -> 1\ngrpo.shape.b: None -> [1, 2]\n"
    )


TREES = st.recursive(
    st.none() | st.integers(0, 3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, min_size=1, max_size=3),
    max_leaves=6,
)
LAYERS = st.dictionaries(st.sampled_from("abc"), TREES, min_size=1, max_size=3)


def laid(*documents: dict[str, Any]) -> Any:
    base = copy.deepcopy(documents[0])
    for document in documents[1:]:
        merge(base, document)
    return base


@settings(max_examples=60)
@given(base=LAYERS, one=LAYERS, other=LAYERS)
def test_a_layer_over_itself_changes_nothing_and_the_last_one_wins(
    base: dict[str, Any], one: dict[str, Any], other: dict[str, Any]
) -> None:
    assert laid(base, one, one) == laid(base, one)
    assert laid(base, one, other, one, other) == laid(base, one, other, other)
    for path, value in leaves(other):
        found = laid(base, one, other)
        for key in path:
            found = found[key]
        assert found == value


def leaves(document: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    if isinstance(document, dict):
        return [leaf for key, value in document.items() for leaf in leaves(value, (*path, key))]
    return [(path, document)]


@settings(max_examples=15)
@given(one=LAYERS, other=LAYERS)
def test_layers_of_which_nothing_is_told_as_overridden_go_in_any_order(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        overlays = Path(folder, "profiles/overlays")
        overlays.mkdir(parents=True)
        (overlays / "one.yaml").write_text(yaml_text(one))
        (overlays / "other.yaml").write_text(yaml_text(other))
        told = overridden(Path(folder), ["one", "other"])
    base = {"a": {}, "b": {}, "c": {}}
    assert bool(told) or laid(base, one, other) == laid(base, other, one)


def test_the_hash_is_of_settings_and_not_of_their_layout() -> None:
    assert settings_hash("a: {b: 1, c: [1.0]}\n") == settings_hash("# x\na:\n  c: [1.0]\n  b: 1  # y\n")
    assert settings_hash("a: 1\n") != settings_hash("a: '1'\n")


def test_a_file_that_several_profiles_share_replaces_what_is_below(root: Path) -> None:
    (root / "texts.yaml").write_text("# Shared.\nc: {rank: 4}\n")
    (root / "profiles/shared.yaml").write_text("# Shares.\ngrpo: {shape: !file texts.yaml}\n")
    use(root, named_choice(["shared"]))
    assert grpo(root)["shape"] == {"c": {"rank": 4}}
    use(root, named_choice(["shared", "+lora"]))
    assert grpo(root)["shape"] == {"c": {"rank": 4}, "b": {"rank": 8}}
    for text, said in (("- 1\n", "`!file texts.yaml`: that file must hold a mapping"), (None, "No such file")):
        (root / "texts.yaml").unlink() if text is None else (root / "texts.yaml").write_text(text)
        with pytest.raises(FlowError, match=said):
            compose(root, named_choice(["shared"]))
