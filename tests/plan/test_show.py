"""The plan for people, and its cost: what stands there is what the plan says."""

from pathlib import Path

from gendsl.plan.cost import activations_of, cost_of
from gendsl.plan.show import plan_shown, short, size
from tests.check.specs import plan_of, spec

SPECS = Path(__file__).parents[2] / "specs"


def test_layers_equations_schedule_and_memory_are_told() -> None:
    text = plan_shown(plan_of((SPECS / "digits_gan.gen").read_text()))
    for row in (
        "image   8x8x1 in -1..1",
        "up_conv       4x4x64      131,136   1.0 M",
        "in all                    198,721   2.2 M",
        "update discriminator, with adam(learning_rate: 0.001, beta_1: 0.5",
        "minimize nonsaturating.discriminator(discriminator(), discriminator(generator()))",
        "discriminator(image) : (batch, 1)",
        "length                 2,000 steps, 79.2 epochs",
        "evaluate every 500 steps, on 1,000 samples",
        "activations",
        "fid, on the features of classifier",
    ):
        assert row in text, text


def test_expand_writes_objectives_out() -> None:
    text = plan_shown(plan_of((SPECS / "digits_gan.gen").read_text()), expand=True)
    assert "objective gan(loss: nonsaturating) stands for" in text
    assert "    minimize nonsaturating.generator(discriminator(generator()))" in text


def test_schedules_are_told_over_time() -> None:
    train = "train { objective gan(); optimizer adam(cosine(1e-3, 0)); phase a, steps: 10\nphase b, steps: 30 }"
    text = plan_shown(plan_of(spec(train=train)))
    assert "b                      30 steps, 1.1 epochs, from step 10 to 40" in text
    assert "rate of generator      cosine from 0.001 to 0 over all 40 steps" in text


def test_cost_counts_weights_slots_averages_and_activations() -> None:
    plan = plan_of(spec(train="train { objective gan(); optimizer adam(1e-3); steps 5; ema generator, decay: 0.9 }"))
    generator, discriminator = plan.network("generator"), plan.network("discriminator")
    cost = cost_of(plan)
    assert cost.weights == 4 * (generator.weights + discriminator.weights)
    assert cost.optimizer == 2 * cost.weights
    assert cost.averages == 4 * generator.weights
    judge = 2 * activations_of(discriminator)  # real and generated
    assert cost.activations == 4 * 64 * (judge + activations_of(generator))
    plain = plan_of(spec(train="train { objective gan(); optimizer sgd(1e-3); steps 5; precision mixed_bfloat16 }"))
    assert cost_of(plain).optimizer == 0
    assert 2 * cost_of(plain).activations == cost.activations


def test_numbers_are_short() -> None:
    assert [short(n) for n in (0, 999, 1_500, 2_000_000, 123_456_789)] == ["0", "999", "1.5 k", "2.0 M", "123 M"]
    assert [size(n) for n in (0, 1023, 1536, 3 * 2**30)] == ["0 B", "1023 B", "1.5 KiB", "3.0 GiB"]


def test_a_network_used_as_a_layer_is_named_beside_the_total() -> None:
    text = plan_shown(
        plan_of(
            spec(
                "network body(x: image) -> features(16) { flatten | dense 16 }",
                discriminator="network discriminator(x: image) -> logits(1) { body | dense 1 }",
            )
        )
    )
    assert "beside the weights of `body`, used as a layer" in text


def test_samplers_tell_how_often_they_call_their_network() -> None:
    def shown(sample: str) -> str:
        text = (SPECS / "digits_diffusion.gen").read_text().replace("ddim(denoiser, noising, steps: 50)", sample)
        return plan_shown(plan_of(text))

    process = "diffusion(schedule: cosine, predict: noise, steps: 1000)"
    assert f"image  (batch, 8, 8, 1), by ddpm from {process}: 1,000 calls of denoiser\n" in shown(
        "ddpm(denoiser, noising)"
    )
    assert f"by heun from {process}: 39 calls of denoiser\n" in shown("heun(denoiser, noising, steps: 20)")
