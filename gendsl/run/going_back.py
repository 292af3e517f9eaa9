"""A run and an alarm that leads it back in, the run as it stood at its last good checkpoint out, on another course.

Each step leaves a folder from which a resumed run comes to the same: from a later checkpoint it meets the alarm again.
"""

from pathlib import Path

from gendsl.monitor.monitors import Firing
from gendsl.run import checkpoints
from gendsl.run.folder import RunFolder, keep_lines_until, trainings_in, write_whole
from gendsl.run.guard import Guard
from gendsl.run.logs import cut
from gendsl.run.loop import window_of
from gendsl.run.saver import Saver
from gendsl.run.trainer import Turn


def gone_back(folder: RunFolder, saver: Saver, guard: Guard, firing: Firing) -> Turn:
    """Restores the state of the last good checkpoint, and removes what was told and saved since.

    What the metrics told since is kept as `metrics-attempt-N.jsonl`. Raises UserError where that checkpoint is lost.
    """
    now, good = guard.course, guard.back_to(firing)
    saver.wait()
    restored = checkpoints.restore(folder.checkpoints, saver.state, plans=trainings_in(folder), step=good)
    assert restored is not None  # one of a step is there, or it raises
    guard.restore(restored.record.get("alarms"), step=good)
    told = f"attempt {now.attempt + 1}, from step {good:,}: at step {firing.step:,} {firing.name} said: {firing.why}"
    guard.course = now.led_back(firing.name, firing.policy, then=guard.course, step=good, told=told)
    guard.good = guard.finite = good
    record = {**restored.record, "alarms": guard.record()}
    checkpoints.record_anew(folder.checkpoints, good, record)
    checkpoints.remove_after(folder.checkpoints, good)
    checkpoints.unlink_best(folder.checkpoints)
    _keep_told(folder, restored.record["lengths"], now.attempt)
    cut(folder, restored.record["lengths"])
    keep_lines_until(folder.events, good, attempt=guard.course.attempt)
    saver.goes_back_to(good)
    saver.pinned = guard.pinned
    return Turn(good, window_of(restored.record["window"]), guard.course, back=True)


def _keep_told(folder: RunFolder, lengths: dict[str, int], attempt: int) -> None:
    """Keeps what the metrics told since in a file of its own."""
    start = lengths.get(folder.metrics.name, 0)
    since = folder.metrics.read_bytes()[start:] if folder.metrics.is_file() else b""
    if since:
        write_whole(Path(folder.path) / f"metrics-attempt-{attempt}.jsonl", since)
