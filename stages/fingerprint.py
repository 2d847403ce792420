"""What each stage's code means, so that only a change of meaning reruns it.

Reads:   the project's Python sources (`stages/`, `reasrm/`), the files that they declare, `locks/*.txt`
Writes:  data/fingerprints/<stage>.json: {modules: {name: hash}, files: {path: hash}, libraries: {name: version}}
Run:     python -m stages.fingerprint      (or: dvc repro fingerprint); `--out FOLDER` writes elsewhere (`reasrm plan`)
"""

import argparse
from pathlib import Path

from reasrm.fingerprints.import_closure import fingerprint, import_edges, stage_modules
from reasrm.fingerprints.locked_versions import locked_versions
from reasrm.runtime.outputs import new_folder, write_json
from reasrm.runtime.stage_main import run_stage

OUT = Path("data/fingerprints")


def main() -> str:
    """Write the fingerprints of all stages; return the summary line."""
    parser = argparse.ArgumentParser(description="Write what each stage's code means.")
    parser.add_argument("--out", type=Path, default=OUT, help="folder to write (default: %(default)s)")
    out = parser.parse_args().out
    edges, locked, stages = import_edges(), locked_versions(), stage_modules()
    with new_folder(out) as folder:
        for stage in stages:
            write_json(folder / f"{stage}.json", fingerprint(stage, edges, locked))
    return f"{len(stages)} stages, {len(edges.inside)} modules"


if __name__ == "__main__":
    run_stage("fingerprint", main)
