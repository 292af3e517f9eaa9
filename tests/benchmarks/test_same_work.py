"""The sides of the training benchmark do the same work: their networks have equal weights, their steps train."""

import ast
import importlib
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import gendsl

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
PROGRAMS = ("dcgan", "grid_gan", "digits_gan", "digits_diffusion", "fashion_vae", "text_transformer", "wgan_gp_resnet")
NAMES = ("dcgan_128", "dcgan_256", *PROGRAMS[1:])


def imported(name: str) -> ModuleType:
    """A module of the benchmarks, which are programs beside the package."""
    sys.path.insert(0, str(BENCHMARKS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmarks")
    imported("rows").write_project(folder)
    return folder


def spec_of(project: Path, name: str) -> tuple[Path, dict[str, Any]]:
    row = imported("rows").row_of(name)
    path = project / row.spec.name
    if "fashion-mnist" in path.read_text(encoding="utf-8") and not (project / "data/fashion-mnist").is_dir():
        pytest.skip("Debian's dataset-fashion-mnist is not installed")
    return path, row.settings


def counts_of_plan(path: Path) -> dict[str, int]:
    """Trainable weights by network, as the plan counts them."""
    return {network.name: network.weights for network in gendsl.load(path).networks}


def test_every_row_has_all_its_programs() -> None:
    for row in imported("rows").ROWS:
        assert row.name in NAMES and row.program in PROGRAMS
        for side in imported("training").RIVALS:
            assert (BENCHMARKS / "handwritten" / side / f"{row.program}.py").is_file()


def test_a_project_keeps_all_of_a_spec_but_its_scores(project: Path) -> None:
    path, _ = spec_of(project, "digits_gan")
    whole = BENCHMARKS.parent / "specs/digits_gan.gen"
    stripped, there = gendsl.load(path), gendsl.load(whole)
    assert there.evaluations and not stripped.evaluations
    assert (stripped.networks, stripped.train, stripped.data) == (there.networks, there.train, there.data)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", ["tensorflow", "torch"])
def test_networks_have_as_many_weights_as_the_plan(project: Path, name: str, side: str) -> None:
    if side == "torch":
        pytest.importorskip("torch")
    path, _ = spec_of(project, name)
    program = imported(f"handwritten.{side}.{imported('rows').row_of(name).program}")
    found = {}
    for network, model in program.networks().items():
        sizes = (
            [weight.numel() for weight in model.parameters()]
            if side == "torch"
            else [weight.value.shape.num_elements() for weight in model.trainable_variables]
        )
        found[network] = sum(sizes)
    assert found == counts_of_plan(path)


@pytest.mark.parametrize("name", NAMES)
def test_programs_give_the_batch_of_the_spec(project: Path, name: str) -> None:
    """The default of the hand-written `train`, or the row's setting, is the spec's batch."""
    path, settings = spec_of(project, name)
    row = imported("rows").row_of(name)
    for side in imported("training").RIVALS:
        tree = ast.parse((BENCHMARKS / "handwritten" / side / f"{row.program}.py").read_text(encoding="utf-8"))
        train = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "train")
        given = settings.get("batch", ast.literal_eval(train.args.defaults[-1]))
        assert given == gendsl.load(path, settings=settings).data.batch


def test_windows_of_one_side_stand_between_two_of_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    training, rows = imported("training"), imported("rows")
    asked: list[str] = []

    class Fake:
        """A side that takes a second a step, the other two; both slow down threefold, half way through."""

        def __init__(self, side: str, row: object, folder: Path) -> None:
            self.side = side

        def __enter__(self) -> "Fake":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def steps(self, count: int) -> dict[str, Any]:
            asked.append(self.side)
            slow = 3 if len(asked) > 8 else 1
            seconds = count * slow * (1 if self.side == "run" else 2)
            return {"steps": count, "seconds": seconds, "busy": seconds / 2, "peak": 10}

    monkeypatch.setattr(training, "Contestant", Fake)
    found = training.speeds(rows.row_of("grid_gan"), "run", "keras", folder=Path(), rounds=6)
    assert asked[3:] == ["run", "keras"] * 6 + ["run"]
    assert found["ratio"].middle == found["work"].middle == 2
    assert found["memory"] == 1


@pytest.mark.slow
@pytest.mark.parametrize("side", ["step", "run", "tensorflow", "keras", "torch"])
@pytest.mark.parametrize(
    "name", ["grid_gan", "digits_gan", "fashion_vae", "wgan_gp_resnet", "dcgan_128", "text_transformer"]
)
def test_a_contestant_does_the_steps_that_it_is_asked_for(project: Path, name: str, side: str) -> None:
    if side == "torch":
        pytest.importorskip("torch")
    spec_of(project, name)
    contestant = imported("training").Contestant
    with contestant(side, imported("rows").row_of(name), project) as one:
        assert one.start > 0
        for count in (1, 3):
            told = one.steps(count)
            assert told["steps"] >= count if side == "run" else told["steps"] == count
            assert told["seconds"] > 0 and told["peak"] > 2**26
            assert (0 < told["inside"] <= told["seconds"]) if side == "run" else told["inside"] == 0


@pytest.mark.slow
def test_the_driver_prints_a_ratio_and_its_bar() -> None:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "training.py", "digits_gan", "--rounds", "1", "--only", "speed"],
        capture_output=True,
        text=True,
        env=os.environ,
    )
    assert done.returncode in (0, 1), done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("digits_gan")]
    assert any("steps/s, run over tensorflow" in line and "at least 1" in line for line in lines)
    assert done.returncode == int("MISSED" in done.stdout)


def test_unknown_names_are_refused() -> None:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "training.py", "dcgam"], capture_output=True, text=True, env=os.environ
    )
    assert done.returncode == 2
    assert "no dcgam; there are dcgan_128" in done.stderr
