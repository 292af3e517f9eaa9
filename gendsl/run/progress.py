"""Where a run stands in, what a person sees in the terminal out: a moving bar, or plain lines elsewhere."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.segment import Segment
from rich.text import Text

from gendsl.render import wrapped

_SECONDS_BETWEEN_LINES = 5.0
_REFRESHES_A_SECOND = 2.0  # as often as graph calls end; each costs the training a little
_LONGEST_BAR, _SHORTEST_BAR = 24, 8
_ECHO = 2  # columns of `^C`, which a terminal writes behind the bar; one line more would leave half a bar above


class Screen:
    """The terminal while a run goes on: steps/s, time left and the losses."""

    def __init__(self, console: Console, *, first: int, last: int) -> None:
        self._console = console
        self._last = last
        self._shown = first
        self._said = time.monotonic() - _SECONDS_BETWEEN_LINES
        self._line = Line(first, last)
        self._live = (
            Live(self._line, console=console, refresh_per_second=_REFRESHES_A_SECOND) if console.is_terminal else None
        )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
            self._console.show_cursor(True)  # rich hides it, and a process that is killed cannot bring it back
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leaves the terminal as it was, with the last state of the bar above."""
        self._line.note = ""
        if self._live is not None:
            self._live.stop()

    def show(self, step: int, values: Mapping[str, float], steps_per_second: float | None) -> None:
        """Moves the bar; without one, prints a line every few seconds and at the end."""
        self._line.step = step
        if values:
            self._line.losses = losses_of(values)
        if steps_per_second is not None:
            self._line.speed = f"{rate(steps_per_second)}  {clock((self._last - step) / steps_per_second):>4} left"
        if self._live is None and (
            time.monotonic() - self._said >= _SECONDS_BETWEEN_LINES or step == self._last != self._shown
        ):
            self._said = time.monotonic()
            parts = [f"step {step:,} of {self._last:,}", self._line.speed, self._line.losses]
            self._console.print("  ".join(part for part in parts if part), highlight=False, soft_wrap=True)
        self._shown = step

    def back(self, step: int) -> None:
        """The run goes on from an earlier step."""
        self._line.step = self._shown = step

    def stopping(self) -> None:
        """Shows that the run is about to end. It writes nothing itself, so that a signal's handler may call it."""
        self._line.note = "stopping; once more stops at once"

    def say(self, text: str) -> None:
        """Prints a line above the bar."""
        width = self._console.width if self._console.is_terminal else None
        self._console.print(wrapped(text, width), highlight=False, soft_wrap=True)


class Line:
    """The bar and what stands beside it, in one line of any terminal: the bar gives way first, then the losses."""

    def __init__(self, first: int, last: int) -> None:
        self.step = first
        self.last = last
        self.speed = ""
        self.losses = ""
        self.note = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        end = f"{self.last:,}"
        step = f"{self.step:>{len(end)},}"
        parts = [self.note] if self.note else [self.speed, self.losses]
        said = "  ".join(part for part in (f"{step}/{end}", *parts) if part)
        short = "  ".join(part for part in (step, *parts) if part)  # the opening line tells how many there are
        width = max(options.max_width - _ECHO, 1)
        for text in (said, short):
            room = min(width - len(text) - 2, _LONGEST_BAR)
            if room >= _SHORTEST_BAR:
                bar = ProgressBar(total=max(self.last, 1), completed=self.step if self.last else 1, width=room)
                yield from console.render(bar, options)
                yield Segment("  ")
                said = text
                break
        line = Text(said, no_wrap=True, overflow="ellipsis", end="")
        line.truncate(width - room - 2 if room >= _SHORTEST_BAR else width, overflow="ellipsis")
        yield line


def losses_of(values: Mapping[str, float]) -> str:
    """`generator 0.693  discriminator 1.386` of what the steps told."""
    return "  ".join(
        f"{name.removesuffix('/loss')} {figure(value):<6}" for name, value in values.items() if name.endswith("/loss")
    ).rstrip()


def figure(value: float) -> str:
    """`0.693`, `12.500`, `1.5e-05`: mostly of one width, so that what stands behind does not jump."""
    return f"{value:.3f}" if 0.01 <= abs(value) < 1000 or value == 0 else f"{value:.3g}"


def clock(seconds: float) -> str:
    """`0:07`, `12:30`, `3:04:00`."""
    whole = max(0, round(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def rate(steps_per_second: float) -> str:
    """`71 steps/s`, `0.41 steps/s`."""
    return f"{steps_per_second:,.0f} steps/s" if steps_per_second >= 10 else f"{steps_per_second:.2g} steps/s"
