"""The state of a run in, its checkpoints on disk out: copied between graph calls, written while training goes on."""

import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gendsl.run import checkpoints


@dataclass(slots=True)
class Saver:
    """Writes one checkpoint at a time, in a thread; the next waits for the one before."""

    folder: Path
    state: Mapping[str, Any]
    keep: int
    plan_hash: str
    pinned: frozenset[int] = frozenset()  # the steps of those that stay, however old
    step: int = -1  # of the last checkpoint that is whole on disk; -1 for none
    asked_at: float = field(default_factory=time.monotonic)  # when the last was asked for
    _thread: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "checkpoints"))
    _writing: tuple[int, Future[Path]] | None = None

    @property
    def asked(self) -> int:
        """The step of the last checkpoint that was asked for, be it on disk or still being written."""
        return self.step if self._writing is None else self._writing[0]

    def save(
        self,
        step: int,
        values: checkpoints.Snapshot,
        *,
        record: Mapping[str, Any],
        before: Iterable[Path] = (),
    ) -> None:
        """Writes a snapshot of the state. Raises UserError if the one before could not be written."""
        self.wait()
        writing = self._thread.submit(
            checkpoints.write,
            self.folder,
            step,
            values,
            record=record,
            keep=self.keep,
            plan_hash=self.plan_hash,
            before=tuple(before),
            pinned=self.pinned,
        )
        self._writing, self.asked_at = (step, writing), time.monotonic()

    def make_best(self, step: int) -> None:
        """Makes the checkpoint of a step, asked for before, the best as soon as it is on disk."""
        written = None if self._writing is None else self._writing[1]

        def link() -> Path:
            if written is not None:
                written.result()
            checkpoints.make_best(self.folder, step)
            return self.folder / f"step-{step}"

        self._writing = (step, self._thread.submit(link))

    def goes_back_to(self, step: int) -> None:
        """The run goes on from an earlier checkpoint: later ones will be asked for anew."""
        self.wait()
        self.step, self.asked_at = step, time.monotonic()

    def look(self) -> None:
        """Notes a checkpoint that has been written in the meantime. Raises UserError if it could not be."""
        if self._writing is not None and self._writing[1].done():
            self.wait()

    def wait(self) -> None:
        """Waits until nothing is being written. Raises UserError if it could not be."""
        if self._writing is None:
            return
        step, writing = self._writing
        writing.result()
        self._writing, self.step = None, step

    def close(self) -> None:
        """Waits, whatever comes of it; what went wrong before is told before."""
        self._thread.shutdown(wait=True)
