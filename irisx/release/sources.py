"""Reading the sources without running them: what does not compile, what imports something that is not there.

This finds the missing module also where Django can no longer start. The standard library alone.
"""

import ast
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from irisx.release.findings import Finding

PACKAGES: Final = ("common", "accounts", "usage", "billing", "chat", "telephony", "irisx")
# Runs on a developer's machine alone, with libraries a server has not.
LOCAL: Final = Path("irisx/local")


def python_files(root: Path) -> list[Path]:
    """Return every source file of the product under `root`, relative to it."""
    files = [path for package in PACKAGES for path in (root / package).rglob("*.py")]
    return sorted(path.relative_to(root) for path in [*files, root / "manage.py"] if path.is_file())


def module_name(path: Path) -> str:
    """Return the dotted name that imports a file: `accounts/api/__init__.py` → `accounts.api`."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read(root: Path) -> list[Finding]:
    """Compile every file and look up whatever it imports, wherever in the file that stands."""
    trees: dict[Path, ast.Module] = {}
    findings = []
    for package in PACKAGES:
        if not (root / package / "__init__.py").is_file():
            findings.append(Finding("sources", package, "the package is missing"))
    for path in python_files(root):
        try:
            trees[path] = ast.parse((root / path).read_bytes(), str(path))
            compile(trees[path], str(path), "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            findings.append(Finding("sources", f"{path}:{line}", f"does not compile: {getattr(error, 'msg', error)}"))
    absent: dict[str, bool] = {}
    for path, tree in trees.items():
        for line, name in _imports(tree, path):
            is_ours = name.split(".")[0] in PACKAGES
            if not is_ours and path.is_relative_to(LOCAL):
                continue
            if name not in absent:
                absent[name] = _ours_is_absent(root, name) if is_ours else _library_is_absent(name)
            if absent[name]:
                findings.append(Finding("sources", f"{path}:{line}", f"imports {name}, which is not there"))
    return findings


def _imports(tree: ast.Module, path: Path) -> Iterator[tuple[int, str]]:
    """Yield each import's line and module. What a `try … except ImportError` guards may be absent."""
    optional = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Try) and any(_awaits_absence(handler) for handler in node.handlers)
        for statement in node.body
        for inner in ast.walk(statement)
    }
    for node in ast.walk(tree):
        if id(node) in optional:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, _absolute(node, path)


def _awaits_absence(handler: ast.ExceptHandler) -> bool:
    names = {node.id for node in ast.walk(handler.type or ast.Pass()) if isinstance(node, ast.Name)}
    return bool(names & {"ImportError", "ModuleNotFoundError"})


def _absolute(node: ast.ImportFrom, path: Path) -> str:
    if not node.level:
        return node.module or ""
    package = path.parent.parts[: len(path.parent.parts) - node.level + 1]
    return ".".join([*package, *([node.module] if node.module else [])])


def _ours_is_absent(root: Path, name: str) -> bool:
    place = root.joinpath(*name.split("."))
    return not (place.with_suffix(".py").is_file() or place.is_dir())


def _library_is_absent(name: str) -> bool:
    top = name.split(".")[0]
    try:
        return importlib.util.find_spec(top) is None
    except (ImportError, ValueError):
        return True
