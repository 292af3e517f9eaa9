"""A `gendsl run` command and a number in, so many workers on this machine out, ended together: `gendsl launch`.

The chief has the terminal; of the others only what a failed one said is shown. Signals reach the workers through this
process alone, so that each comes once; and however this process ends, they end too.
"""

import argparse
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import IO

from gendsl.run.cluster import Cluster

LAUNCHED = "GENDSL_LAUNCHED"  # the variable by which workers know how many were launched
_WRONG, _USAGE, _FAILED = 1, 2, 3  # exit codes; what the first two stand for every worker finds, and the chief says
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SECONDS_TO_NOTICE = 3.0  # that another has failed, before they are told to end
_SECONDS_TO_END = 15.0  # before they are killed
_LINES_KEPT = 200
_PR_SET_PDEATHSIG = 1


def launch(count: int, target: str, words: Sequence[str], *, tell: Callable[[str], None]) -> int:
    """Runs so many workers, `gendsl run` of a spec or `gendsl resume` of a run's folder; gives the exit code: the first
    failure's, else 0. `words` are those of the command line behind `launch`; `tell` takes lines for standard error.
    """
    command = "resume" if os.path.isdir(target) else "run"
    crew = _Supervised(Cluster(free_addresses(count), 0), [command, *_words_of_worker(words)], tell)
    with passed_on(crew.signal):
        return crew.end()


def _words_of_worker(words: Sequence[str]) -> list[str]:
    """All but `-n N`, in their order."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-n")
    return parser.parse_known_args(list(words))[1]


def free_addresses(count: int) -> tuple[str, ...]:
    """Addresses on this machine's loopback at whose ports nobody listens."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return tuple(f"127.0.0.1:{one.getsockname()[1]}" for one in sockets)


def devices_of(index: int, count: int, environment: Mapping[str, str], gpus: int) -> dict[str, str]:
    """What shows a worker its share of this machine's GPUs; none where there are fewer than workers."""
    given = environment.get("CUDA_VISIBLE_DEVICES")
    if given is None and not gpus:
        return {}
    there = [str(number) for number in range(gpus)] if given is None else [one for one in given.split(",") if one]
    share = len(there) // count
    return {"CUDA_VISIBLE_DEVICES": ",".join(there[index * share : (index + 1) * share]) or "-1"}


class _Supervised:
    """The processes of the workers, from their start to their end."""

    def __init__(self, cluster: Cluster, words: Sequence[str], tell: Callable[[str], None]) -> None:
        self._cluster = cluster
        self._tell = tell
        self._said: dict[int, deque[str]] = {}
        self._readers: dict[int, threading.Thread] = {}
        self._stopped = 0  # signals that were passed on
        count = len(cluster.addresses)
        gpus = len(list(Path("/dev").glob("nvidia[0-9]*")))
        self._processes = [
            subprocess.Popen(
                [
                    *(sys.executable, "-m", "gendsl", *words),
                    *("--workers", ",".join(cluster.addresses), "--worker", str(index)),
                ],
                stdin=None if index == 0 else subprocess.DEVNULL,
                stdout=None if index == 0 else subprocess.DEVNULL,
                stderr=None if index == 0 else subprocess.PIPE,
                env=os.environ | {LAUNCHED: str(count)} | devices_of(index, count, os.environ, gpus),
                start_new_session=True,
                preexec_fn=end_with_the_parent,
            )
            for index in range(count)
        ]
        for index, process in enumerate(self._processes):
            if process.stderr is not None:
                self._said[index] = deque(maxlen=_LINES_KEPT)
                reader = threading.Thread(target=_read, args=(process.stderr, self._said[index]), daemon=True)
                self._readers[index] = reader
                reader.start()

    def signal(self, number: int) -> None:
        """Passes a signal on to all that are there."""
        self._stopped += 1
        for process in self._processes:
            if process.poll() is None:
                process.send_signal(number)

    def end(self) -> int:
        """Waits until all have ended; once one has failed, the others are made to."""
        codes: dict[int, int] = {}
        failed: int | None = None
        failed_at = killed_after = 0.0
        while len(codes) < len(self._processes):
            for index, process in enumerate(self._processes):
                if index not in codes and (code := process.poll()) is not None:
                    codes[index] = code
                    if code and failed is None:
                        failed, failed_at = index, time.monotonic()
            waited = time.monotonic() - failed_at
            if failed is not None and waited > _SECONDS_TO_NOTICE and not killed_after:
                self._to_all(codes, signal.SIGTERM)
                killed_after = _SECONDS_TO_NOTICE + _SECONDS_TO_END
            if killed_after and waited > killed_after:
                self._to_all(codes, signal.SIGKILL)
            time.sleep(0.02)
        if failed is None:
            return 0
        self._tell_of(failed, codes)
        return _exit_code(codes[failed])

    def _to_all(self, codes: Mapping[int, int], number: int) -> None:
        for index, process in enumerate(self._processes):
            if index not in codes:
                process.send_signal(number)

    def _tell_of(self, failed: int, codes: Mapping[int, int]) -> None:
        """What the first that failed said, if it was not the chief, who speaks for himself."""
        code = codes[failed]
        if code < 0 and -code not in _SIGNALS:
            self._tell(f"gendsl: {self._cluster.named(failed)} was ended by {signal.Signals(-code).name}")
        if failed == 0 or (code == codes[0] and (code in (_WRONG, _USAGE) or self._stopped)):
            return  # all found the same, and the chief has said it
        self._readers[failed].join(1)
        for line in self._said[failed]:
            self._tell(f"worker {failed}: {line}")


def _exit_code(code: int) -> int:
    """That of `gendsl`: who was ended by a signal that asks for it gives that of a shell, by another one has failed."""
    if code >= 0:
        return code
    return 128 - code if -code in _SIGNALS else _FAILED


def _read(stream: IO[bytes], lines: deque[str]) -> None:
    for line in stream:
        lines.append(line.decode(errors="replace").rstrip("\r\n"))


def end_with_the_parent() -> None:
    """Has Linux send SIGTERM to this process when the one that started it ends, even by SIGKILL."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


@contextlib.contextmanager
def passed_on(send: Callable[[int], None]) -> Iterator[None]:
    """While it holds, signals that ask this process to end are given to `send` instead."""

    def receive(number: int, frame: FrameType | None) -> None:
        send(number)

    before = {
        number: signal.signal(number, receive) for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
