"""Equations through the checker: one value a name, fresh draws, shared expressions, types, groups, phases, samples."""

import pytest

from gendsl.check.objectives import prelude_names, prelude_text
from gendsl.plan.plan import Group, Operation, Plan, Quantity
from gendsl.vocabulary.types import Scalar
from tests.check.specs import checked, codes, plan_of, spec

CRITIC = "network critic(x: image) -> logits(1), constrain: spectral_norm { flatten | dense 1 }"


def trained(statements: str, *more: str) -> Plan:
    """The plan of a spec with some statements in `train`."""
    return plan_of(spec(*more, train=f"train {{\n{statements}\noptimizer adam(1e-3)\nsteps 10\n}}"))


def refused(statements: str, *more: str) -> list[str]:
    """The rules of a spec with some statements in `train`."""
    return codes(spec(*more, train=f"train {{\n{statements}\noptimizer adam(1e-3)\nsteps 10\n}}"))


def named(group: Group, name: str) -> list[Operation]:
    """The operations of a name in a group."""
    return [operation for operation in group.operations if operation.name == name]


def generator_with(loss: str, *before: str) -> str:
    """An update of the generator, with the discriminator's so that all is trained."""
    inner = "\n".join([*before, f"minimize {loss}"])
    return (
        "update discriminator { minimize hinge.discriminator(discriminator(), discriminator(generator())) }\n"
        f"update generator {{\n{inner}\n}}"
    )


def test_each_occurrence_draws_anew_and_a_name_shares_its_draw() -> None:
    shared = trained(generator_with("mean(a) + mean(a)", "a = discriminator(generator())")).train.groups[1]
    assert len(named(shared, "prior")) == 1 and len(named(shared, "call")) == 2
    fresh = trained(generator_with("mean(discriminator(generator())) + mean(discriminator(generator()))")).train.groups[
        1
    ]
    assert len(named(fresh, "prior")) == 2 and len(named(fresh, "call")) == 4
    assert len({operation.site for operation in fresh.operations if operation.name == "prior"}) == 2


def test_expressions_free_of_draws_are_one_operation() -> None:
    plan = trained(
        generator_with("mean(discriminator(generator())) + mean(discriminator(image)) * mean(discriminator(image))")
    )
    group = plan.train.groups[1]
    judged = [o for o in named(group, "call") if o.attributes["network"] == "discriminator"]
    assert len(judged) == 2 and len(named(group, "field")) == 1
    random = "network discriminator(x: image) -> logits(1) { flatten | dropout 50% | dense 1 }"
    text = spec(
        discriminator=random,
        train="train { update discriminator, generator { minimize mean(discriminator(image)) "
        "+ mean(discriminator(image)) + mean(discriminator(generator())) }; optimizer adam(1e-3); steps 10 }",
    )
    calls = [o for o in named(plan_of(text).train.groups[0], "call") if o.attributes["network"] == "discriminator"]
    assert len(calls) == 3


def test_what_no_loss_needs_is_not_computed() -> None:
    plan = trained(generator_with("mean(discriminator(generator()))", "idle = l2(image, generator())"))
    assert not named(plan.train.groups[1], "field")


def test_both_transforms_pictures_given_to_what_gives_logits() -> None:
    plan = trained(generator_with("mean(discriminator(generator()))"), "augment { both { translate 12% } }")
    for operation in named(plan.train.groups[1], "call"):
        assert operation.attributes["both"] == ((0,) if operation.attributes["network"] == "discriminator" else ())


def test_a_penalty_takes_the_inputs_that_made_the_fake_one() -> None:
    plan = plan_of(
        spec(
            generator="network generator(z: normal(4), y: label) -> image "
            "{ from y | embed 10, 60 | concat z | dense 64 | reshape 8, 8, 1 }",
            discriminator="network critic(x: image, y: label) -> logits(1) "
            "{ from y | embed 10, 64 as e; from x | flatten | add e | dense 1 }",
            train="train { update critic { fake = generator(); minimize mean(critic(fake)) - mean(critic(image)) "
            "+ 10 * gradient_penalty(critic, image, fake) }\nupdate generator { minimize -mean(critic(generator())) }\n"
            "optimizer adam(1e-4); steps 5 }",
        )
    )
    group = plan.train.groups[0]
    (penalty,) = named(group, "penalty")
    assert [group.operations[number].attributes.get("name") for number in penalty.inputs] == ["image", None, "label"]
    assert penalty.attributes["network"] == "critic" and penalty.attributes["every"] is None


def test_a_lazy_term_keeps_its_interval() -> None:
    plan = trained(
        "update discriminator { minimize mean(discriminator(image)) + r1(discriminator, every: 16 steps) }\n"
        "update generator { minimize mean(discriminator(generator())) }"
    )
    assert named(plan.train.groups[0], "penalty")[0].attributes["every"] == 16


def test_together_is_one_group_with_shared_operations() -> None:
    plan = plan_of(
        spec(
            train="train { together with: adam(1e-4) { fake = generator(); judged = discriminator(fake)\n"
            "update discriminator { minimize nonsaturating.discriminator(discriminator(image), judged) }\n"
            "update generator { minimize nonsaturating.generator(judged) } }\nsteps 10 }"
        )
    )
    (group,) = plan.train.groups
    assert [update.networks for update in group.updates] == [("discriminator",), ("generator",)]
    assert len(named(group, "prior")) == 1
    assert all(update.optimizer.word == "adam" for update in group.updates)


def test_times_and_phases_reach_the_plan() -> None:
    plan = plan_of(
        spec(
            train="train { update discriminator, times: 3 "
            "{ minimize hinge.discriminator(discriminator(), discriminator(generator())) }\n"
            "optimizer adam(1e-3)\nphase first, steps: 100\n"
            "phase second, steps: 50 { update generator { minimize mean(discriminator(generator())) }; "
            "learning_rate linear_decay(1e-3, 0) } }"
        )
    )
    assert plan.train.times == 3
    assert [(phase.name, phase.length, phase.groups) for phase in plan.train.phases] == [
        ("first", Quantity(100, "steps"), (0,)),
        ("second", Quantity(50, "steps"), (0, 1)),
    ]
    assert plan.train.phases[1].settings["learning_rate"].word == "linear_decay"


def test_bindings_of_train_are_numbers_or_schedules() -> None:
    plan = trained(
        "weight = ramp(0, 1, over: 5 steps)\nhalf = 1 / 2\n"
        + generator_with("weight * mean(discriminator(generator())) + half * mean(square(generator()))")
    ).train
    assert plan.scalars["weight"].word == "ramp" and plan.scalars["half"] == 0.5
    assert refused("weight = rampp(0, 1)\n" + generator_with("weight * mean(discriminator(generator()))")) == [
        "unknown_word"
    ]


# Those that need other networks or arguments: tests/lower/test_gans.py and test_variational.py write out theirs.
OTHERS = ("language_model", "denoise", "classifier_free", "acgan", "bigan", "cr_gan", "icr_gan", "infogan", "style_gan")
PLAIN = [name for name in prelude_names() if name not in OTHERS and "encoder" not in prelude_text(name)]


@pytest.mark.parametrize("name", PLAIN)
def test_an_objective_of_the_prelude_is_its_equations_written_out(name: str) -> None:
    judge = CRITIC if "critic: critic" in prelude_text(name) else CRITIC.replace("critic", "discriminator")
    written = spec(discriminator=judge, train=f"train {{ objective {name}(); optimizer adam(1e-3); steps 10 }}")
    plan = plan_of(written)
    ((_, text),) = plan.objectives
    out = plan_of(spec(discriminator=judge, train=f"train {{\n{text}\noptimizer adam(1e-3)\nsteps 10 }}"))
    assert out.train.groups == plan.train.groups


def test_bindings_of_an_objective_hide_nothing_that_it_is_given() -> None:
    """`denoise` binds `noise` and `t` itself; here the process is called `noise`, and a number `t`."""
    text = """experiment own
data { source digits(); image range: -1..1; batch 32 }
PROCESS = diffusion(steps: 100)
network denoiser(x: image, t: time) -> image {
  from t | time_embed 8 as when
  from x | conv 8 | film when | conv 1
}
train { objective denoise(denoiser, PROCESS); optimizer adam(1e-3); steps 20 }
sample { image = ddim(denoiser, PROCESS, steps: 10) }
"""
    plain, hidden = (plan_of(text.replace("PROCESS", name)) for name in ("noising", "noise"))
    assert plain.train.groups[0].operations == hidden.train.groups[0].operations
    assert "noise_2 ~ normal(image)" in hidden.objectives[0][1] and "noise ~ normal" in plain.objectives[0][1]
    own = """objective twice(scale) {
  update discriminator { fake = generator(); minimize scale * mean(discriminator(fake)) }
  update generator { fake = generator(); minimize -mean(discriminator(fake)) }
}"""
    train = "train { fake = ramp(0, 1); objective twice(2 * fake); optimizer adam(1e-3); steps 10 }"
    plan = plan_of(spec(own, train=train))
    assert "(2 * fake) * mean(discriminator(fake_2))" in plan.train.groups[0].updates[0].equation


def test_an_objective_of_the_spec_has_arguments_with_defaults() -> None:
    own = (
        "objective plain(strength: 1, generator: generator, judge) {\n"
        "update judge { minimize strength * mean(softplus(-judge())) + mean(softplus(judge(generator()))) }\n"
        "update generator { minimize mean(softplus(-judge(generator()))) } }"
    )
    plan = plan_of(
        spec(
            own,
            train="train { objective plain(judge: discriminator, strength: 1 + 1); optimizer adam(1e-3); steps 10 }",
        )
    )
    assert "2 * mean(softplus(-discriminator()))" in plan.train.groups[0].updates[0].equation.replace("(1 + 1)", "2")
    assert codes(spec(own, train="train { objective plain(); optimizer adam(1e-3); steps 10 }")) == ["missing_argument"]


@pytest.mark.parametrize(
    ("loss", "rule"),
    [
        ("discriminator(generator())", "type_mismatch"),  # (batch, 1) is one number each only as (batch)
        ("generator()", "type_mismatch"),
        ("mean(generator) ", "type_mismatch"),
        ("hinge.generator(generator())", "type_mismatch"),
        ("hinge(discriminator(generator()))", "unknown_member"),
        ("hinge.critic(discriminator(generator()))", "unknown_member"),
        ("l1(generator(), label)", "type_mismatch"),
        ("l1(generator(), discriminator(image))", "type_mismatch"),
        ("mean(discriminator(label))", "type_mismatch"),
        ("mean(discriminator(generator(), image))", "too_many_arguments"),
        ("mean(discriminator(y: generator()))", "unknown_argument"),
        ("mean(discriminator(generator()).h)", "unknown_member"),
        ("mean(discriminator(generator())) / 0", "bad_arithmetic"),
        ("mean(discriminator(image))", "no_gradient"),
        ("mean(discriminator(stop_gradient(generator())))", "no_gradient"),
        ("kl(generator(), normal(64))", "type_mismatch"),
        ("mean(discriminator(later))", "unknown_name"),
        ("5 epochs * mean(discriminator(generator()))", "type_mismatch"),
    ],
)
def test_a_loss_that_does_not_fit_is_refused(loss: str, rule: str) -> None:
    assert refused(generator_with(loss))[:1] == [rule]


def test_a_binding_may_not_be_used_before_it_is_made() -> None:
    assert refused(generator_with("mean(judged)", "judged = discriminator(fake)", "fake = generator()")) == [
        "used_before_definition"
    ]
    assert refused(generator_with("mean(fake)", "fake = discriminator(generator())", "fake = 3")) == ["duplicate_name"]


def test_a_sample_is_the_generator_or_what_the_spec_says() -> None:
    plan = plan_of(spec())
    assert plan.sample is not None and [name for name, _ in plan.sample.outputs] == ["image"]
    assert not any(operation.attributes.get("training") for operation in plan.sample.operations)
    own = plan_of(spec("sample { bright = generator() + 1 / 2 }"))
    assert own.sample is not None and [name for name, _ in own.sample.outputs] == ["bright"]
    assert codes(spec("sample { image = mean(generator()) }")) == ["type_mismatch"]


def test_a_sample_that_cannot_be_drawn_is_told_at_its_network() -> None:
    text = spec(
        generator="network generator(z: 4x4x4) -> image { flatten | dense 64 | reshape 8, 8, 1 }",
        train="train { update discriminator { minimize mean(discriminator(image)) }; optimizer adam(1e-3); steps 5 }",
    )
    (mistake,) = [d for d in checked(text)[1] if d.rule.code == "missing_input"]
    assert mistake.span.text == "generator"


def test_scores_of_the_spec_are_scalars_or_one_number_each() -> None:
    plan = plan_of(spec("evaluate every: 5 steps { distance = l2(generator(), image); diversity }"))
    (evaluation,) = plan.evaluations
    assert [name for name, _ in evaluation.equations] == ["distance"]
    assert evaluation.operations[evaluation.equations[0][1]].type == Scalar()
    assert [call.word for call in evaluation.scores] == ["diversity"]


def test_an_unused_binding_of_train_is_advice() -> None:
    found = [
        d.rule.code
        for d in checked(spec(train="train { idle = 3; objective gan(); optimizer adam(1e-3); steps 5 }"))[1]
        if d.severity == "warning"
    ]
    assert found == ["unused_binding"]
