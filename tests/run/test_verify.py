"""`gendsl verify`: three real runs and a kill. The verdict names what differs where bits do."""

import json
import re
import shutil
from pathlib import Path

import pytest
from test_processes import finished

from gendsl.lower.errors import UserError
from gendsl.run import verify
from gendsl.run.checkpoints import content, write
from gendsl.run.folder import RunFolder
from gendsl.run.order import Order
from tests.run.tiny_runs import TINY, planned

# No scores at the end: what is compared are the steps.
QUICK = TINY[: TINY.index("evaluate")]


def order(folder: Path, text: str = QUICK) -> Order:
    return Order(planned(text), text, str(folder / "tiny.gen"), str(folder))


def flip(folder: RunFolder, step: int, variable: str) -> None:
    """Flips the last bit of a number of a checkpoint, and writes it anew, with a manifest that fits."""
    path = folder.checkpoints / f"step-{step}"
    manifest = json.loads((path / "manifest.json").read_text())
    values = content(path)
    values[variable].view("uint32").flat[0] ^= 1
    write(folder.checkpoints, step, values, record=manifest["record"], keep=9, plan_hash=manifest["plan"])


def test_a_killed_run_is_proved_to_lose_nothing(tmp_path: Path) -> None:
    (tmp_path / "tiny.gen").write_text(QUICK)
    code, said = finished("verify", "tiny.gen", "--steps", "6", folder=tmp_path)
    assert code == 0, said
    lines = {line.split()[0]: line for line in said.splitlines()}
    assert "6 steps, kill, resume, 6 steps, against 12 in one go" in lines["verify"]
    assert "by SIGKILL after step" in lines["killed"] and "its newest checkpoint is of step 6" in lines["killed"]
    assert "from step 6 to 12" in lines["resumed"]
    assert re.search(r"all \d+ variables \([\d,]+ numbers\) are the same", lines["variables"])
    assert "all 12 lines are the same" in lines["metrics"]
    assert "tensorflow" in lines["machine"] and "oneDNN on" in lines["machine"]
    assert lines["verdict"].split(maxsplit=1)[1] == "the same, bit for bit, after step 12"
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.gen"], "nothing is left behind"


@pytest.mark.slow
def test_a_diffusion_loses_nothing(tmp_path: Path) -> None:
    from tests.lower.replicas import NOISING

    (tmp_path / "noising.gen").write_text(NOISING.replace("sgd(0.1)", "adam(1e-3)"))
    code, said = finished("verify", "noising.gen", "--steps", "4", folder=tmp_path)
    assert code == 0 and "the same, bit for bit, after step 8" in said, said


def test_a_bit_that_is_lost_between_kill_and_resume_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[str, str]] = []
    killed = verify.until_killed

    def tampered(given: Order, folder: RunFolder, after: int, tell: verify.Tell) -> None:
        killed(given, folder, after, tell)
        names = content(folder.checkpoints / f"step-{after}")
        flip(folder, after, next(name for name in names if name.endswith("generator/dense/kernel")))

    monkeypatch.setattr(verify, "until_killed", tampered)
    verdict = verify.verified(order(tmp_path), steps=4, tell=lambda name, text: said.append((name, text)))
    assert not verdict.same and verdict.step == 8
    assert any(one.name.endswith("generator/dense/kernel") for one in verdict.different_variables)
    assert all("numbers differ, by" in one.how for one in verdict.different_variables)
    told = dict(said)
    assert "are not the same" in told["variables"]
    place = told["verdict"].rpartition(" ")[2]
    assert told["verdict"].startswith("NOT the same after step 8") and (Path(place) / "whole" / "plan.json").is_file()
    shutil.rmtree(place)


def test_what_gpus_add_up_in_another_order_is_explained(tmp_path: Path) -> None:
    folder, differs = RunFolder(tmp_path / "whole"), verify.Finding("networks/a", "1 of 4 numbers differ")
    folder.path.mkdir()
    verdict = verify.Verdict(8, 1, 4, 1, (differs,), ())
    for kernels, explained in (("off", True), ("on", False)):
        folder.environment.write_text(json.dumps({"deterministic kernels": kernels}), encoding="utf-8")
        said: list[str] = []
        verify._tell(verdict, folder, tmp_path, lambda _, text, said=said: said.append(text))
        assert ("`deterministic on`" in said[-1]) is explained, said


def test_data_that_changes_between_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    def write_data(value: int) -> None:
        np.savez(tmp_path / "data.npz", x=np.full([64, 8, 8, 1], value, np.uint8))

    text = """experiment pictures
data { source npz("data.npz", image: "x"); image range: -1..1; batch 8 }
network generator(z: normal(2)) -> image { dense 64 | reshape 8, 8, 1 | tanh }
train { update generator, with: sgd(1e-2) { minimize mean(l2(generator(), image)) }; steps 60 }
"""
    write_data(3)
    killed = verify.until_killed

    def changed(given: Order, folder: RunFolder, after: int, tell: verify.Tell) -> None:
        killed(given, folder, after, tell)
        write_data(4)

    monkeypatch.setattr(verify, "until_killed", changed)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"the resumed run failed: the data is no longer that of"):
        verify.verified(order(tmp_path, text), steps=4, tell=lambda name, said: None)


def test_more_steps_than_the_spec_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="31 steps before a kill and 31 after it are more than the 60") as refused:
        verify.verified(order(tmp_path), steps=31, tell=lambda name, said: None)
    assert "--steps 30" in refused.value.help


def test_a_run_that_its_own_alarm_ends_is_not_called_a_failure(tmp_path: Path) -> None:
    text = QUICK + "monitor { alarm early, when: generator_loss > 0, do: stop }\n"
    with pytest.raises(UserError, match="`early` of `monitor` ended the run in one go at step") as refused:
        verify.verified(order(tmp_path, text), steps=20, tell=lambda name, said: None)
    assert "--steps" in refused.value.help


EVERYTHING = """experiment everything
data { source gaussians(grid: 2x2, spacing: 2, std: 0.05); batch 16 }
network generator(z: normal(2)) -> point { dense 16 | batch_norm | relu | dense 2 }
network discriminator(x: point) -> logits(1), recompute: on { dense 16 | leaky_relu 0.2 | dropout 20% | dense 1 }
train {
  precision mixed_float16
  update discriminator, times: 2, with: adam(cosine(1e-3, 0)) {
    before = replay(generator(), size: 64)
    minimize nonsaturating.discriminator(discriminator(point), discriminator(before))
  }
  update generator, with: adam(1e-3) { minimize nonsaturating.generator(discriminator(generator())) }
  steps 60
  ema generator, decay: 0.9
  clip norm: 1
}
"""


@pytest.mark.slow
def test_all_that_is_state_goes_through_a_kill(tmp_path: Path) -> None:
    """Loss scales, a pool of earlier samples, averages, moving statistics, what is computed again."""
    (tmp_path / "everything.gen").write_text(EVERYTHING)
    code, said = finished("verify", "everything.gen", "--steps", "20", folder=tmp_path)
    assert code == 0 and "the same, bit for bit, after step 40" in said, said
