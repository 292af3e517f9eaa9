"""`freeze`: what is frozen stays to the bit, what is not trains as if nothing were frozen, and a thaw is gentle."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.lower.training import Experiment
from tests.lower.test_specs import batches, changed, made, values

NETWORKS = """
network encoder(x: image) -> features(8), constrain: spectral_norm {
  conv 4, stride: 2 | batch_norm | relu | flatten | dense 8 as code
}
network head(h: features(8)) -> logits(10) { dense 16 | relu | dense 10 as last }
"""
UPDATE = "update encoder, head, with: adam(1e-2) { minimize cross_entropy(head(encoder(image)), label) }\n"
SAMPLE = "sample { score = head(encoder(image)) }"


def trained(
    train: str, steps: int = 3, *, static: bool = True, networks: str = NETWORKS
) -> tuple[Experiment, dict[str, Any], dict[str, Any]]:
    """An experiment after some steps, and the values of its networks before and after."""
    experiment = made(networks, train, SAMPLE)
    before = {name: values(experiment, name) for name in experiment.networks}
    for step in range(steps):
        groups = experiment.groups_at(step) if static else None
        experiment.step_at(tf.constant(step, tf.int64), batches(experiment, step), groups)
    return experiment, before, {name: values(experiment, name) for name in experiment.networks}


def test_a_frozen_network_stays_to_the_bit() -> None:
    experiment, before, after = trained(UPDATE + "freeze encoder\nsteps 3")
    assert not changed(before["encoder"], after["encoder"]), "weights, moving statistics and spectral vectors"
    assert changed(before["head"], after["head"])
    slots = [name for name in experiment.state() if name.startswith("optimizers/")]
    assert len(slots) == 1 + 2 * 4, "a count, and two slots for each weight of the head"


def test_layers_are_frozen_by_name() -> None:
    _, before, after = trained(UPDATE + 'freeze encoder, layers: ["conv*", "batch_norm"]\nsteps 3')
    for path, value in before["encoder"].items():
        assert np.array_equal(value, after["encoder"][path]) != path.startswith("code"), path


def test_what_is_not_frozen_trains_by_the_same_gradients() -> None:
    """SGD on the head alone is what a network without a frozen part would take from the same losses."""
    train = "update encoder, head, with: sgd(0.1) { minimize cross_entropy(head(encoder(image)), label) }\nsteps 3"
    free_of_norm = NETWORKS.replace(", constrain: spectral_norm", "")  # whose estimate stands still where it is frozen
    _, _, frozen = trained(train + "\nfreeze encoder", 1, networks=free_of_norm)
    _, _, free = trained(train, 1, networks=free_of_norm)
    assert not changed(frozen["head"], free["head"])


@pytest.mark.parametrize("static", [True, False], ids=["phase known", "phase found in the graph"])
def test_a_phase_freezes_for_its_own_steps(static: bool) -> None:
    phases = "phase warm, steps: 2 { freeze encoder }\nphase all, steps: 2"
    _, before, warm = trained(UPDATE + phases, 2, static=static)
    assert not changed(before["encoder"], warm["encoder"]) and changed(before["head"], warm["head"])
    _, _, whole = trained(UPDATE + phases, 4, static=static)
    assert changed(before["encoder"], whole["encoder"])


def test_both_ways_of_knowing_the_phase_agree() -> None:
    phases = "phase warm, steps: 2 { freeze encoder }\nphase all, steps: 2"
    _, _, known = trained(UPDATE + phases, 4)
    _, _, found = trained(UPDATE + phases, 4, static=False)
    for name in known:
        for path, value in known[name].items():
            np.testing.assert_allclose(value, found[name][path], rtol=1e-5, atol=1e-6)


def test_the_first_step_after_a_thaw_is_no_longer_than_the_rate() -> None:
    """Adam's first step has the length of the rate in every number; one that counted the frozen steps, too, would be
    three times as long after 20 of them, and grow."""
    phases = "phase warm, steps: 20 { freeze encoder }\nphase all, steps: 2"
    _, before, after = trained(UPDATE + phases, 21)
    moved = np.abs(after["encoder"]["code/kernel"] - before["encoder"]["code/kernel"])
    assert 0.9e-2 < moved.max() <= 1.001e-2


def test_a_network_used_as_a_layer_is_frozen_by_its_own_name() -> None:
    networks = """
      network body(x: image) -> features(8) { flatten | dense 8 | relu }
      network judge(x: image) -> logits(10) { body | dense 10 }
    """
    train = "update judge, body, with: sgd(0.1) { minimize cross_entropy(judge(image), label) }\nfreeze body\nsteps 2"
    experiment = made(networks, train, "sample { score = judge(image) }")
    before = {name: values(experiment, name) for name in experiment.networks}
    experiment.step_at(tf.constant(0, tf.int64), batches(experiment))
    after = {name: values(experiment, name) for name in experiment.networks}
    assert not changed(before["body"], after["body"]) and changed(before["judge"], after["judge"])


def test_clipping_counts_the_gradients_of_what_is_trained() -> None:
    """The global norm is that of the weights that move: with all but one bias frozen, its gradient alone is clipped."""
    train = (
        "update encoder, head, with: sgd(1.0) { minimize 1000 * cross_entropy(head(encoder(image)), label) }\n"
        'freeze encoder\nfreeze head, layers: ["dense"]\nclip norm: 0.25\nsteps 1'
    )
    _, before, after = trained(train, 1)
    steps = [after["head"][path] - before["head"][path] for path in before["head"]]
    assert np.sqrt(sum(np.sum(np.square(step)) for step in steps)) == pytest.approx(0.25, rel=1e-4)
