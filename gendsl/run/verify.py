"""A spec in, a verdict out: whether its training, killed and resumed on this machine, gives the bits of one go.

Three processes of their own train in a temporary folder: one in one go; one that is killed by SIGKILL after steps that
no checkpoint holds; and one that goes on from there to the same step. Then all variables are compared.
"""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.lower.errors import UserError
from gendsl.plan.length import length_of
from gendsl.plan.show import call_shown
from gendsl.run import folder as folders
from gendsl.run.command import STOPPED
from gendsl.run.folder import RunFolder
from gendsl.run.loading import load_tensorflow
from gendsl.run.order import Order
from gendsl.run.progress import clock

DEFAULT_STEPS = 20
_NOT_TRAINING = ("seconds", "steps_per_second")  # of the lines of metrics.jsonl: they tell of the clock
_MOST_TOLD = 20

Tell = Callable[[str, str], None]  # a name, and what there is to say


@dataclass(frozen=True, slots=True)
class Finding:
    """A variable, or the metrics of a step, that is not the same, and how."""

    name: str
    how: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was compared after step `step`, and what is not the same."""

    step: int
    variables: int
    numbers: int
    lines: int
    different_variables: tuple[Finding, ...]
    different_lines: tuple[Finding, ...]

    @property
    def same(self) -> bool:
        """Whether every bit is."""
        return not self.different_variables and not self.different_lines


def verified(order: Order, *, steps: int | None, tell: Tell) -> Verdict:
    """Trains `steps` steps twice over, in one go and with a kill between; tells how it goes.

    What was trained is thrown away, unless it differs. Raises UserError where a run fails.
    """
    half = _half(order, steps)
    tell("verify", f"{order.plan.experiment}: {half} steps, kill, resume, {half} steps, against {2 * half} in one go")
    place = Path(tempfile.mkdtemp(prefix="gendsl-verify-"))
    kept = False
    try:
        whole, killed = RunFolder(place / "whole"), RunFolder(place / "killed")
        in_one_go(order, whole, 2 * half, tell)
        until_killed(order, killed, half, tell)
        resumed(order, killed, 2 * half, tell)
        load_tensorflow()
        verdict = compared(whole, killed, 2 * half)
        kept = not verdict.same
        _tell(verdict, whole, place, tell)
        return verdict
    finally:
        if not kept:
            shutil.rmtree(place, ignore_errors=True)


def in_one_go(order: Order, folder: RunFolder, steps: int, tell: Tell) -> None:
    """`gendsl run`, undisturbed."""
    began = time.monotonic()
    words = ["run", "-", "--out", str(folder.path), "--steps", str(steps)]
    words += [word for name, value in order.settings.items() for word in ("--set", f"{name}={value}")]
    words += ["--overfit"] if order.overfit else []
    words += [] if order.strategy_asked is None else ["--strategy", call_shown(order.strategy_asked)]
    _finished(["gendsl", *words], order, folder, "the run in one go")
    tell("whole", f"{steps} steps in one go ({clock(time.monotonic() - began)})")


def until_killed(order: Order, folder: RunFolder, after: int, tell: Tell) -> None:
    """A run that is lost some steps after its checkpoint of step `after`."""
    began = time.monotonic()
    asked = order.options | {"out": str(folder.path), "after": after, "steps": 2 * after}
    done = _process(["gendsl.run.doomed", json.dumps(asked)], order)
    if done.returncode != -signal.SIGKILL:
        raise UserError(f"the run that was to be killed failed: {_last_words(done)}", "train the spec to see more")
    step = int(done.stdout.split()[-1])
    told = f"by SIGKILL after step {step}; its newest checkpoint is of step {folders.steps_done(folder)}"
    tell("killed", f"{told} ({clock(time.monotonic() - began)})")


def resumed(order: Order, folder: RunFolder, steps: int, tell: Tell) -> None:
    """`gendsl resume`, from the checkpoint to the same step."""
    began, first = time.monotonic(), folders.steps_done(folder)
    _finished(["gendsl", "resume", str(folder.path), "--steps", str(steps)], order, folder, "the resumed run")
    tell("resumed", f"from step {first} to {steps} ({clock(time.monotonic() - began)})")


def compared(whole: RunFolder, other: RunFolder, step: int) -> Verdict:
    """The checkpoints of a step of two runs, variable by variable, and their metrics, line by line."""
    from gendsl.run import checkpoints

    name = f"step-{step}"
    one, two = (checkpoints.content(folder.checkpoints / name) for folder in (whole, other))
    variables = [
        Finding(variable, _difference(one.get(variable), two.get(variable)))
        for variable in sorted(one.keys() | two.keys())
        if not _same(one.get(variable), two.get(variable))
    ]
    lines, others = _metrics(whole), _metrics(other)
    return Verdict(
        step=step,
        variables=len(one),
        numbers=sum(value.size for value in one.values()),
        lines=len(lines),
        different_variables=tuple(variables),
        different_lines=tuple(_different_lines(lines, others)),
    )


def _half(order: Order, steps: int | None) -> int:
    """The steps before the kill, and after it."""
    length = length_of(order.plan, order.plan.data.examples)
    if steps is None:
        steps = DEFAULT_STEPS if length is None else min(DEFAULT_STEPS, length // 2)
    if steps < 1 or (length is not None and 2 * steps > length):
        raise UserError(
            f"{steps} steps before a kill and {steps} after it are more than the {length:,} steps of the spec",
            f"`--steps {length // 2}` is the most" if length is not None and length > 1 else "the spec has too few",
        )
    return steps


def _same(one: NDArray[Any] | None, two: NDArray[Any] | None) -> bool:
    if one is None or two is None or one.dtype != two.dtype or one.shape != two.shape:
        return False
    return one.tobytes() == two.tobytes()


def _difference(one: NDArray[Any] | None, two: NDArray[Any] | None) -> str:
    if one is None or two is None:
        return "it is only in the run in one go" if two is None else "it is only in the resumed run"
    if one.shape != two.shape or one.dtype != two.dtype:
        return f"{one.dtype} {one.shape} in one go, {two.dtype} {two.shape} resumed"
    apart = np.abs(one.astype(np.float64) - two.astype(np.float64))
    many = np.count_nonzero(apart) or 1  # a zero may differ by its sign alone
    return f"{many:,} of {one.size:,} numbers differ, by {np.nanmax(apart):.3g} at most"


def _metrics(folder: RunFolder) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in record.items() if name.rpartition("/")[2] not in _NOT_TRAINING}
        for record in folders.read_lines(folder.metrics)
    ]


def _different_lines(one: list[dict[str, Any]], two: list[dict[str, Any]]) -> list[Finding]:
    found = []
    for line, other in zip(one, two, strict=False):
        names = [name for name in dict.fromkeys([*line, *other]) if line.get(name) != other.get(name)]
        if names:
            found.append(Finding(f"step {line.get('step')}", ", ".join(names)))
    if len(one) != len(two):
        found.append(Finding("lines", f"{len(one)} in one go, {len(two)} resumed"))
    return found


def _finished(words: list[str], order: Order, folder: RunFolder, what: str) -> None:
    done = _process(words, order)
    if done.returncode == STOPPED:
        raise UserError(
            f"`{folders.stopped_by(folder)}` of `monitor` ended {what} at step {folders.steps_done(folder)}",
            "verify fewer steps, by `--steps`, or take the alarm out of `monitor`",
        )
    if done.returncode:
        raise UserError(f"{what} failed: {_last_words(done)}", "train the spec to see more")


def _process(words: list[str], order: Order) -> "subprocess.CompletedProcess[str]":
    """A module of ours as a process that works in the spec's folder and has the spec on its standard input."""
    command = [sys.executable, "-m", *words]
    return subprocess.run(
        command, cwd=order.project, input=order.source_text, capture_output=True, text=True, check=False
    )


def _last_words(done: "subprocess.CompletedProcess[str]") -> str:
    lines = [line.removeprefix("gendsl: ").strip() for line in done.stderr.splitlines() if line.strip()]
    return "; ".join(lines[-3:]) or f"it ended with {done.returncode}"


def _tell(verdict: Verdict, whole: RunFolder, place: Path, tell: Tell) -> None:
    """The verdict as a table, with what the bits depend on here."""
    numbers = f"variables ({verdict.numbers:,} numbers)"
    _tell_of("variables", verdict.variables, verdict.different_variables, numbers, tell)
    _tell_of("metrics", verdict.lines, verdict.different_lines, "lines", tell)
    environment = folders.read_json(whole.environment) or {}
    tell("machine", _machine(environment))
    if verdict.same:
        tell("verdict", f"the same, bit for bit, after step {verdict.step}")
    else:
        tell("verdict", f"NOT the same after step {verdict.step}; both runs are kept in {place}")
        if environment.get("deterministic kernels") == "off":
            tell("", "say `deterministic on` in `train`: the kernels that ran may add up in another order each time")


def _tell_of(what: str, count: int, different: tuple[Finding, ...], kind: str, tell: Tell) -> None:
    if not different:
        tell(what, f"all {count:,} {kind} are the same")
        return
    tell(what, f"{len(different):,} of {count:,} are not the same")
    for finding in different[:_MOST_TOLD]:
        tell("", f"{finding.name}: {finding.how}")
    if len(different) > _MOST_TOLD:
        tell("", f"and {len(different) - _MOST_TOLD:,} more")


def _machine(environment: Mapping[str, Any]) -> str:
    threads = environment.get("threads", {}).get("threads of an operation")
    packages = environment.get("packages", {})
    facts = [
        f"tensorflow {packages.get('tensorflow')}",
        f"keras {packages.get('keras')}",
        f"{threads} thread{'' if threads == 1 else 's'}",
        *(f"{name} {environment.get(name)}" for name in ("replicas", "oneDNN", "XLA", "deterministic kernels")),
    ]
    return ", ".join(facts)
