"""What is written about the project agrees with it: generated pages, the README's spec and commands, links."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gendsl import reference
from gendsl.check.checker import check
from gendsl.commands import new
from gendsl.diagnostics import Problems
from gendsl.rules import BY_CODE
from gendsl.source import Source
from gendsl.syntax.parse import parse
from gendsl.vocabulary import WORDS

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "examples/README.md",
    ROOT / "specs/README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


@pytest.mark.parametrize("name", ["reference.md", "rules.md", "plan-json.md"])
def test_generated_pages_are_fresh(name: str) -> None:
    """If this fails: python -m gendsl.reference"""
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == reference.pages()[name]


def test_the_readme_opens_with_the_shipped_spec() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    spec = (ROOT / "specs/digits_gan.gen").read_text(encoding="utf-8")
    assert spec[spec.index("\nexperiment ") :] in readme


def test_ci_runs_the_test_command_of_the_readme() -> None:
    commands = re.findall(r"^python3 -m venv .*$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) == 2
    assert "gendsl run specs/digits_gan.gen" in commands[0]
    assert commands[1] in (ROOT / ".ci/run").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if not target.startswith(("http:", "https:")):
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize(
    "page",
    [
        ROOT / "README.md",
        *(
            ROOT / "docs" / name
            for name in ("language.md", "tables.md", "autoencoders.md", "schedules.md", "sequences.md")
        ),
    ],
    ids=lambda page: page.name,
)
def test_specs_in_the_docs_parse(page: Path) -> None:
    """Fenced blocks without a language that begin like a spec's are the language."""
    for block in re.findall(r"^```\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        if re.match(r"(experiment|data|network|train) ?\w*.*", block) and "error[" not in block:
            problems = Problems()
            parse(Source(page.name, block), problems)
            assert not len(problems), block


def test_the_rendering_in_the_readme_is_exact() -> None:
    shown = (ROOT / "tests/check/bad/shape_mismatch.txt").read_text(encoding="utf-8").strip()
    assert shown in (ROOT / "README.md").read_text(encoding="utf-8")


def test_examples_of_words_parse() -> None:
    """An example may be a part of a statement, `tokenizer: bytes()`, and leave something out, `{ … }`."""
    for words in WORDS.values():
        for word in words.values():
            example = word.example.replace("…", "")
            found = [Problems() for _ in range(3)]
            for problems, text in zip(found, (example, f"a {example}", f"a = {example}"), strict=True):
                parse(Source(word.name, text), problems)
            assert not all(map(len, found)), (word.name, word.example)


@pytest.mark.parametrize("name", sorted(new.templates()))
def test_a_template_is_fine(name: str) -> None:
    problems = Problems()
    assert check(Source(name, new.templates()[name]), problems) is not None
    own = {"missing_data"} if name in ("text", "music", "table") else set()  # nobody has them from the beginning
    assert {found.rule.code for found in problems if found.severity != "hint"} == own


def test_allowed_rules_exist() -> None:
    for path in ROOT.glob("**/*.gen"):
        if "bad" not in path.parts and not any(part.startswith(".") for part in path.relative_to(ROOT).parts):
            for code in re.findall(r"^\s*allow (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
                assert code in BY_CODE, path


def test_importing_gendsl_is_light() -> None:
    script = "import sys, gendsl; print([m for m in ('numpy', 'tensorflow', 'rich', 'lark') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_only_the_command_line_prints_or_exits() -> None:
    for path in sorted((ROOT / "gendsl").rglob("*.py")):
        if path.name in ("cli.py", "__main__.py"):
            continue
        text = path.read_text(encoding="utf-8").partition('\nif __name__ == "__main__"')[0]
        called = {ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}
        assert called.isdisjoint({"print", "sys.exit", "exit", "quit"}), path
        assert not re.search(r"\b(TODO|FIXME|XXX|NotImplementedError)\b", text), path


def test_modules_open_with_a_sentence_and_stay_short() -> None:
    for path in sorted((ROOT / "gendsl").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if not text or path.name == "_tables.py":
            continue
        assert text.startswith('"""'), path
        assert text.count("\n") <= 400, f"{os.path.relpath(path, ROOT)}: {text.count(chr(10))} lines"
