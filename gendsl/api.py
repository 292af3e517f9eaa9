"""What `import gendsl` offers: specs in, their problems, plans, Keras models and runs out, without the command line."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gendsl.diagnostics import Diagnostic, Problems
from gendsl.plan.plan import Plan
from gendsl.source import Source

if TYPE_CHECKING:
    from gendsl.run.command import Outcome

Path = str | os.PathLike[str]


class SpecError(Exception):
    """A spec is wrong: `diagnostics` holds all its mistakes, the message shows them."""

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        from gendsl.render import text

        super().__init__("\n" + text(diagnostics, limit=20))
        self.diagnostics = diagnostics


def problems(path: Path, *, settings: Mapping[str, Any] | None = None) -> list[Diagnostic]:
    """All errors, warnings and hints of a spec on disk; `settings` replaces params by name."""
    found, _, _ = _checked(path, settings)
    return list(found)


def load(path: Path, *, settings: Mapping[str, Any] | None = None) -> Plan:
    """The plan of a spec on disk. Raises SpecError."""
    found, _, plan = _checked(path, settings)
    if plan is None or found.failed:
        raise SpecError(found.of("error"))
    return plan


def loads(text: str, *, settings: Mapping[str, Any] | None = None, folder: Path = ".") -> Plan:
    """The plan of a spec's text; paths in it are relative to `folder`. Raises SpecError."""
    from gendsl.check.checker import check

    found = Problems()
    plan = check(Source("<text>", text), found, settings=_texts(settings), folder=os.fspath(folder))
    if plan is None or found.failed:
        raise SpecError(found.of("error"))
    return plan


def experiment(plan: Plan, *, examples: int | None = None) -> Any:
    """A `keras.Model` with the plan's `train_step`, so that `model.fit` works; its `networks` are Keras models by name.

    `examples` is the size of the training split, needed where the spec counts epochs. Loads TensorFlow.
    """
    from gendsl.lower.training import experiment_of

    return experiment_of(plan, examples=examples)


def train(
    path: Path,
    *,
    settings: Mapping[str, Any] | None = None,
    out: Path | None = None,
    resume: bool = False,
    steps: int | None = None,
    overfit: bool = False,
) -> "Outcome":
    """Trains a spec as `gendsl run` does: its folder, steps and scores. Raises SpecError, or UserError for the rest."""
    found, source, plan = _checked(path, settings)
    if plan is None or source is None or found.failed:
        raise SpecError(found.of("error"))
    from rich.console import Console

    from gendsl.run.command import run

    return run(
        plan,
        source_text=source.text,
        spec_path=os.fspath(path),
        out=None if out is None else os.fspath(out),
        resume=resume,
        steps=steps,
        overfit=overfit,
        console=Console(),
    )


def _checked(path: Path, settings: Mapping[str, Any] | None) -> tuple[Problems, Source | None, Plan | None]:
    from gendsl.check.checker import check
    from gendsl.reading import read

    found = Problems()
    name = os.fspath(path)
    source = read(name, found)
    if source is None:
        return found, None, None
    return found, source, check(source, found, settings=_texts(settings), folder=os.path.dirname(name) or ".")


def _texts(settings: Mapping[str, Any] | None) -> dict[str, str]:
    """Settings as they would be written in a spec."""
    return {
        name: ("on" if value else "off") if isinstance(value, bool) else str(value)
        for name, value in (settings or {}).items()
    }
