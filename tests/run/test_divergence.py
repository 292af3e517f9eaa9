"""A run that leaves the finite numbers: where it began is named, what was saved stays, and float16 may skip steps."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_processes import finished

from gendsl.lower.errors import UserError
from gendsl.run.divergence import gone
from gendsl.run.loop import Window

Run = Callable[..., Any]

# 1e-3 less a rise to 2e-3 over 60 steps is 0 in the step behind the thirtieth, for every draw.
LOG = """update discriminator, times: 3 {
    minimize mean(softplus(discriminator(generator()))) + mean(softplus(-discriminator(point)))
  }
  update generator, times: 2 {
    minimize mean(log(1e-3 - ramp(0, 2e-3, over: 60 steps) + 0 * discriminator(generator())))
  }"""


def diverged(folder: Path) -> dict[str, Any]:
    records = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    (found,) = [record for record in records if record["event"] == "diverged"]
    return dict(found)


def test_the_step_the_update_and_the_term_are_named_and_the_checkpoint_is_kept(tmp_path: Path, tiny_text: str) -> None:
    text = tiny_text.replace("objective gan(loss: nonsaturating)", LOG)
    (tmp_path / "tiny.gen").write_text(text)
    code, said = finished("run", "tiny.gen", "--out", "run", folder=tmp_path)
    assert code == 3, said
    assert "diverged at step 31, in update `generator`, repetition 1 of 2" in said
    assert "the first value that is not finite is `log` in `minimize mean(log(" in said
    assert "the last checkpoint, of step 20, is whole" in said and "add a small constant" in said
    record = diverged(tmp_path / "run")
    assert (record["began"], record["update"], record["repetition"], record["checkpoint"]) == (31, "generator", 1, 20)
    assert [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()] == ["step-20"]


def test_the_first_layer_is_named(tmp_path: Path, run_tiny: Run, tiny_text: str) -> None:
    text = tiny_text.replace("adam(linear_decay(1e-3, 0), beta_1: 0.5)", "sgd(1e30)")
    with pytest.raises(UserError, match="leaves layer `dense_1` of `discriminator`, whose inputs reach 1") as told:
        run_tiny(text, tmp_path / "new")
    assert "lower the learning rate of `generator`, 1e+30" in told.value.help and "clip norm" in told.value.help
    record = diverged(tmp_path / "new")
    assert (record["network"], record["layer"], record["checkpoint"]) == ("discriminator", "dense_1", None)


def test_a_gradient_that_is_not_finite_is_named_by_its_layer(tmp_path: Path, run_tiny: Run, tiny_text: str) -> None:
    text = tiny_text.replace("objective gan(loss: nonsaturating)", LOG).replace(
        "mean(log(1e-3 - ramp(0, 2e-3, over: 60 steps) + 0 * discriminator(generator())))",
        "mean(sqrt(0 * discriminator(generator())))",
    )
    with pytest.raises(UserError, match="step 1, in update `generator`, repetition 1 of 2: its loss is finite") as told:
        run_tiny(text, tmp_path / "new")
    assert "the gradient by the bias of layer `dense_1` of `generator` is not" in told.value.message


def test_weights_that_leave_float32_are_named(tmp_path: Path, run_tiny: Run, tiny_text: str) -> None:
    text = tiny_text.replace("adam(linear_decay(1e-3, 0), beta_1: 0.5)", "sgd(3e38)").replace(
        "objective gan(loss: nonsaturating)",
        "update generator { minimize 100 * l2(generator(), point) }\n"
        "  update discriminator { minimize 0 * mean(discriminator(point)) }",
    )
    with pytest.raises(UserError, match=r"what it makes of `networks/generator/dense") as told:
        run_tiny(text, tmp_path / "new")
    assert "step 1, in update `generator`" in told.value.message


def test_steps_that_a_loss_scale_skips_are_no_divergence_and_count_for_no_mean(
    tmp_path: Path, run_tiny: Run, tiny_text: str
) -> None:
    # Scaled by 2^15 as at the start, a loss of about 10,000 is beyond float16's gradients until the scale has fallen.
    text = tiny_text.replace("  steps length", "  precision mixed_float16\n  steps length").replace(
        "objective gan(loss: nonsaturating)",
        "update discriminator { minimize 10_000 * mean(softplus(-discriminator(point))) }\n"
        "  update generator { minimize mean(softplus(-discriminator(generator()))) }",
    )
    folder = tmp_path / "new"
    outcome, _ = run_tiny(text, folder)
    assert outcome.finished
    lines = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    steps = {line["step"]: line for line in lines if "generator/loss" in line}
    skipped = [step for step, line in steps.items() if line["skipped/discriminator"] == 1]
    assert 1 in skipped and len(skipped) < 30
    for step, line in steps.items():
        assert ("discriminator/loss" in line) == (step not in skipped)
        assert all(np.isfinite(value) for value in line.values())


def test_a_loss_scale_that_cannot_help_any_more_is_a_divergence(tmp_path: Path, run_tiny: Run, tiny_text: str) -> None:
    text = tiny_text.replace("  steps length", "  precision mixed_float16\n  steps length").replace(
        "adam(linear_decay(1e-3, 0), beta_1: 0.5)", "adam(1e30)"
    )
    with pytest.raises(UserError, match=r"step 30, .*`loss_scale/generator` is nearly 0") as told:
        run_tiny(text, tmp_path / "new")
    assert "mixed_bfloat16" in told.value.help


def test_what_is_gone_of_what_the_steps_told() -> None:
    names = ("a/loss", "b/loss", "learning_rate/a", "loss_scale/a", "loss_scale/b")
    sums = np.array([np.nan, np.inf, 0.1, 1e-5, 3.0], np.float32)
    last = np.array([np.nan, 1, 0.1, 1e-5, 1.0], np.float32)
    assert gone(Window(names, sums, last, 2)) == {"a/loss": "NaN", "b/loss": "infinite", "loss_scale/a": "nearly 0"}


@pytest.mark.parametrize("policy", ["stop", "warn", "rollback(at_most: 1)"])
def test_the_monitors_policy_is_followed(
    tmp_path: Path, run_tiny: Run, tiny_text: str, policy: str, capfd: pytest.CaptureFixture[str]
) -> None:
    from gendsl.cli import main

    text = tiny_text.replace("adam(linear_decay(1e-3, 0), beta_1: 0.5)", "sgd(1e30)")
    (tmp_path / "tiny.gen").write_text(text + f"\nmonitor {{ diverged do: {policy} }}\n")
    assert main(["run", str(tmp_path / "tiny.gen"), "--out", str(tmp_path / "run")]) == 3
    said = "".join(capfd.readouterr())
    assert "diverged at step 1" in said and ("alarm diverged" in said) == (policy not in ("stop", "warn"))
    assert "`diverged`" not in said and diverged(tmp_path / "run")["update"] == "generator"
