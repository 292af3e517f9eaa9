"""More devices change the speed and nothing else: the same trajectory on 1, 2 and 4, and in parts of a batch."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from gendsl import api
from gendsl.lower.errors import UserError
from gendsl.lower.replicas import ONE, replicas_of
from gendsl.parts.keys import Key, Share
from gendsl.plan.coupling import couplings
from gendsl.plan.plan import Call
from tests.lower.replicas import NORMED, PLAIN

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> "Runs":
    return Runs(tmp_path_factory.mktemp("replicas"))


class Runs:
    """What the runs on so many replicas gave; each number of replicas is a process, started when it is asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> Mapping[str, np.ndarray]:
        file = self._folder / f"{name}.npz"
        if not file.is_file():
            done = subprocess.run(
                [sys.executable, "-m", "tests.lower.replicas", str(self._folder), name.split("-")[1]],
                cwd=ROOT,
                env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
                capture_output=True,
                text=True,
                timeout=400,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
        with np.load(file) as arrays:
            return dict(arrays)


@pytest.mark.parametrize(
    ("run", "alone"),
    [
        ("normed-2", "normed-1"),
        ("parts-2", "plain-1"),
        ("parts-1", "plain-1"),
        ("recomputed-1", "normed-1"),
        ("noising-2", "noising-1"),
        ("waiting-2", "waiting-1"),
        ("coded-2", "coded-1"),
        pytest.param("normed-4", "normed-1", marks=pytest.mark.slow),
        pytest.param("plain-4", "plain-1", marks=pytest.mark.slow),
    ],
)
def test_the_trajectory_is_that_of_one_device(runs: Runs, run: str, alone: str) -> None:
    here, there = runs[run], runs[alone]
    assert set(here) == set(there) and len(here) > 10
    for name in here:
        distance = np.linalg.norm(here[name].astype(np.float64) - there[name])
        assert distance <= 1e-4 * max(np.linalg.norm(there[name]), 1e-2), (name, distance)


def test_training_moved_what_is_compared(runs: Runs) -> None:
    once = runs["normed-1"]
    assert int(once["optimizers/discriminator/0"]) == 40, "two repetitions a step"
    assert once["networks/generator/batch_norm/moving_variance"].std() > 1e-3
    assert np.abs(once["networks/discriminator/dense/bias"]).max() > 1e-3


def test_a_signal_holds_back_in_some_steps_only(runs: Runs) -> None:
    held = float(runs["waiting-1"]["told/held/discriminator"])
    assert 0.05 < held < 0.95
    assert held == float(runs["waiting-2"]["told/held/discriminator"]), "all replicas agree"


def test_a_share_draws_its_part_of_the_whole() -> None:
    key = Key(3, "noise", 5)
    whole = key.normal([12, 3]).numpy()
    parts = [Key(3, "noise", 5, Share(part, 4)).normal([3, 3]).numpy() for part in range(4)]
    assert np.array_equal(np.concatenate(parts), whole)
    nested = Share(1, 2).part(1, 3)
    assert (nested.index, nested.of) == (4, 6)
    assert np.array_equal(Key(3, "noise", 5, nested).normal([2, 3]).numpy(), whole[8:10])


def test_what_cannot_be_shared_is_refused() -> None:
    with pytest.raises(UserError, match="asks for 99 devices"):
        replicas_of(Call("mirrored", {"replicas": 99}), batch=99)
    with pytest.raises(UserError, match="no TPU"):
        replicas_of(Call("tpu", {}), batch=8)
    assert replicas_of(None, batch=8) == ONE and replicas_of(Call("one", {}), batch=8) == ONE


def test_couplings_are_named() -> None:
    assert couplings(api.loads(NORMED)) == ()
    assert couplings(api.loads(PLAIN)) == ()
    unsynchronised = api.loads(NORMED.replace("batch_norm synchronized: on", "batch_norm"))
    assert [found.what for found in couplings(unsynchronised)] == [
        "`batch_norm` in `generator`",
        "`batch_norm` in `discriminator`",
    ]
    for equation in (
        "mean(softplus(mean(discriminator(image)) - discriminator(image)))",
        "exp(mean(discriminator(image)))",
        "mean(discriminator(image)) * mean(discriminator(image))",
        "dragan(discriminator, image)",
    ):
        text = PLAIN.replace("0.1 * r1(discriminator, image)", equation)
        assert [found.what for found in couplings(api.loads(text))] == ["the loss of `discriminator`"], equation
    free = PLAIN.replace("kl(q, normal(4))", "free_bits(q, normal(4), nats: 0.1)").replace("nll(", "mean(nll(")
    free = free.replace("0.5 * image + 0.5)", "0.5 * image + 0.5))")
    assert [found.what for found in couplings(api.loads(free))] == ["the loss of `encoder_decoder`"]
    linear = PLAIN.replace("0.1 * r1(discriminator, image)", "0.5 * (mean(discriminator(image)) - 1) / 3")
    assert couplings(api.loads(linear)) == ()
