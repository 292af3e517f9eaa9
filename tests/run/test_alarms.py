"""Alarms in runs: what they do, that it is told once, and that a run killed around them ends at the same bits."""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_processes import finished, gendsl
from test_run import metrics
from test_told_once import told

from gendsl.run import checkpoints, going_back
from gendsl.run.command import STOPPED, Outcome
from tests.run.tiny_runs import TINY, trained

Run = Callable[..., tuple[Outcome, str]]

QUICK = TINY[: TINY.index("evaluate")]
# The rate falls below 6e-4 at step 25, and with a constant one it never does.
BACK = QUICK + (
    "monitor { alarm slow, when: generator_learning_rate < 6e-4, for: 25 steps, "
    "do: rollback(learning_rate: 9e-4, scale_learning_rate: 0.9, at_most: 1) }\n"
)


def events(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]


def alarms(run: Path) -> list[tuple[int, str, str, int]]:
    return [(e["step"], e["name"], e["do"], e["attempt"]) for e in events(run) if e["event"] == "monitor"]


def same_end(one: Path, other: Path, step: int) -> None:
    """Weights and metrics to the bit, TensorBoard by steps, alarms as told."""
    values, others = (checkpoints.content(run / "checkpoints" / f"step-{step}") for run in (one, other))
    assert values.keys() == others.keys()
    for name, value in values.items():
        np.testing.assert_array_equal(value, others[name])
    assert metrics(one) == metrics(other) and told(one) == told(other) and alarms(one) == alarms(other)


@pytest.fixture(scope="module")
def back(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that went back once, and on to its end."""
    folder = tmp_path_factory.mktemp("back") / "whole"
    outcome, said = trained(BACK, folder)
    assert outcome.finished and outcome.exit_code == 0 and "alarm slow: `generator_learning_rate < 6e-4`" in said
    return folder


def test_a_rollback_goes_on_otherwise_from_the_last_good_checkpoint(back: Path, tmp_path: Path, run_tiny: Run) -> None:
    assert alarms(back) == [(51, "slow", "rollback", 0)]
    fired = next(event for event in events(back) if event["event"] == "monitor")
    assert fired["to"] == 20 and "for 25 steps" in fired["why"], "40 was saved while the alarm held; 20 is kept for it"
    lines = metrics(back)
    assert [line["step"] for line in lines] == list(range(1, 61))
    rates = {line["step"]: line["learning_rate/generator"] for line in lines}
    assert rates[20] == pytest.approx(1e-3 * (1 - 19 / 60)) and rates[21] == rates[60] == pytest.approx(0.9 * 9e-4)
    abandoned = [json.loads(line) for line in (back / "metrics-attempt-0.jsonl").read_text().splitlines()]
    assert [line["step"] for line in abandoned] == list(range(20, 52))
    # The draws are others: with the same rate the first step after 20 gives another loss.
    same = {line["step"]: line["generator/loss"] for line in lines}
    assert abandoned[1]["step"] == 21 and abandoned[1]["generator/loss"] != same[21]
    run_tiny(QUICK, tmp_path / "without")
    assert metrics(tmp_path / "without")[:20] == lines[:20], "until then nothing is other than without the alarm"
    assert told(back)["monitors/attempt_1"] == [20]


@pytest.mark.parametrize(
    "where",
    [
        "record_anew",
        "remove_after",
        pytest.param("cut", marks=pytest.mark.slow),
        pytest.param("keep_lines_until", marks=pytest.mark.slow),
    ],
)
def test_a_run_that_ends_while_it_goes_back(
    where: str, back: Path, tmp_path: Path, run_tiny: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints if hasattr(checkpoints, where) else going_back, where, killed)
        with pytest.raises(Killed):
            run_tiny(BACK, tmp_path / "run")
    run_tiny(BACK, tmp_path / "run", resume=True)
    same_end(back, tmp_path / "run", 60)


@pytest.mark.slow
def test_several_workers_follow_their_chief(tmp_path: Path) -> None:
    (tmp_path / "back.gen").write_text(BACK.replace("slow, when", "late, when"))
    code, said = finished("launch", "-n", "2", "back.gen", "--out", "run", folder=tmp_path)
    assert code == 0 and "alarm late" in said and alarms(tmp_path / "run") == [(51, "late", "rollback", 0)], said
    lines = metrics(tmp_path / "run")
    assert [line["step"] for line in lines] == list(range(1, 61))
    assert lines[-1]["learning_rate/generator"] == pytest.approx(0.9 * 9e-4)
    (tmp_path / "stop.gen").write_text(QUICK + "monitor { alarm now, when: generator_loss > -1, do: stop }\n")
    code, said = finished("launch", "-n", "2", "stop.gen", "--out", "stopped", folder=tmp_path)
    assert code == STOPPED and "`now` ended the run at step 1 of 60" in said and "worker 1" not in said, said
    assert (tmp_path / "stopped" / "checkpoints" / "step-1").is_dir()


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["before", "fired", "after"])
def test_kill_9_around_a_rollback(moment: str, tmp_path: Path) -> None:
    text = BACK.replace("= 60 steps", "= 600 steps").replace("for: 25 steps", "for: 250 steps")
    text = text.replace("every: 20 steps", "every: 50 steps")
    (tmp_path / "back.gen").write_text(text)
    code, said = finished("run", "back.gen", "--out", "whole", folder=tmp_path)
    assert code == 0 and [alarm[1:] for alarm in alarms(tmp_path / "whole")] == [("slow", "rollback", 0)], said
    run = tmp_path / "run"
    process = gendsl("run", "back.gen", "--out", "run", folder=tmp_path)
    end = time.monotonic() + 120

    def reached() -> bool:
        if moment == "before":
            return (run / "checkpoints" / "step-300").is_dir()
        fired = (run / "events.jsonl").is_file() and '"monitor"' in (run / "events.jsonl").read_text()
        return fired if moment == "fired" else fired and (run / "checkpoints" / "step-350").is_dir()

    while not reached():
        assert process.poll() is None and time.monotonic() < end, process.communicate(timeout=20)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    code, said = finished("resume", "run", folder=tmp_path)
    assert code == 0 and "going on at step" in said, said
    same_end(tmp_path / "whole", run, 600)


def test_a_policy_may_change_what_holds_from_then_on(tmp_path: Path, run_tiny: Run) -> None:
    text = QUICK.replace("train {", "train {\n  weight = ramp(1, 0)").replace(
        "  objective gan(loss: nonsaturating)",
        "  update discriminator {\n    minimize nonsaturating.discriminator(discriminator(point), "
        "discriminator(generator()))\n  }\n  update generator {\n    minimize weight * "
        "nonsaturating.generator(discriminator(generator()))\n  }",
    )
    alarm = "monitor { alarm slow, when: generator_learning_rate < 6e-4, do: set(learning_rate: 5e-4, weight: 0) }\n"
    run_tiny(text + alarm, tmp_path / "whole")
    rates = {line["step"]: line["learning_rate/generator"] for line in metrics(tmp_path / "whole")}
    losses = {line["step"]: line["generator/loss"] for line in metrics(tmp_path / "whole")}
    ((step, *what),) = alarms(tmp_path / "whole")
    assert what == ["slow", "set", 0] and rates[step] < 6e-4 < rates[step - 1]
    assert rates[step + 1] == rates[60] == pytest.approx(5e-4) and losses[step] > 0.1
    assert losses[step + 1] == losses[60] == 0
    run_tiny(text + alarm, tmp_path / "part", steps=step + 5)
    run_tiny(text + alarm, tmp_path / "part", resume=True)
    same_end(tmp_path / "whole", tmp_path / "part", 60)


def test_stop_ends_the_run_as_if_its_steps_were_over(tmp_path: Path) -> None:
    spec = tmp_path / "tiny.gen"
    spec.write_text(TINY + "monitor { collapse when: diversity < 200%, do: stop }\n")
    code, said = finished("run", "tiny.gen", "--out", "run", folder=tmp_path)
    assert code == STOPPED == 4 and "`collapse` ended the run at step 30 of 60" in said, said
    assert (tmp_path / "run" / "checkpoints" / "step-30").is_dir()
    assert (tmp_path / "run" / "samples" / "grid-final.png").is_file()
    assert alarms(tmp_path / "run") == [(30, "collapse", "stop", 0)]
    scored = [any(name.startswith("diversity#") for name in line) for line in metrics(tmp_path / "run")]
    assert sum(scored) == 1, "scored once"
    assert told(tmp_path / "run")["monitors/collapse"] == [30]
    last = events(tmp_path / "run")[-1]
    assert last | {"time": "", "cpu_seconds": 0} == {
        "step": 30,
        "event": "stopped",
        "by": "collapse",
        "time": "",
        "cpu_seconds": 0,
    }
    code, said = finished("resume", "run", folder=tmp_path)
    assert code == STOPPED and "`collapse` ended the run at step 30" in said and "nothing is left" in said, said
    # Without the alarm it goes on, since that changes no step.
    spec.write_text(TINY + "monitor default\n")
    code, said = finished("run", "tiny.gen", "--out", "run", "--resume", folder=tmp_path)
    assert code == 0 and "going on at step 30 of 60" in said, said


def test_diverging_leads_back_as_often_as_it_may(tmp_path: Path, run_tiny: Run) -> None:
    from gendsl.lower.errors import UserError

    hot = QUICK.replace("adam(linear_decay(1e-3, 0), beta_1: 0.5)", "sgd(1e30)")
    policy = "monitor {{ diverged do: rollback(scale_learning_rate: {}, at_most: 2) }}\n"
    outcome, said = run_tiny(hot + policy.format("1e-33"), tmp_path / "mended")
    assert (
        outcome.finished
        and "alarm diverged" in said
        and alarms(tmp_path / "mended") == [(1, "diverged", "rollback", 0)]
    )
    with pytest.raises(UserError, match="training diverged at step 1"):
        run_tiny(hot + policy.format("0.9"), tmp_path / "hopeless")
    assert [alarm[2:] for alarm in alarms(tmp_path / "hopeless")] == [("rollback", 0), ("rollback", 1)]
    assert events(tmp_path / "hopeless")[-1]["event"] == "diverged"


def test_a_warning_is_told_and_changes_nothing(tmp_path: Path, run_tiny: Run, tiny: tuple[Path, str]) -> None:
    text = TINY + "monitor { collapse when: diversity < 200%, for: 2 checks, do: warn }\n"
    _, said = run_tiny(text, tmp_path / "run")
    assert "step 60: alarm collapse: `diversity < 200%`, for 2 checks (diversity" in said
    assert metrics(tmp_path / "run") == metrics(tiny[0]) and alarms(tmp_path / "run") == [(60, "collapse", "warn", 0)]


def test_a_damaged_record_of_alarms_is_told_of(tmp_path: Path, run_tiny: Run) -> None:
    from gendsl.lower.errors import UserError

    run_tiny(BACK, tmp_path / "run", steps=20)
    manifest = tmp_path / "run" / "checkpoints" / "step-20" / "manifest.json"
    whole = json.loads(manifest.read_text())
    for damage in ({"course": {"attempt": "x"}}, {"monitors": 3}, {"course": 3}):
        whole["record"]["alarms"] = whole["record"]["alarms"] | damage
        manifest.write_text(json.dumps(whole))
        with pytest.raises(UserError, match="damaged"):
            run_tiny(BACK, tmp_path / "run", resume=True)
