"""Two specs in, what differs between their plans in the spec's terms; and what of it leaves the training alone."""

import json

import pytest

import gendsl
from gendsl.plan.difference import differences, stretched, training_hash
from gendsl.plan.plan import Plan
from gendsl.plan.record import plan_of, record_of

SPEC = """experiment tiny

data {
  source gaussians(grid: 2x2, spacing: 2, std: 0.05)
  batch 16
}

network generator(z: normal(2)) -> point {
  dense 16 | batch_norm | relu
  dense 16 | relu
  dense 2
}

network critic(x: point) -> logits(1) {
  dense 16 | leaky_relu 0.2 | dropout 20%
  dense 1
}

train {
  weight = 10
  update critic, times: 2, with: adam(2e-4, beta_1: 0) {
    fake = generator()
    minimize mean(critic(fake)) - mean(critic(point)) + weight * gradient_penalty(critic, point, fake)
  }
  update generator, with: adam(cosine(2e-4, 0)) { minimize -mean(critic(generator())) }
  steps 60
  ema generator, decay: 0.9
  checkpoint every: 20 steps, keep: 2
  seed 3
}

evaluate every: 30 steps, samples: 100 { modes within: 3 }
"""


def planned(*changes: tuple[str, str]) -> Plan:
    text = SPEC
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return gendsl.loads(text)


def as_in_a_folder(plan: Plan) -> Plan:
    return plan_of(json.loads(json.dumps(record_of(plan))))


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("dense 16 | relu", "dense 32 | relu", "network generator, layer 4 dense: units 16 -> 32"),
        ("dropout 20%", "dropout 0.3", "network critic, layer 3 dropout: rate 0.2 -> 0.3"),
        ("| batch_norm ", "", "network generator: layer 2 batch_norm is gone"),
        ("  dense 1\n", "  relu | dense 1\n", "network critic: layer 4 relu is new"),
        ("adam(2e-4", "adam(1e-4", "update critic: optimizer adam learning_rate 0.0002 -> 0.0001"),
        (
            "cosine(2e-4, 0)",
            "cosine(2e-4, 1e-5)",
            "update generator: optimizer adam learning_rate cosine end 0 -> 1e-05",
        ),
        ("times: 2", "times: 3", "update critic: times 2 -> 3"),
        ("batch 16", "batch 32", "data: batch 16 -> 32"),
        ("grid: 2x2", "grid: 3x3", "data source gaussians: grid 2x2 -> 3x3"),
        ("weight = 10", "weight = 5", "train: weight 10 -> 5"),
        ("minimize -mean", "minimize -2 * mean", "update generator: what it minimises"),
        ("gradient_penalty(critic", "2 * gradient_penalty(critic", "update critic: what it minimises"),
        ("decay: 0.9", "decay: 0.99", "train ema: decay 0.9 -> 0.99"),
        ("  ema generator, decay: 0.9\n", "", "train: ema(networks: [generator], decay: 0.9) is gone"),
        ("seed 3", "seed 4", "train: seed 3 -> 4"),
        ("  seed 3\n", "", "train: seed 3 -> none"),
        ("  seed 3\n", "  seed 3\n  precision mixed_bfloat16\n", "train: precision none -> mixed_bfloat16"),
        ("z: normal(2)", "z: normal(3)", "network generator, input z normal: size 2 -> 3"),
    ],
)
def test_what_changes_the_training(old: str, new: str, told: str) -> None:
    then, now = as_in_a_folder(planned()), planned((old, new))
    assert told in [difference.text for difference in differences(then, now) if difference.training]
    assert training_hash(then) != training_hash(now)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("steps 60", "steps 120", "train: length 60 steps -> 120 steps"),
        ("every: 20 steps", "every: 10 steps", "train: checkpoint every 20 steps -> 10 steps"),
        ("keep: 2", "keep: 5", "train: checkpoint keep 2 -> 5"),
        ("  seed 3\n", "  seed 3\n  strategy mirrored(2)\n", "train: strategy none -> mirrored(replicas: 2)"),
        ("  seed 3\n", "  seed 3\n  jit off\n", "train: jit none -> off"),
        ("logits(1) {", "logits(1), recompute: on {", "network critic: recompute off -> on"),
        ("within: 3", "within: 2", "evaluate: reads otherwise"),
        ("evaluate every: 30 steps, samples: 100 { modes within: 3 }\n", "", "evaluate: is gone"),
        ("experiment tiny", "experiment other", "experiment: name tiny -> other"),
    ],
)
def test_what_may_change_freely(old: str, new: str, told: str) -> None:
    then, now = as_in_a_folder(planned()), planned((old, new))
    assert [(difference.text, difference.training) for difference in differences(then, now)] == [(told, False)]
    assert training_hash(then) == training_hash(now)


def test_the_same_spec_written_otherwise_has_no_differences() -> None:
    now = planned(
        ("batch 16", "batch 4 * 4"), ("dropout 20%", "dropout 0.2"), ("\nevaluate", "\n# a comment\nevaluate")
    )
    assert not differences(as_in_a_folder(planned()), now)


def test_a_network_comes_and_goes() -> None:
    other = "network other(x: point) -> logits(1) { dense 1 }\nnetwork critic"
    then, now = planned(), planned(("network critic", other), ("critic(generator())", "other(generator())"))
    assert "network other: is new" in [difference.text for difference in differences(then, now)]
    assert "network other: is gone" in [difference.text for difference in differences(now, then)]


def test_phases_but_the_last_are_part_of_the_training() -> None:
    phases = "phase warm, steps: 20 { }\n  phase fine, steps: 40 { }"
    then = planned(("steps 60", phases))
    first = planned(("steps 60", phases.replace("20", "30")))
    last = planned(("steps 60", phases.replace("40", "80")))
    assert [(one.text, one.training) for one in differences(then, first)] == [
        ("phase warm: length 20 steps -> 30 steps", True)
    ]
    assert [(one.text, one.training) for one in differences(then, last)] == [
        ("phase fine: length 40 steps -> 80 steps", False)
    ]


def test_schedules_that_follow_the_length_of_the_run_are_named() -> None:
    then = planned()
    assert stretched(then, planned(("steps 60", "steps 90"))) == ["the learning rate of generator"]
    assert not stretched(then, planned(("batch 16", "batch 32")))
    fixed = ("cosine(2e-4, 0)", "cosine(2e-4, 0, over: 50 steps)")
    assert not stretched(planned(fixed), planned(fixed, ("steps 60", "steps 90")))
