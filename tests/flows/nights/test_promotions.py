"""Who takes the champion's place by hand, who does not, and what takes a promotion back; on toy judges."""

import json
import shutil
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from flows.nights.night_commit import commit_night
from reasrm.runtime.yaml_files import read_yaml, write_yaml
from tests.flows.toy_nights import (
    BETTER,
    FIRST,
    JUDGE,
    WORSE,
    Command,
    commit,
    dvc,
    git,
    pointer,
    set_skill,
    state,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_other_questions_and_lost_judgments_are_refused(project: Path, reasrm: Command) -> None:
    dvc(project, "remote", "remove", "store")
    commit(project, "no remote")
    assert reasrm("night", "--model", JUDGE).returncode == 0
    champion = (project / "champion.json").read_text()
    script = project / "toy_judging.py"
    script.write_text(script.read_text().replace('content=f"question {n}"', 'content=f"query {n}"'))
    commit(project, "other questions")
    set_skill(project, BETTER)
    done = reasrm("night")
    assert done.returncode == 1
    assert "judged on different questions: 60 of 60 differ" in done.stderr
    assert "reward_bench 'alpacaeval-easy/0', which has other words" in done.stderr

    # The way out that it names: the champion's checkpoint, judged on the present questions.
    params = read_yaml(project / "params.yaml")
    params["judge_variants"]["again"] = {"skill": FIRST, "checkpoint": "data/checkpoint"}
    write_yaml(project / "params.yaml", params)
    set_skill(project, WORSE)
    assert reasrm("run").returncode == 0
    done = reasrm("promote", JUDGE, "--against", "again")
    assert done.returncode == 6, done.stderr
    assert "champion.json names its judgments of the present questions, those of again" in done.stdout
    done = reasrm("promote", JUDGE)
    assert done.returncode == 6, "the next comparison needs no more: " + done.stderr
    champion = (project / "champion.json").read_text()
    assert json.loads(champion)["promoted"] < json.loads(champion)["rejudged"]

    (old,) = (project / ".dvc/cache/files/md5").glob(f"*/{json.loads(champion)['judgments']['md5'][2:]}")
    old.unlink()
    done = reasrm("promote", JUDGE)
    assert done.returncode == 1
    assert "is not in DVC's cache, and no default remote is set" in done.stderr
    assert (project / "champion.json").read_text() == champion


def test_a_server_that_takes_nothing_changes_no_decision(project: Path, reasrm: Command) -> None:
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(200 if self.path == "/api/health" else 403)

        def do_POST(self) -> None:
            self.answer(403)

        def answer(self, status: int) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(b"true")

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    assert reasrm("run").returncode == 0
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/api"
        done = reasrm("promote", JUDGE, PREFECT_API_URL=address)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "promoted, the first champion" in done.stdout
        assert "Prefect lacks this decision: " in done.stderr
        done = reasrm("night", PREFECT_API_URL=address)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Prefect lacks this decision: " in done.stderr
        server.shutdown()
    assert git(project, "tag", "--list").startswith("night-")


def test_a_bad_promotion_is_taken_back_and_a_broken_pointer_is_replaced(project: Path, reasrm: Command) -> None:
    assert reasrm("night", "--model", JUDGE).returncode == 0
    first = git(project, "tag", "--list", "night-*")
    set_skill(project, BETTER)
    assert f"{JUDGE}: promoted." in reasrm("night").stdout
    bad = pointer(project, "nightly")
    broken = commit_night(
        project,
        git(project, "rev-parse", "nightly"),
        git(project, "rev-parse", "nightly"),
        {"champion.json": b"{"},
        "x",
    )
    for tip, present in ((git(project, "rev-parse", "nightly"), json.dumps(bad)), (broken, "{")):
        git(project, "branch", "-q", "--force", "nightly", tip)
        (project / "champion.json").write_text(present)
        if present == "{":
            refused = reasrm("promote", JUDGE)
            assert refused.returncode == 1
            assert "`reasrm promote --reinstate TAG` puts that of an earlier night in its place" in refused.stderr
        done = reasrm("promote", "--reinstate", first)
        assert done.returncode == 0, done.stdout + done.stderr
        good = json.loads((project / "champion.json").read_text())
        assert good == pointer(project, "nightly")
        assert good["judgments"] == pointer(project, first)["judgments"] != bad["judgments"]
        assert good["promoted"] >= bad["promoted"]
        assert git(project, "rev-parse", "nightly^1") == tip, "what was there stays in the branch's history"
        assert "promoted" in reasrm("promote", JUDGE).stdout, "the better one has to win against it again"

    reinstated = git(project, "tag", "--list", "reinstated-*").split()
    assert len(reinstated) == 2
    assert git(project, "rev-parse", reinstated[1]) == git(project, "rev-parse", "nightly")

    done = reasrm("promote", "--checkout", "taken")
    assert done.returncode == 0, done.stderr
    champion = json.loads((project / "champion.json").read_text())
    assert f"the checkpoint of {JUDGE}" in done.stdout
    assert champion["checkpoint"]["md5"] in done.stdout
    assert md5((project / "taken").read_bytes()).hexdigest() == champion["checkpoint"]["md5"]
    assert reasrm("promote", "--checkout", "taken").returncode == 1

    before = state(project)
    assert reasrm("promote", "--reinstate", "nothing").returncode == 2
    assert reasrm("promote", "--reinstate", first, JUDGE).returncode == 2
    assert reasrm("promote").returncode == 2
    shutil.rmtree(project / ".dvc/cache")
    shutil.rmtree(project.parent / "dvc")
    done = reasrm("promote", "--reinstate", first)
    assert done.returncode == 1
    assert "is neither in DVC's cache nor whole in the remote" in done.stderr
    assert state(project) == before


def test_what_is_out_of_date_is_not_promoted(project: Path, reasrm: Command) -> None:
    assert reasrm("run").returncode == 0
    set_skill(project, BETTER)
    done = reasrm("promote", JUDGE)
    assert done.returncode == 1
    assert f"judge@{JUDGE} is not up to date" in done.stderr
    assert reasrm("promote", "nobody").returncode == 1
    assert not (project / "champion.json").exists()
    set_skill(project, FIRST)
    assert reasrm("promote", JUDGE).returncode == 0
    done = reasrm("promote", JUDGE)
    assert done.returncode == 6
    assert "the lower end does not exceed 0" in done.stdout
    assert reasrm("promote", JUDGE, "--min-gain", "-1").returncode == 0, "no worse by a point is enough then"
    assert reasrm("promote", JUDGE, "--against", JUDGE).returncode == 6
    assert reasrm("promote", JUDGE, "--against", "nobody").returncode == 1
