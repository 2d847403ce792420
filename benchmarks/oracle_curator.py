"""bespokelabs-curator and the oracle command side by side: same local server, same prompts, one after the other.

Curator pins older SDKs, so it lives in an environment of its own: `FOLDER/curator-env`, which this script makes on its
first run (python -m venv, pip install of the version below; some minutes). It gets the limits of the server where it
cannot read them (OpenAI), and to give out what it has where some requests failed (as it ships it would give out none);
its own retries and its resume cache are as they ship. For Anthropic it opens with a paid
greeting, which the server answers. It counts tokens with a vocabulary that it would download; litellm, which it
installs, brings the same file.

Run:     python benchmarks/oracle_curator.py [--folder /tmp/oracle-bench] [--requests 1500] [--scenario clean|faults]
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from oracle_runs import (
    FakeVendorSettings,
    Run,
    command,
    fresh,
    local_oracle,
    make_pairs,
    measure,
    outcomes,
    request_log,
)
from oracle_scenarios import CLEAN, FAULTS, IMPATIENT, RPM, Row

from reasrm.distillation.questions import first_pass
from reasrm.judging.chain_of_rubrics import PromptVariant
from reasrm.records.jsonl import read_records
from reasrm.records.pair import PreferencePair

VERSION = "bespokelabs-curator==0.1.31"
LONGEST = 900.0
"""Seconds that one run of curator may take."""
CLIENT = """
import importlib.util, json, os, pathlib, sys
litellm = pathlib.Path(importlib.util.find_spec("litellm").origin).parent
os.environ["TIKTOKEN_CACHE_DIR"] = str(litellm / "litellm_core_utils/tokenizers")
os.environ["CURATOR_CACHE_DIR"], os.environ["TELEMETRY_ENABLED"] = sys.argv[4], "0"
from bespokelabs import curator
vendor, prompts, out = sys.argv[1:4]
rows = [json.loads(line) for line in open(prompts)]

class Judge(curator.LLM):
    def prompt(self, row):
        return [{"role": "system", "content": row["system"]}, {"role": "user", "content": row["user"]}]
    def parse(self, row, response):
        return {"id": row["id"], "text": response}

url = os.environ["OPENAI_BASE_URL"]
if vendor == "anthropic":
    url = os.environ["ANTHROPIC_BASE_URL"] + "/v1"
limits = {"max_requests_per_minute": int(sys.argv[5]), "max_tokens_per_minute": 10**12}
params = {"base_url": url, "request_timeout": 5, "require_all_responses": False}
params |= limits if vendor == "openai" else {}
name = "claude-3-haiku-20240307" if vendor == "anthropic" else "gpt-4o-mini"
judge = Judge(model_name=name, backend=vendor, backend_params=params, generation_params={"max_tokens": 1024})
answers = judge(rows)
data = getattr(answers, "dataset", answers)
with open(out, "w") as file:
    for row in data:
        file.write(json.dumps({"id": row["id"], "text": row["text"]}) + "\\n")
"""


def curator_python(folder: Path) -> Path:
    """The interpreter of curator's own environment, made on the first call."""
    python = folder / "curator-env/bin/python"
    if not (folder / "curator-env/ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder / "curator-env")], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", VERSION], check=True)
        (folder / "curator-env/ready").touch()
    return python


def write_prompts(pairs: Path, path: Path) -> Path:
    """The prompts of `pairs` as curator's rows."""
    with path.open("w") as file:
        for question in first_pass(read_records(pairs, PreferencePair), 0, PromptVariant.FULL):
            file.write(
                json.dumps({"id": question.pair.id, "system": question.prompt.system, "user": question.prompt.user})
            )
            file.write("\n")
    return path


def curator(folder: Path, vendor: str, count: int, settings: FakeVendorSettings) -> Row:
    """One run of curator; its kill -9 after `LONGEST` seconds shows in the status -9."""
    prompts = write_prompts(make_pairs(folder, count), folder / f"prompts-{count}.jsonl")
    client, cache, out = folder / "curator_client.py", folder / "curator-cache", fresh(folder, f"curator-{vendor}")
    client.write_text(CLIENT)
    shutil.rmtree(cache, ignore_errors=True)
    with local_oracle(settings) as url:
        arguments = [str(curator_python(folder)), str(client), vendor, str(prompts), str(out), str(cache), str(RPM)]
        run = measure(arguments, url, kill_after_seconds=LONGEST)
        log = request_log(url)
    texts = [json.loads(line)["text"] for line in out.read_text().splitlines()] if out.exists() else []
    return _row("curator", vendor, run, log, count, len(texts), sum(not text for text in texts))


def ours(folder: Path, vendor: str, count: int, settings: FakeVendorSettings) -> Row:
    """One run of the oracle command."""
    out = fresh(folder, f"beside-{vendor}")
    with local_oracle(settings) as url:
        run = measure(command(vendor, make_pairs(folder, count), out, *IMPATIENT), url)
        log = request_log(url)
    return _row("reasrm", vendor, run, log, count, outcomes(out).total(), 0)


def _row(who: str, vendor: str, run: Run, log: dict[str, Any], count: int, rows: int, blank: int) -> Row:
    if run.status != 0:
        print(run.log[-2000:], file=sys.stderr)
    return {
        "client": who,
        "vendor": vendor,
        "status": run.status,
        "n": count,
        "share_of_limit": round(log["steady"]["replies"] / (RPM / 60), 3),
        "rows_lost": count - rows,
        "empty_kept_as_answers": blank,
        "billed_undelivered": log["billed_lost"],
        "billed_twice": log["billed_again"],
        "rejected_sent_again": log["rejected_sent_again"],
        "429": log["by_status"].get("429", 0),
        "cpu_seconds_per_1000": round(run.cpu_seconds / count * 1000, 2),
        "peak_mb": round(run.peak_mb),
        "wall_seconds": round(run.wall_seconds, 1),
    }


def main() -> None:
    """Run all four combinations of vendor and faults, both clients each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/oracle-bench"))
    parser.add_argument("--requests", type=int, default=1500)
    parser.add_argument("--scenario", choices=["clean", "faults"], help="default: both")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    planted: dict[str, dict[str, float]] = {"clean": {}, "faults": FAULTS}
    for name in planted if arguments.scenario is None else [arguments.scenario]:
        settings = FakeVendorSettings(**CLEAN, faults=planted[name], small_talk="Hello!")
        for vendor in ("anthropic", "openai"):
            for client in (ours, curator):
                load = os.getloadavg()[0]
                row = client(arguments.folder, vendor, arguments.requests, settings)
                row |= {"load": [round(load, 1), round(os.getloadavg()[0], 1)]}
                print(json.dumps({"scenario": name, **row}), flush=True)
                rows.append({"scenario": name, **row})
    print(table(rows))


def table(rows: list[Row]) -> str:
    """All runs side by side, in Markdown."""
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
    lines += ["| " + " | ".join(str(value) for value in row.values()) + " |" for row in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
