"""`gendsl sweep`: its options in, a spec's trials trained, told one by one and ranked out."""

import argparse
import os
import time
from typing import TYPE_CHECKING

from gendsl.commands.given import plan_or_complain, settings_in
from gendsl.commands.output import FINE, INTERRUPTED, WRONG, UsageError, complain, say
from gendsl.commands.parsing import Command, settings
from gendsl.commands.values import natural

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Mapping, Sequence

    from gendsl.sweep.search import Search, Trial

_MOST_SHOWN = 10


def _sweep(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", help="a file of the language with a `sweep`")
    settings(parser)
    parser.add_argument(
        "--out", metavar="DIR", help="the sweep's folder, to begin or to go on in; by default runs/<experiment>/sweep"
    )
    parser.add_argument("--steps", type=natural, metavar="N", help="end each run after so many steps")
    parser.add_argument("--hints", action="store_true", help="show hints too, beside errors and warnings")


SWEEP = Command(
    "sweep",
    "try the params that a spec's `sweep` varies, and rank them",
    "Trains a run for each trial and seed of the spec's `sweep`, one after the other, and ranks the trials by the "
    "score that it names. Lists alone are gone through; ranges are searched by Optuna's tree-structured Parzen "
    "estimator (gendsl[sweep]). Ctrl-C saves and stops; the same command goes on. TensorBoard's HParams tab shows all "
    "runs.",
    (
        ("gendsl sweep specs/emoji_gan.gen", "into runs/emoji_gan/sweep"),
        ("gendsl sweep my.gen --variant small --out sweeps/a", "a smaller one, elsewhere"),
    ),
    _sweep,
)


def sweep(options: "Namespace") -> int:
    """`gendsl sweep`."""
    source, plan = plan_or_complain(options.spec, options)
    if source is None or plan is None:
        return WRONG
    if plan.sweep is None:
        raise UsageError(f"`{options.spec}` has no `sweep`: write `{_EXAMPLE}`")
    from pathlib import Path

    from rich.console import Console

    from gendsl.lower.errors import UserError
    from gendsl.sweep.search import search_of
    from gendsl.sweep.trials import Interrupted, Sweep, swept

    search = search_of(plan.sweep)
    given = settings_in(source, options)
    if fixed := ", ".join(f"`{name}`" for name in search.dimensions if name in given):
        raise UsageError(f"{fixed} cannot be both set and varied: take it out of one of them")
    seed = plan.train.settings.get("seed")
    asked = Sweep(
        source.text,
        os.path.dirname(options.spec) or ".",
        given,
        int(seed.arguments["number"]) if seed is not None else 0,
        search,
        Path(options.out) if options.out else Path("runs") / plan.experiment / "sweep",
        () if options.steps is None else ("--steps", str(options.steps)),
    )
    began = time.monotonic()
    console = Console(stderr=True)

    def told(trial: "Trial", seed: int, score: float | None) -> None:
        what = f"{search.score} {_number(score)}" if score is not None else "failed, or not scored"
        which = "  ".join(filter(None, (_shown(trial.settings), f"seed {seed}")))
        say(f"trial {trial.number} of {search.trials}  {which}: {what}\n")
        from gendsl.commands.output import flush

        flush()

    say(f"{plan.experiment}: {_plural(search.trials, 'trial')} of {_plural(search.seeds, 'seed')}, in {asked.folder}\n")
    try:
        with console.status("") as status:
            trials = swept(asked, tell=told, watch=lambda line: status.update(line))
    except Interrupted:
        complain("interrupted; the same command goes on")
        return INTERRUPTED
    _tell(search, trials, options.spec, given, time.monotonic() - began)
    say(f"all runs     tensorboard --logdir {asked.folder}  (its tab HParams)\n")
    if not search.ranked(trials):
        raise UserError(f"no run has told `{search.score}`", f"the logs in {asked.folder} say why")
    return FINE


_EXAMPLE = "sweep { vary learning_rate: log(1e-5..1e-3); trials 20; minimize fid }"


def _tell(search: "Search", trials: "Sequence[Trial]", spec: str, given: "Mapping[str, str]", seconds: float) -> None:
    """The best trials as a table, and how the best is trained again."""
    import shlex

    from gendsl.run.progress import clock

    ranked = search.ranked(trials)
    say(f"\n{_plural(len(trials), 'trial')} in {clock(seconds)}; by {search.score}, the mean over seeds:\n")
    for trial in ranked[:_MOST_SHOWN]:
        known = [score for score in trial.scores if score is not None]
        spread = f"  ({_number(min(known))} to {_number(max(known))})" if len(known) > 1 else ""
        told = f"  {_number(trial.value or 0.0):>10}{spread}  trial {trial.number}  {_shown(trial.settings)}"
        say(f"{told.rstrip()}\n")
    if ranked:
        words = [f"--set {shlex.quote(f'{name}={value}')}" for name, value in {**given, **ranked[0].settings}.items()]
        say(f"the best     {' '.join(['gendsl run', shlex.quote(spec), *words])}\n")


def _shown(settings: "Mapping[str, str]") -> str:
    return "  ".join(f"{name}={value}" for name, value in settings.items())


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _plural(count: int, what: str) -> str:
    return f"{count:,} {what}" + ("" if count == 1 else "s")
