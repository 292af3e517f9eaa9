"""A spec on standard input in, a run that ends by SIGKILL out: the process that `gendsl verify` has to lose.

It is killed where it hurts: after steps that no checkpoint holds. The one before is whole by then, so that there is
something to go on from.
"""

import io
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console

from gendsl.check.checker import check
from gendsl.check.strategy import strategy_of
from gendsl.diagnostics import Problems
from gendsl.frozen import replace
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Call, Plan, Quantity
from gendsl.run.command import run
from gendsl.run.order import Order, Where
from gendsl.source import Source

_SECONDS_TO_WRITE = 120.0


def doomed(text: str, asked: dict[str, Any]) -> None:
    """Trains in the folder `out` to beyond step `after`, and kills this process.

    A checkpoint is written at step `after` and, if it is even, at half of it: then graph calls end there, too, and the
    kill comes between two checkpoints.
    """
    plan = check(Source("<stdin>", text), Problems(), settings=asked["settings"])
    assert plan is not None, "what calls this has checked the spec"
    out, after = Path(asked["out"]), int(asked["after"])
    order = Order(
        _saved_every(plan, after if after % 2 else after // 2),
        source_text=text,
        spec_path="-",
        project=".",
        settings=asked["settings"],
        steps=asked["steps"],
        overfit=asked["overfit"],
        strategy_asked=None if asked["strategy"] is None else strategy_of(asked["strategy"]),
    )

    def watch(step: int) -> None:
        if step > after:
            written, until = out / "checkpoints" / f"step-{after}", time.monotonic() + _SECONDS_TO_WRITE
            while not written.is_dir():  # by another thread
                if time.monotonic() > until:
                    raise UserError(
                        f"the checkpoint of step {after} was not written in {_SECONDS_TO_WRITE:.0f} seconds",
                        f"see whether {out} has room",
                    )
                time.sleep(0.01)
            os.write(1, f"{step}\n".encode())
            os.kill(os.getpid(), signal.SIGKILL)

    run(order, Where(out), console=Console(file=io.StringIO()), watch=watch)


def _saved_every(plan: Plan, steps: int) -> Plan:
    """The plan with another interval of its checkpoints, which is no part of the training."""
    settings = dict(plan.train.settings)
    given = settings["checkpoint"].arguments if "checkpoint" in settings else {"keep": 3}
    settings["checkpoint"] = Call("checkpoint", {**given, "every": Quantity(steps, "steps")})
    return replace(plan, train=replace(plan.train, settings=settings))


if __name__ == "__main__":
    doomed(sys.stdin.read(), json.loads(sys.argv[1]))
