"""A spec and what its sweep searches in, its trials trained out: each run a process of its own, in a folder of its own.

The folder of a sweep holds the spec, `sweep.jsonl` with a line for each trial that is done, and the runs beside what
they said: `trial-003-seed-1/` and `trial-003-seed-1.log`. A sweep goes on from that and from nothing else.
"""

import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gendsl.lower.errors import UserError
from gendsl.run.folder import RunFolder, append_line, read_lines, write_whole
from gendsl.run.launch import end_with_the_parent, passed_on
from gendsl.sweep.search import Search, Trial
from gendsl.vocabulary.score_keys import plain

_STOPPED_BY_ALARM = 4  # such a run is whole
_FAILED = 3
_INTERRUPTED = 130
_MOST_FAILED = 3  # trials in a row, before there is one with a score


@dataclass(frozen=True, slots=True)
class Sweep:
    """What is swept: the spec, the folder that its paths are relative to, what `--set` fixes, and where it is kept."""

    text: str
    project: str
    settings: Mapping[str, str]
    first_seed: int
    search: Search
    folder: Path
    words: tuple[str, ...] = ()  # of `gendsl run`, for each run

    @property
    def journal(self) -> Path:
        """The trials that are done, a line each."""
        return self.folder / "sweep.jsonl"

    def run_of(self, number: int, seed: int) -> Path:
        """The folder of a run."""
        return self.folder / f"trial-{number:03}-seed-{seed}"


class Interrupted(Exception):
    """A person, or the machine, has asked the sweep to end; it goes on from where it was."""


def swept(
    sweep: Sweep, *, tell: Callable[[Trial, int, float | None], None], watch: Callable[[str], None]
) -> list[Trial]:
    """All trials, those that were done before too.

    `tell` hears of each run: its trial as far as it is, its seed, its score; `watch` what a run says last. Raises
    UserError, and Interrupted.
    """
    _open(sweep)
    done = _done(sweep)
    failed = 0
    for number in range(len(done) + 1, sweep.search.trials + 1):
        settings = sweep.search.settings(number, done)
        scores: list[float | None] = []
        for seed in range(sweep.first_seed, sweep.first_seed + sweep.search.seeds):
            score = _scored(sweep, number, settings, seed, watch)
            scores.append(score)
            tell(Trial(number, settings, tuple(scores)), seed, score)
        trial = Trial(number, settings, tuple(scores))
        append_line(sweep.journal, {"trial": number, "settings": settings, "scores": scores})
        done.append(trial)
        failed = 0 if trial.value is not None else failed + 1
        if failed == len(done) == _MOST_FAILED:
            log = sweep.run_of(number, sweep.first_seed).with_suffix(".log")
            raise UserError(f"the first {failed} trials have no score: {_last_said(log)}", f"{log} says more")
    return done


def _open(sweep: Sweep) -> None:
    """Makes the folder, or sees that the sweep in it is this one."""
    spec = sweep.folder / "spec.gen"
    if spec.is_file():
        if spec.read_text(encoding="utf-8") != sweep.text:
            raise UserError(
                f"the sweep in {sweep.folder} is of another spec, {spec}", "give another folder with --out, or none"
            )
        return
    if sweep.folder.exists() and any(sweep.folder.iterdir()):
        raise UserError(f"{sweep.folder} holds something else than a sweep", "give another folder with --out")
    sweep.folder.mkdir(parents=True, exist_ok=True)
    write_whole(spec, sweep.text)


def _done(sweep: Sweep) -> list[Trial]:
    """The trials that stand in the journal, as far as they are of this search."""
    found = []
    for number, line in enumerate(read_lines(sweep.journal), start=1):
        settings, scores = line.get("settings"), line.get("scores")
        if line.get("trial") != number or not isinstance(settings, dict) or not isinstance(scores, list):
            raise UserError(f"line {number} of {sweep.journal} is damaged", "take it and those behind it out")
        if set(settings) != set(sweep.search.dimensions):
            varied = ", ".join(settings)
            raise UserError(f"the sweep in {sweep.folder} varies {varied}", "give another folder with --out")
        found.append(Trial(number, settings, tuple(scores)))
    return found[: sweep.search.trials]


def _scored(
    sweep: Sweep, number: int, settings: Mapping[str, str], seed: int, watch: Callable[[str], None]
) -> float | None:
    """The best score of a run, which is trained as far as it is not; None where it failed or has none."""
    run = sweep.run_of(number, seed).resolve()
    every = {**sweep.settings, **settings, "seed": str(seed)}
    words = ["run", "-", "--out", str(run), "--resume", *sweep.words]
    words += [word for name, value in every.items() for word in ("--set", f"{name}={value}")]
    code = _ended([sys.executable, "-m", "gendsl", *words], sweep, run.with_suffix(".log"), watch)
    if code in (0, _STOPPED_BY_ALARM):
        return best_of(read_lines(RunFolder(run).metrics), sweep.search)
    if code == _FAILED:
        return None
    if code == _INTERRUPTED or code < 0:
        raise Interrupted
    raise UserError(f"trial {number} cannot be run: {_last_said(run.with_suffix('.log'))}", "mend the spec")


def _ended(command: Sequence[str], sweep: Sweep, log: Path, watch: Callable[[str], None]) -> int:
    """The exit code of a run. What it says goes into a file; signals go to it, so that it saves before it ends."""
    asked_to_end = 0
    with open(log, "ab") as said:
        process = subprocess.Popen(
            command,
            cwd=sweep.project,
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=end_with_the_parent,
        )

        def passed(number: int) -> None:
            nonlocal asked_to_end
            asked_to_end += 1
            process.send_signal(number)

        with passed_on(passed):
            assert process.stdin is not None
            try:
                process.stdin.write(sweep.text.encode())
                process.stdin.close()
            except BrokenPipeError:
                pass  # it has ended already, and its exit code says why
            while process.poll() is None:
                watch(_last_said(log))
                time.sleep(0.2)
    return -signal.SIGTERM if asked_to_end else process.returncode


def _last_said(log: Path) -> str:
    with open(log, "rb") as file:
        file.seek(max(0, log.stat().st_size - 2_000))
        lines = file.read().decode(errors="replace").splitlines()
    return next((line.strip().removeprefix("gendsl: ") for line in reversed(lines) if line.strip()), "it says nothing")


def best_of(lines: Sequence[Mapping[str, Any]], search: Search) -> float | None:
    """The best of a run's checks: of a score that several outputs have, their mean is meant."""
    found = []
    for line in lines:
        values = [
            float(value)
            for key, value in line.items()
            if plain(key).split("/")[0] == search.score and isinstance(value, int | float)
        ]
        if values and all(map(math.isfinite, values)):
            found.append(math.fsum(values) / len(values))
    return (max(found) if search.larger else min(found)) if found else None
