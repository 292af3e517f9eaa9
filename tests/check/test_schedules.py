"""Phases, `freeze`, `start` and `when` as the checker sees them."""

from gendsl.plan.difference import differences
from tests.check.specs import checked, codes, plan_of, spec

UPDATES = """
  update discriminator WHEN {
    real = discriminator(image)
    fake = discriminator(generator())
    accuracy = 0.5 * positive(real) + 0.5 * positive(-fake)
    minimize nonsaturating.discriminator(real, fake)
  }
  update generator { minimize nonsaturating.generator(discriminator(generator())) }
"""


def train(*lines: str, when: str = "") -> str:
    updates = UPDATES.replace(" WHEN", f", when: {when}" if when else "")
    return spec(train="\n".join(["train {", "  optimizer adam(1e-3)", updates, *lines, "}"]))


def message(text: str) -> tuple[str, str]:
    """The first problem and its help."""
    found = [one for one in checked(text)[1] if one.severity != "hint"]
    return found[0].message, found[0].help


def test_a_condition_measures_only_what_it_reads() -> None:
    plan = plan_of(train("steps 10", when="accuracy < 80%"))
    discriminator, generator = plan.train.groups
    assert [name for name, _ in discriminator.measures] == ["discriminator/accuracy"] and generator.measures == ()
    assert discriminator.condition == "accuracy < 80%" and discriminator.when[-1].name == "less"
    bare = plan_of(train("steps 10"))
    assert all(group.measures == () and group.when == () for group in bare.train.groups)
    assert len(bare.train.groups[0].operations) < len(discriminator.operations), "what nothing reads is left out"


def test_signals_of_other_updates_may_follow() -> None:
    plan = plan_of(train("steps 10", when="generator_loss > 1"))
    assert [name for name, _ in plan.train.groups[1].measures] == ["generator/loss"]


def test_unknown_signals_are_named() -> None:
    told, help = message(train("steps 10", when="acuracy < 80%"))
    assert told == "no update measures `acuracy`"
    assert "did you mean `accuracy`?" in help and "`generator_loss`" in help


def test_what_is_no_condition_is_told() -> None:
    assert message(train("steps 10", when="accuracy"))[0].startswith("a condition compares")
    assert "reads nothing that an update measures" in message(train("steps 10", when="1 < 2"))[0]
    assert "computes anew" in message(train("steps 10", when="mean(image) < accuracy"))[0]


def test_a_broken_binding_is_told_once() -> None:
    text = train("steps 10", when="accuracy < 80%").replace("positive(real)", "positive(rael)")
    assert codes(text) == ["unknown_name"]


def test_inside_a_together_when_is_misplaced() -> None:
    body = """
      together { update discriminator, when: discriminator_loss > 1 { minimize mean(discriminator(image)) } }
      steps 10"""
    assert "belongs on `together`" in message(spec(train="train { optimizer adam(1e-3)\n" + body + "}"))[0]


def test_freezing_unknown_layers_is_told() -> None:
    told, help = message(train('freeze discriminator, layers: ["dens"]', "steps 10"))
    assert told == "no layer of `discriminator` has weights and is named `dens`"
    assert "did you mean `dense`?" in help
    assert "no weights of" in message(train('freeze discriminator, layers: ["flatten"]', "steps 10"))[0]


def test_freezing_all_of_an_update_is_told_where_it_runs() -> None:
    assert "trains nothing but what is frozen" in message(train("freeze generator", "steps 10"))[0]
    phases = "phase a, steps: 5 { freeze generator }\nphase b, steps: 5"
    assert "in the phase `a`" in message(train(phases))[0]
    part = train('phase a, steps: 5\nphase b, steps: 5 { freeze generator, layers: ["last"] }')
    both = plan_of(part.replace("dense 64 | tanh", "dense 32 | relu | dense 64 as last | tanh"))
    assert both.train.phases[1].settings["freeze"].statements


def test_a_frozen_network_may_have_no_update() -> None:
    extra = "network eye(x: image) -> features(4) { flatten | dense 4 }"
    text = train("freeze eye", "steps 10") + extra
    body = text.replace(
        "minimize nonsaturating.generator(", "minimize mean(eye(generator())) + nonsaturating.generator("
    )
    assert codes(body) == []
    assert codes(body.replace("freeze eye", "")) == ["untrained_network"]


def test_an_optimizer_in_a_phase_is_that_of_its_updates() -> None:
    text = """train {
      phase one, steps: 5 { optimizer sgd(0.1); update generator { minimize mean(discriminator(generator())) } }
      phase two, steps: 5 { update discriminator, with: adam(1e-3) { minimize mean(discriminator(image)) } }
    }"""
    plan = plan_of(spec(train=text))
    assert [group.updates[0].optimizer.word for group in plan.train.groups] == ["sgd", "adam"]
    other = text.replace("phase two, steps: 5 {", "phase two, steps: 5 { optimizer sgd(0.1);")
    assert "none of them needs one" in message(spec(train=other))[0]


def test_plans_that_freeze_wait_or_start_otherwise_differ() -> None:
    plain = plan_of(train("steps 10"))
    told = [one.text for one in differences(plain, plan_of(train("steps 10", when="accuracy < 80%")))]
    assert "update discriminator: when has none -> has a condition" in told
    bars = [plan_of(train("steps 10", when=f"accuracy < {bar}%")) for bar in (70, 80)]
    assert "update discriminator: when its condition is another" in [one.text for one in differences(*bars)]
    first, other = (
        plan_of(
            train(f'freeze generator, layers: ["{layer}"]', "steps 10").replace(
                "dense 64 | tanh", "dense 32 | relu | dense 64 as last | tanh"
            )
        )
        for layer in ("dense", "last")
    )
    told = [one.text for one in differences(first, other) if one.training]
    assert told == ['train: freeze generator, layers: ["dense"] -> generator, layers: ["last"]'], told


def test_faded_values_have_one_shape() -> None:
    network = (
        "network discriminator(x: image) -> logits(1) {\n"
        "  average_pool 2 as low\n  from x | fade low, share: 0.5 | flatten | dense 1\n}"
    )
    told, help = message(spec(discriminator=network))
    assert "fades from one value into another of the same shape" in told and "upsample" in help
