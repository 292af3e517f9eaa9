"""A worker's start in, its end out where it takes too long: for one that died just after it came TensorFlow waits for
ever. Nothing in its process comes to act then, neither a thread nor the handler of a signal: so another one watches.
"""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

from gendsl.run.cluster import Cluster, host_and_port

_SECONDS_TO_PROBE = 2.0


@contextlib.contextmanager
def begun_within(seconds: float, cluster: Cluster) -> Iterator[None]:
    """Ends this process by SIGKILL, after a message that names who is lost, if the block takes longer."""
    words = [str(os.getpid()), str(seconds), str(cluster.index), *cluster.addresses]
    # The watch ends, too, when its standard input does, which is the other end of our pipe.
    watch = subprocess.Popen([sys.executable, "-m", "gendsl.run.watch", *words], stdin=subprocess.PIPE)
    try:
        yield
    finally:
        watch.communicate()


def unreachable(cluster: Cluster) -> list[int]:
    """The other workers at whose addresses nobody listens."""
    found = []
    for index, address in enumerate(cluster.addresses):
        if index != cluster.index:
            try:
                socket.create_connection(host_and_port(address), _SECONDS_TO_PROBE).close()
            except OSError:
                found.append(index)
    return found


def _watch(process: int, seconds: float, cluster: Cluster) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal that both have: the other one answers it
    if select.select([0], [], [], seconds)[0]:
        return
    who = " and ".join(map(cluster.named, unreachable(cluster))) or "one of the workers"
    os.write(2, f"gendsl: {who} was lost while the run began\n  help: start all workers again\n".encode())
    os.kill(process, signal.SIGKILL)


if __name__ == "__main__":
    _watch(int(sys.argv[1]), float(sys.argv[2]), Cluster(tuple(sys.argv[4:]), int(sys.argv[3])))
