"""Data flows one way through the packages: nothing imports upward."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "gendsl"
# From the ground up; a module may import its own level and those before it.
LEVELS = (
    (
        "frozen",
        "source",
        "spelling",
        "rule",
        "sequence_rules",
        "export_rules",
        "rules",
        "grammar",
        "prelude",
        "templates",
    ),
    ("diagnostics", "syntax"),
    ("vocabulary",),
    ("plan",),
    ("reading", "render"),
    ("check",),
    ("parts",),
    ("lower",),
    ("evaluate", "monitor"),
    ("run", "export", "pictures", "report"),
    ("sweep",),
    ("api", "commands"),
    ("zoo", "reference"),
    ("cli", "__main__"),
)
LEVEL = {name: number for number, names in enumerate(LEVELS) for name in names}
FILES = sorted(path for path in ROOT.rglob("*.py") if path.name != "_tables.py")


def imported(path: Path) -> set[str]:
    """The parts of gendsl that a module names in its imports, wherever they stand."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in found if name.startswith("gendsl.")} & LEVEL.keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_imports_upward(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if own == "__init__":
        return
    assert own in LEVEL, f"{own} has no level"
    upward = {name for name in imported(path) if LEVEL[name] > LEVEL[own]}
    assert not upward, f"{own} imports {', '.join(sorted(upward))}, which stands above it"
