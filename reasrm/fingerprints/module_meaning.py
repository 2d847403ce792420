"""What a module's source means: its syntax tree without docstrings, comments and layout, and what it declares.

A module may state two things for the fingerprint, as module-level constants read from its source, never by import:

- `FINGERPRINTED_FILES = ("page.html",)`: files beside the module that it reads and that change what it does;
- `FINGERPRINT_EXEMPT = "why"`: the module cannot change one byte of any stage's output (progress, pacing, wording), so
  an edit of it must not rerun a GPU for hours. `docs/decisions/003-fingerprints-of-meaning.md` says when that is true.
"""

import ast
import hashlib
from pathlib import Path
from typing import NamedTuple

from reasrm.runtime.stage_main import StageError

FILES_CONSTANT = "FINGERPRINTED_FILES"
EXEMPT_CONSTANT = "FINGERPRINT_EXEMPT"
SAYS_NOTHING = frozenset({"ctx", "kind", "type_comment", "type_ignores"})
"""Fields of the syntax tree that follow from others or from comments."""


class DeclarationError(StageError):
    """A module's declaration for the fingerprint is not what it must be; says file, constant and the right form."""


class ModuleMeaning(NamedTuple):
    """What one module contributes to the fingerprint of a stage that reaches it."""

    meaning: str
    """SHA-256 of the module's code without docstrings, comments and layout, in hex."""
    files: tuple[str, ...]
    """Declared files, as names relative to the module's folder."""
    exempt: bool
    """The module says that it cannot change an output."""
    strings: frozenset[str]
    """String constants that could be a dotted module name (`python -m stages.x` reaches a module without import)."""


def read_meaning(path: Path) -> ModuleMeaning:
    """Read the meaning of the module in `path`; the same for any comments, docstrings and formatting.

    Raises:
        DeclarationError: a declaration is not a plain constant, or the file is not Python.
    """
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise DeclarationError(f"{path} line {error.lineno}: not valid Python ({error.msg}); fix it first") from error
    files = _constant(path, tree, FILES_CONSTANT, ())
    if not isinstance(files, tuple) or not all(isinstance(name, str) for name in files):
        raise DeclarationError(f'{path}: {FILES_CONSTANT} must be a tuple of file names, like ("page.html",)')
    reason = _constant(path, tree, EXEMPT_CONSTANT, None)
    if reason is not None and not (isinstance(reason, str) and reason.strip()):
        raise DeclarationError(f"{path}: {EXEMPT_CONSTANT} must be a sentence that says why; got {reason!r}")
    parts, strings = list[str](), set[str]()
    _write(tree, parts, strings)
    meaning = hashlib.sha256("".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
    return ModuleMeaning(meaning=meaning, files=files, exempt=reason is not None, strings=frozenset(strings))


def _constant(path: Path, tree: ast.Module, name: str, default: object) -> object:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            try:
                return ast.literal_eval(node.value)  # type: ignore[attr-defined]
            except ValueError as error:
                raise DeclarationError(
                    f"{path} line {node.lineno}: {name} must be a literal, nothing computed"
                ) from error
    return default


def _write(node: ast.AST, parts: list[str], strings: set[str]) -> None:
    """Append the canonical text of `node` to `parts`, and its strings that could name a module to `strings`.

    One pass with what says nothing left out: bare strings, empty fields, whether a name is read or written. (Unparsing
    after a pass of `ast.walk` takes three times as long.)
    """
    parts.append(f"{type(node).__name__}(")
    for field in node._fields:
        value = getattr(node, field, None)
        if value is None or value == [] or field in SAYS_NOTHING:
            continue
        parts.append(f"{field}=")
        if isinstance(value, ast.AST):
            _write(value, parts, strings)
        elif isinstance(value, list):
            for one in value:
                if isinstance(one, ast.AST):
                    if not _is_bare_string(one):
                        _write(one, parts, strings)
                else:
                    parts.append(f"{one!r},")
        else:
            parts.append(f"{value!r},")
            if isinstance(value, str) and "." in value and value.replace(".", "_").isidentifier():
                strings.add(value)
    parts.append(")")


def _is_bare_string(statement: ast.AST) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
