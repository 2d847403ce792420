"""The project's conventions that a machine can check: layers, names, sizes, declared files."""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from reasrm.fingerprints.import_closure import closure, import_edges, stage_modules
from reasrm.fingerprints.module_meaning import read_meaning

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ("flows", "stages", "reasrm") for path in (ROOT / folder).rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}
LONGEST_FILE = 400
LONGEST_FUNCTION = 60
LARGEST_PACKAGE = 22
PUBLIC_SURFACE = ROOT / "reasrm/__init__.py"


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def nodes(path: Path) -> list[ast.AST]:
    """Everything in a file of Python, parsed once for all conventions."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_the_import_contracts_hold() -> None:
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_name_of_a_module_says_what_is_in_it() -> None:
    folders = {path for folder in ("flows", "stages", "reasrm", "tests") for path in (ROOT / folder).rglob("*")}
    assert not sorted(named(path) for path in folders if path.stem in FORBIDDEN_NAMES)


def test_no_file_and_no_function_is_too_long() -> None:
    long = [named(path) for path in SOURCES if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST_FILE]
    long += [
        f"{named(path)}:{function.lineno} {function.name}"
        for path in SOURCES
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno >= LONGEST_FUNCTION
    ]
    assert not long


def test_no_package_has_too_many_files() -> None:
    files: dict[Path, int] = defaultdict(int)
    for path in SOURCES:
        files[path.parent] += 1
    assert not {named(folder): count for folder, count in files.items() if count > LARGEST_PACKAGE}


def test_no_two_classes_have_the_same_name() -> None:
    where: dict[str, list[str]] = defaultdict(list)
    for path in SOURCES:
        for node in nodes(path):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where[node.name].append(named(path))
    assert not {name: paths for name, paths in where.items() if len(paths) > 1}


def test_yaml_has_one_reader() -> None:
    """PyYAML reads YAML 1.1: `no` is a boolean and `1e-3` a text, where DVC sees a text and a number."""
    importing: dict[str, set[str]] = {}
    files = [*SOURCES, *(ROOT / "tests").rglob("*.py")]
    for path in (one for one in files if "yaml" in one.read_text(encoding="utf-8")):
        for node in nodes(path):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            if found := {module.partition(".")[0] for module in modules} & {"yaml", "ruamel"}:
                importing[named(path)] = found
    assert importing == {"reasrm/runtime/yaml_files.py": {"ruamel"}}


def called(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name, with the module it is taken from, of everything that a file calls."""
    for node in nodes(path):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def test_nothing_is_printed_but_through_one_module() -> None:
    """A `print` elsewhere would hand a terminal what it obeys, and end in a traceback where nobody reads."""
    printing = {
        "print",
        "typer.echo",
        "typer.secho",
        "click.echo",
        "rich.print",
        "sys.stdout.write",
        "sys.stderr.write",
    }
    printing |= {"Console", "rich.console.Console", "pprint", "pprint.pprint"}
    own = {"reasrm/runtime/terminal.py", "reasrm/runtime/progress.py"}
    elsewhere = [f"{named(path)}:{line} {name}" for path in SOURCES for line, name in called(path) if name in printing]
    assert not [place for place in elsewhere if place.partition(":")[0] not in own]


def test_json_has_writers_that_know_no_nan() -> None:
    """Python's own writes `NaN` where JSON has none; `json_text` and orjson write null."""
    writers = ("flows/", "stages/", "reasrm/commands/", "reasrm/runtime/", "reasrm/reporting/", "reasrm/scoring/")
    writing = [
        f"{named(path)}:{line}"
        for path in SOURCES
        for line, name in called(path)
        if name == "json.dump" or (name == "json.dumps" and named(path).startswith(writers))
    ]
    assert not writing


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path.name == "__init__.py" and path != PUBLIC_SURFACE], ids=named
)
def test_a_package_file_holds_its_docstring_only(path: Path) -> None:
    (only,) = ast.parse(path.read_text(encoding="utf-8")).body
    assert isinstance(only, ast.Expr)
    assert isinstance(only.value, ast.Constant)


def test_each_file_that_is_not_python_is_declared_by_the_module_that_reads_it() -> None:
    declared = {
        path.parent / name
        for path in SOURCES
        if not path.is_relative_to(ROOT / "flows")
        for name in read_meaning(path).files
    }
    present = {
        path
        for folder in ("reasrm", "stages")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc", ".typed"} and not path.name.startswith(".")
    }
    assert sorted(map(named, present - declared)) == []
    assert sorted(map(named, declared - present)) == []


def test_the_public_names_and_the_command_line_are_for_users_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both import by name, which the import graph does not see: what took a name there would lose its fingerprint."""
    monkeypatch.chdir(ROOT)
    edges = import_edges()
    assert not [module for module, imported in edges.inside.items() if "reasrm" in imported]
    reached = {module for stage in stage_modules().values() for module in closure(stage, edges).modules}
    assert "reasrm.cli" not in reached


def test_no_import_hides_from_the_import_graph() -> None:
    hidden = [
        f"{named(path)}:{node.lineno}"
        for path in SOURCES
        if path not in (PUBLIC_SURFACE, ROOT / "reasrm/cli.py")  # no stage reaches them, by the test above
        and path != ROOT / "flows/settings/faults.py"  # imports the stages, in a process of its own; none reaches it
        for node in nodes(path)
        if isinstance(node, ast.Attribute | ast.Name)
        and (node.attr if isinstance(node, ast.Attribute) else node.id) in {"import_module", "__import__"}
    ]
    assert not hidden
