"""An exported model in, how many milliseconds `gendsl serve` adds to a request out: the quality bar is 5.

    python benchmarks/serving.py RUN-OR-EXPORT [-n 64] [--times 200]

Starts `gendsl serve` on the export as a process, and loads the same SavedModel here. Calls alternate, one by HTTP on a
kept connection and one in this process, with the same inputs and the numbers read; the medians are compared. JSON of
the answer, which the client gets as bytes, is the server's work and counts; parsing it is the client's, and does not.
"""

import argparse
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable


def main() -> int:
    """Prints the medians and their difference; 1 where it is above the bar."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("export")
    parser.add_argument("-n", type=int, default=64, help="samples a request")
    parser.add_argument("--times", type=int, default=200, help="requests that are measured")
    parser.add_argument("--bar", type=float, default=5.0, help="milliseconds that it may add")
    options = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, "-m", "gendsl", "serve", options.export, "--port", "0", "--limit", str(max(options.n, 1024))],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        said = ""
        for line in server.stdout:
            said += line
            if "Ctrl-C" in line:
                break
        address = re.search(r"http://([^/]+)(/v1/models/\S+)", said)
        if address is None:
            return 1
        return _compared(options, address[1], address[2])
    finally:
        server.terminate()
        server.wait()


def _compared(options: argparse.Namespace, address: str, path: str) -> int:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    import numpy as np

    from gendsl.serve.finding import found
    from gendsl.serve.model import SavedModel

    model = SavedModel(found(options.export).folder)
    connection = http.client.HTTPConnection(address)
    size = 0

    def served(seed: int) -> None:
        nonlocal size
        body = json.dumps({"inputs": {"n": options.n, "seed": seed}})
        connection.request("POST", f"{path}:predict", body)
        answer = connection.getresponse()
        size = len(answer.read())
        assert answer.status == 200, answer.status

    def called(seed: int) -> None:
        given = {"n": np.array(options.n, np.int32), "seed": np.array(seed, np.int64)}
        model.call("serving_default", given)

    for warm in range(10):
        served(warm)
        called(warm)
    times: dict[str, list[float]] = {"served": [], "called": []}
    for number in range(options.times):
        for name, call in (("served", served), ("called", called)):
            times[name].append(_milliseconds(call, number))
    over, own = (statistics.median(times[name]) for name in ("served", "called"))
    print(f"{options.n} samples a request, {size:,} bytes of JSON, medians of {options.times}")
    print(f"in process   {own:8.2f} ms")
    print(f"gendsl serve {over:8.2f} ms")
    print(f"it adds      {over - own:8.2f} ms (bar: {options.bar:g} ms), {over / own:.2f} times")
    return int(over - own > options.bar)


def _milliseconds(call: Callable[[int], None], seed: int) -> float:
    start = time.perf_counter()
    call(seed)
    return (time.perf_counter() - start) * 1000


if __name__ == "__main__":
    sys.exit(main())
