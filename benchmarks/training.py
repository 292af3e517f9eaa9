"""Rows in, ratios out: gendsl's training against hand-written programs for the same work, in turns, one window after
the other, so that a slow or busy machine slows both sides alike.

python benchmarks/training.py [ROW…] [--rounds N] [--against tensorflow,keras,torch] [--only speed,start,whole]

`speed` gives steps/s, the processor time of a step (theirs over ours, which says more on a busy machine) and the peak
memory after the same number of steps; `start` the time from the start of a process to the end of its first step;
`whole` what a run spends outside its steps: on checkpoints, logs, pictures and the progress bar. Exits 1 when a bar is
missed.
"""

import argparse
import importlib.metadata
import json
import os
import pty
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rows import ROWS, Row, row_of, write_project

HERE = Path(__file__).resolve().parent
RIVALS = ("tensorflow", "keras", "torch")
START, MEMORY, WHOLE = 1.15, 1.1, 0.02  # at most


class Contestant:
    """A live process of one side of a row; it sleeps while it is not asked for steps."""

    def __init__(self, side: str, row: Row, folder: Path) -> None:
        commands, self._commands = os.pipe()
        self._reports, reports = os.pipe()
        self._terminal, terminal = pty.openpty()  # the progress bar is part of what a run costs
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "contestant.py"), side, row.name, str(folder), str(commands), str(reports)],
            pass_fds=(commands, reports),
            stdin=subprocess.DEVNULL,
            stdout=terminal,
            stderr=terminal,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2", "TERM": "xterm-256color"},
        )
        for number in (commands, reports, terminal):
            os.close(number)
        self._said = b""
        threading.Thread(target=self._drain, daemon=True).start()
        self._lines = os.fdopen(self._reports, encoding="utf-8")
        self._read()
        self.start = time.perf_counter() - began  # seconds to the end of the first step

    def __enter__(self) -> "Contestant":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._lines.close()
        os.close(self._commands)

    def steps(self, count: int) -> dict[str, Any]:
        """Does so many steps, or a few more: {"steps", "seconds", "busy", "inside", "peak"}."""
        os.write(self._commands, b"%d\n" % count)
        return self._read()

    def _read(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            self._process.wait()
            raise SystemExit("a contestant died:\n" + self._said.decode(errors="replace")[-4_000:])
        report: dict[str, Any] = json.loads(line)
        return report

    def _drain(self) -> None:
        """Reads what is written to the terminal, as a terminal does."""
        try:
            while more := os.read(self._terminal, 65_536):
                self._said = (self._said + more)[-65_536:]
        except OSError:  # the other end is closed
            pass
        os.close(self._terminal)


class Figures:
    """Ratios, as their median with the quartiles."""

    def __init__(self, values: Sequence[float]) -> None:
        self.middle = statistics.median(values)
        self.low, _, self.high = statistics.quantiles(values, n=4) if len(values) > 1 else (self.middle,) * 3

    def __str__(self) -> str:
        return f"{self.middle:.2f} ({self.low:.2f} to {self.high:.2f})"


def speeds(row: Row, ours: str, theirs: str, *, folder: Path, rounds: int) -> dict[str, Any]:
    """Steps/s of ours over theirs: windows of two live processes in turns, each of theirs between two of ours."""
    with Contestant(ours, row, folder) as one, Contestant(theirs, row, folder) as other:
        for side in (one, other, one):
            side.steps(row.window)  # warm-up
        windows: list[dict[str, Any]] = []
        for turn in range(2 * rounds + 1):
            windows.append((other if turn % 2 else one).steps(row.window))
    seconds = [window["seconds"] / window["steps"] for window in windows]
    return {
        "ratio": Figures(_ratios(seconds)),
        "work": Figures(_ratios([window["busy"] / window["steps"] for window in windows])),
        "ours": 1 / statistics.median(seconds[::2]),
        "theirs": 1 / statistics.median(seconds[1::2]),
        "memory": windows[-1]["peak"] / windows[-2]["peak"],
        "our_peak": windows[-1]["peak"],
        "their_peak": windows[-2]["peak"],
    }


def _ratios(values: Sequence[float]) -> list[float]:
    """Each value at an odd place over the mean of its two neighbours."""
    return [
        values[place] / statistics.fmean((values[place - 1], values[place + 1])) for place in range(1, len(values), 2)
    ]


def starts(row: Row, ours: str, theirs: str, *, folder: Path, rounds: int) -> dict[str, Any]:
    """Seconds from the start of a process to the end of its first step, ours over theirs, processes in turns."""

    def seconds(side: str) -> float:
        with Contestant(side, row, folder) as started:
            return started.start

    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    return {
        "ratio": Figures([one / other for one, other in pairs]),
        "ours": statistics.median(one for one, _ in pairs),
        "theirs": statistics.median(other for _, other in pairs),
    }


def outside(row: Row, *, folder: Path) -> dict[str, Any]:
    """The share of a whole, uninterrupted `gendsl run` that is spent outside its training steps."""
    with Contestant("run", row, folder) as run:
        told = run.steps(row.whole)
    return {"share": 1 - told["inside"] / told["seconds"], "seconds": told["seconds"], "peak": told["peak"]}


class Report:
    """Lines of figures, each with its bar."""

    def __init__(self) -> None:
        self.missed = False

    def line(self, row: Row, what: str, figure: object, told: str, bar: str = "", missed: bool = False) -> None:
        """Prints a line; a bar that is missed is marked."""
        self.missed |= missed
        mark = f"   {'MISSED ' if missed else ''}({bar})" if bar else ""
        print(f"{row.name:<16}{what:<38}{figure!s:<24}{told}{mark}", flush=True)


def _megabytes(count: float) -> str:
    return f"{count / 2**20:.0f}"


def measure_speed(row: Row, rivals: Sequence[str], rounds: int, folder: Path, report: Report) -> None:
    """Steps/s and peak memory of `gendsl run` against each rival, and of its step alone against TensorFlow's."""
    for ours in ("run", "step"):
        for theirs in rivals if ours == "run" else rivals[:1]:
            found = speeds(row, ours, theirs, folder=folder, rounds=rounds)
            bar = row.bars.get(theirs)
            ratio: Figures = found["ratio"]
            report.line(
                row,
                f"steps/s, {ours} over {theirs}",
                ratio,
                f"{found['ours']:.3g} against {found['theirs']:.3g}; processor time {found['work']}",
                "" if bar is None else f"at least {bar:g}",
                bar is not None and ratio.middle < bar,
            )
            if theirs == "tensorflow":
                report.line(
                    row,
                    f"peak memory, {ours} over {theirs}",
                    f"{found['memory']:.2f}",
                    f"{_megabytes(found['our_peak'])} against {_megabytes(found['their_peak'])} MiB",
                    f"at most {MEMORY:g}",
                    found["memory"] > MEMORY,
                )


def measure_start(row: Row, rivals: Sequence[str], rounds: int, folder: Path, report: Report) -> None:
    """Seconds to the end of the first step, against each rival."""
    for theirs in rivals:
        found = starts(row, "run", theirs, folder=folder, rounds=max(3, rounds // 2))
        ratio: Figures = found["ratio"]
        bar = theirs == "tensorflow"
        report.line(
            row,
            f"seconds to step 1, run over {theirs}",
            ratio,
            f"{found['ours']:.1f} against {found['theirs']:.1f} s",
            f"at most {START:g}" if bar else "",
            bar and ratio.middle > START,
        )


def measure_whole(row: Row, rivals: Sequence[str], rounds: int, folder: Path, report: Report) -> None:
    """What a run spends on anything but its steps."""
    found = outside(row, folder=folder)
    report.line(
        row,
        "outside the steps of a run",
        f"{100 * found['share']:.2f} %",
        f"of {found['seconds']:.0f} s; peak {_megabytes(found['peak'])} MiB",
        f"at most {100 * WHOLE:g} %",
        found["share"] > WHOLE,
    )


MEASURES: dict[str, Callable[[Row, Sequence[str], int, Path, Report], None]] = {
    "speed": measure_speed,
    "start": measure_start,
    "whole": measure_whole,
}


def machine() -> str:
    """The processor, the cores and the versions."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    versions = []
    for name in ("tensorflow", "keras", "torch"):
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            continue
    return f"{model}, {os.cpu_count()} cores; Python {sys.version.split()[0]}, {', '.join(versions)}"


def _load() -> str:
    return "load " + " ".join(f"{value:.1f}" for value in os.getloadavg())


def main() -> int:
    """Measures and prints; 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description="gendsl's training against hand-written programs for the same work.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(row.name for row in ROWS))
    parser.add_argument("--rounds", type=int, default=9, help="windows of each side (9)")
    parser.add_argument("--against", default="tensorflow", help=f"of {','.join(RIVALS)} (tensorflow)")
    parser.add_argument("--only", default=",".join(MEASURES), help=f"of {','.join(MEASURES)} (all)")
    options = parser.parse_args()
    rivals, measures = options.against.split(","), options.only.split(",")
    for given, known in ((options.rows, [row.name for row in ROWS]), (rivals, RIVALS), (measures, MEASURES)):
        unknown = [name for name in given if name not in known]
        if unknown:
            parser.error(f"no {', '.join(unknown)}; there are {', '.join(known)}")
    report = Report()
    print(f"{machine()}; {_load()}\n", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        write_project(Path(folder))
        for row in [row_of(name) for name in options.rows] or ROWS:
            for name in measures:
                MEASURES[name](row, rivals, options.rounds, Path(folder), report)
            print(f"{row.name:<16}{_load()}\n", flush=True)
    return int(report.missed)


if __name__ == "__main__":
    sys.exit(main())
