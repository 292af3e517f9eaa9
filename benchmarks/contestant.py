"""A side and a row in, steps done as they are asked for and reports of them out: one contestant's process.

python contestant.py SIDE ROW FOLDER COMMANDS REPORTS        (COMMANDS and REPORTS are open file descriptors)

Sides: `tensorflow`, `keras` and `torch` are the hand-written programs, `run` is the whole of `gendsl run`, `step` its
training step alone. The first report comes after the first step. Then each number of steps that is written to COMMANDS
is done and reported as a line of JSON; the process ends when COMMANDS does.
"""

import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from rows import Row, row_of


class Clock:
    """Times the steps that are asked for, and lets the program wait for the next order."""

    def __init__(self, commands: int, reports: int) -> None:
        self._commands = os.fdopen(commands, encoding="utf-8")
        self._reports = os.fdopen(reports, "w", encoding="utf-8")
        self._wanted = self._done = 0
        self._began = self._busy = self._inside = 0.0

    @property
    def left(self) -> int:
        """Steps that are still to do in this window."""
        return self._wanted - self._done

    def first(self) -> None:
        """Reports that the first step is done."""
        self._tell({})

    def wait(self) -> None:
        """Waits for how many steps to do next, and starts the clock."""
        line = self._commands.readline()
        if not line:
            os._exit(0)
        self._wanted, self._done, self._inside = int(line), 0, 0.0
        self._began, self._busy = time.perf_counter(), time.process_time()

    def after(self, steps: int = 1, inside: float = 0.0) -> None:
        """Counts steps that are done, of which so many seconds were spent inside gendsl's step."""
        self._done += steps
        self._inside += inside

    def pause(self) -> None:
        """Reports and waits where the window is over."""
        if self._done < self._wanted:
            return
        seconds, busy = time.perf_counter() - self._began, time.process_time() - self._busy
        self._tell({"steps": self._done, "seconds": seconds, "busy": busy, "inside": self._inside})
        self.wait()

    def _tell(self, report: dict[str, Any]) -> None:
        print(json.dumps(report | {"peak": _peak()}), file=self._reports, flush=True)


def _peak() -> int:
    """The most memory this process has held, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _handwritten(side: str, row: Row, folder: Path, clock: Clock) -> None:
    program = importlib.import_module(f"handwritten.{side}.{row.program}")
    first = True

    def after_step() -> None:
        nonlocal first
        if first:
            first = False
            clock.first()
            clock.wait()
            return
        clock.after()
        clock.pause()

    program.train(folder, after_step, **row.settings)


def _step(row: Row, folder: Path, clock: Clock) -> None:
    """gendsl's training step, driven as the trainer drives it, with nothing around it."""
    from gendsl.run.loading import load_tensorflow

    load_tensorflow()
    import gendsl
    from gendsl.lower.data import dataset_of
    from gendsl.lower.training import experiment_of
    from gendsl.run.loop import EMPTY, Pace, Stepper

    plan = gendsl.load(folder / row.spec.name, settings=row.settings)
    dataset = dataset_of(plan, str(folder))
    experiment = experiment_of(plan, examples=dataset.sizes.get("train"))
    stepper, pace, step = Stepper(experiment, dataset), Pace(), 1
    stepper.run(0, 1, EMPTY)
    pace.took(1, 0.0)  # the first call is not learnt from
    clock.first()
    clock.wait()
    while True:
        count = pace.count(clock.left)
        began = time.perf_counter()
        stepper.run(step, count, EMPTY)
        pace.took(count, time.perf_counter() - began)
        step += count
        clock.after(count)
        clock.pause()


def _run(row: Row, folder: Path, clock: Clock) -> None:
    """The whole of `gendsl run`, as the command does it; it is stopped between two graph calls only."""
    from gendsl.run.loading import load_tensorflow

    load_tensorflow()
    from gendsl.cli import main
    from gendsl.run import loop

    class Stepper(loop.Stepper):
        def run(self, first: int, count: int, window: Any) -> Any:
            began = time.perf_counter()
            result = super().run(first, count, window)
            if first == 0:
                clock.first()
            else:
                clock.after(count, inside=time.perf_counter() - began)
            return result

    class Pace(loop.Pace):
        calls = 0

        def count(self, most: int) -> int:
            self.calls += 1
            if self.calls == 2:
                clock.wait()
            elif self.calls > 2:
                clock.pause()
            return super().count(most)

    loop.Stepper, loop.Pace = Stepper, Pace  # before the trainer is imported
    settings = [word for name, value in row.settings.items() for word in ("--set", f"{name}={value}")]
    out = folder / f"run-{os.getpid()}"
    sys.exit(main(["run", str(folder / row.spec.name), "--out", str(out), *settings]))


def _main() -> None:
    side, name, folder, commands, reports = sys.argv[1:]
    clock, row, project = Clock(int(commands), int(reports)), row_of(name), Path(folder)
    match side:
        case "step":
            _step(row, project, clock)
        case "run":
            _run(row, project, clock)
        case _:
            _handwritten(side, row, project, clock)


if __name__ == "__main__":
    _main()
