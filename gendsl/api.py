"""What `import gendsl` offers: specs in, their problems, plans, Keras models and runs out, without the command line."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gendsl.diagnostics import Diagnostic, Problems
from gendsl.plan.plan import Call, Plan
from gendsl.source import Source

if TYPE_CHECKING:
    from gendsl.run.command import Outcome
    from gendsl.run.order import Order

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
    fresh: bool = False,
    allow_changes: bool = False,
    steps: int | None = None,
    overfit: bool = False,
    strategy: str | None = None,
) -> "Outcome":
    """Trains a spec as `gendsl run` does: its folder, steps and scores.

    Raises SpecError, ValueError for a `strategy` that is none (`"mirrored(2)"` is one), or UserError for the rest.
    """
    found, source, plan = _checked(path, settings)
    if plan is None or source is None or found.failed:
        raise SpecError(found.of("error"))
    from gendsl.run.order import Order

    order = Order(
        plan,
        source_text=source.text,
        spec_path=os.fspath(path),
        project=os.path.dirname(os.fspath(path)) or ".",
        settings=_texts(settings),
        steps=steps,
        overfit=overfit,
        strategy_asked=_strategy(strategy),
    )
    return _trained(order, out=out, resume=resume, fresh=fresh, allow_changes=allow_changes)


def resume(
    run: Path, *, steps: int | None = None, allow_changes: bool = False, strategy: str | None = None
) -> "Outcome":
    """Goes on with the run in a folder as `gendsl resume` does. Raises as `train`."""
    from gendsl.run.recall import order_in, recalled

    found = Problems()
    order = order_in(recalled(os.fspath(run)), found)
    if order is None:
        raise SpecError(found.of("error"))
    order = order.changed(steps=steps, strategy=_strategy(strategy))
    return _trained(order, out=run, resume=True, allow_changes=allow_changes)


def _trained(
    order: "Order", *, out: Path | None, resume: bool, fresh: bool = False, allow_changes: bool = False
) -> "Outcome":
    import pathlib

    from rich.console import Console

    from gendsl.run.command import run
    from gendsl.run.order import Where

    folder = None if out is None else pathlib.Path(out)
    where = Where(folder, resume=resume, fresh=fresh, allow_changes=allow_changes)
    return run(order, where, console=Console())


def _strategy(text: str | None) -> Call | None:
    from gendsl.check.strategy import strategy_of

    return None if text is None else strategy_of(text)


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
