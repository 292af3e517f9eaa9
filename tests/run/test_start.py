"""`start from:` as a user meets it: weights of another run by name, mismatches told one by one, safe and repeatable."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.lower.errors import UserError
from gendsl.run import checkpoints
from gendsl.source import Source
from tests.run.tiny_runs import planned, trained

FIRST = """experiment first
data { source gaussians(grid: 2x2, spacing: 2, std: 0.05); batch 16 }
network generator(z: normal(2)) -> point { dense 16 | batch_norm | relu; dense 2 as last }
network discriminator(x: point) -> logits(1) { dense 16 | leaky_relu 0.2; dense 1 as last }
train {
  objective gan(loss: nonsaturating)
  optimizer adam(1e-3, beta_1: 0.5)
  steps 20
  ema generator, decay: 0.9
  checkpoint every: 10 steps
}
"""


def second(start: str, text: str = FIRST, *, rate: str = "1e-3") -> str:
    """The same spec, which starts from the other run."""
    return (
        text.replace("experiment first", "experiment second")
        .replace("  steps 20", f"  {start}\n  steps 10")
        .replace("adam(1e-3", f"adam({rate}")
    )


def weights(run: Path, step: int, part: str = "networks/") -> dict[str, np.ndarray]:
    found = checkpoints.content(run / "checkpoints" / f"step-{step}")
    return {name.removeprefix(part): value for name, value in found.items() if name.startswith(part)}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the run `first` is done."""
    folder = tmp_path_factory.mktemp("start")
    assert trained(FIRST, folder / "first")[0].finished
    return folder


@pytest.fixture
def copy(place: Path, tmp_path: Path) -> Path:
    shutil.copytree(place / "first", tmp_path / "first")
    return tmp_path


def test_all_networks_start_from_averages_and_weights(place: Path) -> None:
    """With a rate of almost nothing, the weights after the run are those that it began with."""
    _, said = trained(second('start from: "first/last"', rate="1e-30"), place / "all")
    assert "generator, discriminator from step 20 of" in said and "averaged weights of generator" in said
    now, then = weights(place / "all", 10), weights(place / "first", 20)
    means = weights(place / "first", 20, "averages/generator/")
    for name, value in now.items():
        if "moving" in name:
            continue  # statistics advance
        source = means[name.removeprefix("generator/")] if name.startswith("generator/") else then[name]
        np.testing.assert_allclose(value, source, atol=1e-6, err_msg=name)
    averages = weights(place / "all", 10, "averages/generator/")
    for name, value in averages.items():
        if "moving" not in name:
            np.testing.assert_allclose(value, now[f"generator/{name}"], atol=1e-6, err_msg="averages begin with them")
    assert int(weights(place / "all", 10, "optimizers/")["generator/0"]) == 10, "optimizers begin anew"
    record = json.loads((place / "all/environment.json").read_text())["start"]
    assert [one["step"] for one in record] == [20] and record[0]["averaged"] == ["generator"]
    assert record[0]["from"] == "first/last" and len(record[0]["manifest_sha256"]) == 64


def test_weights_themselves_of_a_subset_and_an_earlier_step(place: Path) -> None:
    text = second('start generator, from: "first/step-10", averages: off', rate="1e-30")
    _, said = trained(text, place / "some")
    assert "generator from step 10 of" in said and "averaged" not in said
    now, then = weights(place / "some", 10), weights(place / "first", 10)
    same = {name for name in now if "moving" not in name and np.allclose(now[name], then[name], atol=1e-6)}
    assert {name for name in then if name.startswith("generator/") and "moving" not in name} <= same
    assert "discriminator/dense/kernel" not in same, "that one begins anew"


def test_mismatches_are_told_variable_by_variable(place: Path) -> None:
    text = second('start from: "first/last"').replace("dense 1 as last", "dense 8 | dense 1 as last")
    with pytest.raises(UserError) as caught:
        trained(text, place / "wrong")
    assert "discriminator/last/kernel is 8x1 here, 16x1 there" in caught.value.message
    assert "discriminator/dense_1/kernel is 16x8 here, not there" in caught.value.message
    assert "generator" not in caught.value.message
    assert 'anew: ["dense_1", "last"]' in caught.value.help
    assert 'start generator, from: "first/last"` starts the networks that fit' in caught.value.help
    assert not (place / "wrong" / "plan.json").exists(), "nothing is written"


def test_a_changed_head_begins_anew_where_that_is_said(place: Path) -> None:
    text = second('start from: "first/last", anew: ["last", "dense_1"]', rate="1e-30")
    trained(text.replace("dense 1 as last", "dense 8 | dense 1 as last"), place / "head")
    now, then = weights(place / "head", 10), weights(place / "first", 20)
    np.testing.assert_allclose(now["discriminator/dense/kernel"], then["discriminator/dense/kernel"], atol=1e-6)
    assert now["discriminator/last/kernel"].shape == (8, 1)
    assert not np.allclose(now["generator/last/kernel"], then["generator/last/kernel"]), "`last` of both networks"


@pytest.mark.parametrize(
    ("start", "told"),
    [
        ('start from: "nowhere/best"', "names no run"),
        ('start from: "first/best"', "has no best checkpoint"),
        ('start from: "first/step-7"', "has no checkpoint of step 7"),
    ],
)
def test_what_is_not_there_is_told(place: Path, start: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        trained(second(start), place / "none")


def test_a_network_that_is_not_there_is_told(place: Path) -> None:
    text = second('start from: "first"').replace("network discriminator", "network critic", 1)
    text = text.replace("gan(loss: nonsaturating)", "gan(loss: nonsaturating, discriminator: critic)")
    with pytest.raises(UserError, match=r"no network `critic`; it has `generator`, `discriminator`") as caught:
        trained(text, place / "other")
    assert 'start generator, from: "first"' in caught.value.help


def test_a_damaged_checkpoint_is_refused(copy: Path) -> None:
    data = next((copy / "first/checkpoints/step-20").glob("state.data*"))
    data.write_bytes(data.read_bytes()[:-1] + b"!")
    with pytest.raises(UserError, match="does not have the content that was written") as caught:
        trained(second('start from: "first/last"'), copy / "second")
    assert "step-10" in caught.value.help


def test_a_strangers_link_is_refused(copy: Path, tmp_path: Path) -> None:
    (copy / "first/checkpoints/step-20/more").symlink_to("/etc")
    with pytest.raises(UserError, match="holds a link that leads out of it"):
        trained(second('start from: "first/last"'), copy / "second")


def test_a_run_that_goes_on_does_not_start_again(copy: Path) -> None:
    text = second('start from: "first/last"')
    trained(text, copy / "whole")
    trained(text, copy / "part", steps=5)
    shutil.rmtree(copy / "first")
    _, said = trained(text, copy / "part", resume=True)
    assert "going on at step 5" in said
    whole, part = weights(copy / "whole", 10, ""), weights(copy / "part", 10, "")
    assert all(np.array_equal(whole[name], part[name]) for name in whole)
    assert json.loads((copy / "part/environment.json").read_text())["start"]


def test_before_its_first_checkpoint_it_begins_alike_or_not_at_all(copy: Path) -> None:
    text = second('start from: "first/last"')
    trained(text, copy / "whole")
    trained(text, copy / "killed", steps=5)
    shutil.rmtree(copy / "killed/checkpoints")
    trained(text, copy / "killed", resume=True)
    whole, killed = weights(copy / "whole", 10, ""), weights(copy / "killed", 10, "")
    assert all(np.array_equal(whole[name], killed[name]) for name in whole)
    shutil.rmtree(copy / "killed/checkpoints")
    shutil.rmtree(copy / "first/checkpoints/step-20")
    with pytest.raises(UserError, match="what it starts from has changed"):
        trained(text, copy / "killed", resume=True)


def test_a_run_that_is_not_there_yet_is_a_warning_of_the_check(place: Path) -> None:
    problems = Problems()
    text = second('start from: "nowhere/best"')
    assert check(Source("second.gen", text), problems, folder=str(place)) is not None
    assert [one.rule.code for one in problems.of("warning")] == ["missing_data"]
    assert planned(second('start generator, from: "first/best"')).train.settings["start"].statements
