"""Signals in, an orderly end out: the first asks the run to save and stop, a second Ctrl-C ends the process at once.

Python runs the handler of a signal between two bytecodes of the main thread, which a graph call or the loading of
TensorFlow may hold for long. So in a process of its own a thread of ours waits for the signals, and ends the process
without the main thread. In someone else's (`gendsl.train` in a notebook) the second Ctrl-C is a KeyboardInterrupt.
"""

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SECONDS_FOR_LAST_WORDS = 2.0


def exit_code(number: int) -> int:
    """What a shell expects of a process that a signal has ended: 130 for Ctrl-C."""
    return 128 + number


class Interruption:
    """Notes that a person (Ctrl-C), the system (SIGTERM) or a closed terminal (SIGHUP) wants the run to end."""

    def __init__(
        self,
        noted: Callable[[], None] = lambda: None,
        *,
        last_words: Callable[[], None] | None = None,
        patient: bool = True,
    ) -> None:
        """`noted` is called at the first signal; it may not write, since a write may have been cut off by it.

        With `last_words` the process is ours to end: they are said, and it ends without unwinding. Without `patient`
        there is nothing to save yet, and the first signal ends it.
        """
        self.signal: int | None = None
        self._noted = noted
        self._last_words = last_words
        self._patient = patient
        self._before: dict[int, Any] = {}
        self._terminals: list[int] = []
        self._ears: tuple[int, int] | None = None  # a pipe: the system's signals in, our thread's out
        self._wakeup = -1

    def __enter__(self) -> Self:
        # Python delivers signals to the main thread alone; a run in another is interrupted by its process.
        if threading.current_thread() is not threading.main_thread():
            return self
        self._terminals = [descriptor for descriptor in (1, 2) if os.isatty(descriptor)]
        if self._last_words is not None:
            self._listen()
        handler = self._received if self._last_words is None else _left_to_the_thread
        for number in SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:  # as under nohup
                self._before[number] = signal.signal(number, handler)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._ears is not None:
            signal.set_wakeup_fd(self._wakeup)
            os.close(self._ears[1])  # the thread reads the end of the pipe, and ends

    def _listen(self) -> None:
        self._ears = os.pipe()
        os.set_blocking(self._ears[1], False)
        self._wakeup = signal.set_wakeup_fd(self._ears[1], warn_on_full_buffer=False)
        threading.Thread(target=self._hear, args=(self._ears[0],), name="signals", daemon=True).start()

    def _hear(self, pipe: int) -> None:
        while number := os.read(pipe, 1):
            if number[0] in self._before:
                self._received(number[0])
        os.close(pipe)

    def _received(self, number: int, frame: FrameType | None = None) -> None:
        if number == signal.SIGHUP:
            self._let_go_of_the_terminal()
        if self._patient and self.signal is None:
            self.signal = number
            self._noted()
        elif number == signal.SIGINT or not self._patient:
            self._end(number)

    def _end(self, number: int) -> None:
        if self._last_words is None:
            raise KeyboardInterrupt
        # Whoever holds the terminal may hold it for ever: the words get a moment, the end is certain.
        words = threading.Thread(target=self._last_words, daemon=True)
        words.start()
        words.join(_SECONDS_FOR_LAST_WORDS)
        os._exit(exit_code(number))

    def _let_go_of_the_terminal(self) -> None:
        """A closed terminal takes no more words, and an error for them would keep the run from saving."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for descriptor in self._terminals:
            os.dup2(nowhere, descriptor)
        os.close(nowhere)


def _left_to_the_thread(number: int, frame: FrameType | None) -> None:
    """A handler there must be, or the system would end the process."""
