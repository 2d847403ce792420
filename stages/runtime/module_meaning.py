"""What a module's source means: its syntax tree without docstrings, comments and layout, and what it declares.

A module may state two things for the fingerprint, as module-level constants read from its source, never by import:

- `FINGERPRINTED_FILES = ("page.html",)`: files beside the module that it reads and that change what it does;
- `FINGERPRINT_EXEMPT = "why"`: the module cannot change one byte of any stage's output (progress, pacing, prices), so
  an edit of it must not rerun a GPU for hours. `docs/decisions/012-fingerprints-of-meaning.md` says when that is true.
"""

import ast
import hashlib
from pathlib import Path
from typing import NamedTuple

from stages.runtime.stage_main import StageError

FILES_CONSTANT = "FINGERPRINTED_FILES"
EXEMPT_CONSTANT = "FINGERPRINT_EXEMPT"


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
        raise DeclarationError(f"{path} line {error.lineno}: not valid Python ({error.msg}); mend it first") from error
    files = _constant(path, tree, FILES_CONSTANT, ())
    if not isinstance(files, tuple) or not all(isinstance(name, str) for name in files):
        raise DeclarationError(f'{path}: {FILES_CONSTANT} must be a tuple of file names, like ("page.html",)')
    reason = _constant(path, tree, EXEMPT_CONSTANT, None)
    if reason is not None and not (isinstance(reason, str) and reason.strip()):
        raise DeclarationError(f"{path}: {EXEMPT_CONSTANT} must be a sentence that says why; got {reason!r}")
    strings = frozenset(_dotted_strings(tree))
    _drop_bare_strings(tree)
    meaning = hashlib.sha256(ast.unparse(tree).encode()).hexdigest()
    return ModuleMeaning(meaning=meaning, files=files, exempt=reason is not None, strings=strings)


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


def _dotted_strings(tree: ast.Module) -> list[str]:
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return [
        text for text in constants if isinstance(text, str) and "." in text and text.replace(".", "_").isidentifier()
    ]


def _drop_bare_strings(tree: ast.Module) -> None:
    """Take docstrings, and the strings that explain a field below it, out of every block of `tree`."""
    for node in ast.walk(tree):
        for block in ("body", "orelse", "finalbody"):
            statements = getattr(node, block, None)
            if isinstance(statements, list):
                kept = [statement for statement in statements if not _is_bare_string(statement)]
                setattr(node, block, kept or ([ast.Pass()] if statements else []))


def _is_bare_string(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
