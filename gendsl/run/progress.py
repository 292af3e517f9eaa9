"""Where a run stands in, what a person sees in the terminal out: a moving bar, or plain lines elsewhere."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

_SECONDS_BETWEEN_LINES = 5.0


class Screen:
    """The terminal while a run goes on: steps/s, time left and the losses."""

    def __init__(self, console: Console, *, first: int, last: int) -> None:
        self._console = console
        self._last = last
        self._shown = first
        self._said = time.monotonic() - _SECONDS_BETWEEN_LINES
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        if console.is_terminal:
            self._bar = Progress(
                TextColumn("[bold]training"),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                TextColumn("{task.fields[speed]}"),
                TextColumn("{task.fields[left]}"),
                TextColumn("{task.fields[losses]}"),
                console=console,
                refresh_per_second=4,
            )
            self._task = self._bar.add_task("training", total=last, completed=first, speed="", left="", losses="")

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, step: int, values: Mapping[str, float], steps_per_second: float | None) -> None:
        """Moves the bar; without one, prints a line every few seconds and at the end."""
        speed = "" if steps_per_second is None else rate(steps_per_second)
        left = "" if steps_per_second is None else f"{clock((self._last - step) / steps_per_second)} left"
        losses = losses_of(values)
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=step, speed=speed, left=left, losses=losses)
        elif time.monotonic() - self._said >= _SECONDS_BETWEEN_LINES or step == self._last != self._shown:
            self._said = time.monotonic()
            parts = [f"step {step:,} of {self._last:,}", speed, left, losses]
            self._console.print("  ".join(part for part in parts if part), highlight=False, soft_wrap=True)
        self._shown = step

    def say(self, text: str) -> None:
        """Prints a line above the bar."""
        self._console.print(text, highlight=False, soft_wrap=True)


def losses_of(values: Mapping[str, float]) -> str:
    """`generator 0.693  discriminator 1.386` of what the steps told."""
    return "  ".join(
        f"{name.removesuffix('/loss')} {value:.4g}" for name, value in values.items() if name.endswith("/loss")
    )


def clock(seconds: float) -> str:
    """`0:07`, `12:30`, `3:04:00`."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def rate(steps_per_second: float) -> str:
    """`71 steps/s`, `0.41 steps/s`."""
    return f"{steps_per_second:.0f} steps/s" if steps_per_second >= 10 else f"{steps_per_second:.2g} steps/s"
