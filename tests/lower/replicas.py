"""Trains small GANs on some logical devices, whole batches and parts, and writes every variable: a process of its own,
since TensorFlow makes its devices once, and its groups of them. `python -m tests.lower.replicas FOLDER REPLICAS`."""

import sys
from pathlib import Path
from typing import Any

import numpy as np

from gendsl.run.loading import load_tensorflow

STEPS = 20

# Smooth, so that no rounding error is made large by a kink; what couples the batch is synchronised.
NORMED = """
experiment normed
data { source digits(); image range: -1..1; label; batch 32 }
network generator(z: normal(8), y: label) -> image {
  from z
  dense 4*4*8, bias: off | conditional_batch_norm y, synchronized: on | tanh | reshape 4, 4, 8
  up_conv 8, kernel: 4, stride: 2, bias: off | batch_norm synchronized: on | swish | dropout 0.2 | conv 1 | tanh
}
network discriminator(x: image) -> logits(1) {
  conv 8, stride: 2, bias: off | batch_norm synchronized: on | swish | dropout 0.3 | gaussian_noise 0.1 | flatten
  dense 1
}
train {
  update discriminator, times: 2, with: sgd(0.05) {
    fake = generator()
    minimize mean(softplus(-discriminator(image))) + mean(softplus(discriminator(replay(fake, size: 40))))
      + 0.1 * gradient_penalty(discriminator, image, fake)
  }
  update generator, with: sgd(0.05) { minimize mean(softplus(-discriminator(generator()))) }
  steps 20
  clip norm: 0.5
  ema generator, decay: 0.9
}
"""
PLAIN = """
experiment plain
data { source digits(); image range: -1..1; batch 32 }
augment { both ada(target: 0.2, speed: 500) { translate 12%; rotate 20 degrees; brightness 0.1 } }
network encoder(x: image) -> normal(4) { flatten | dense 32 | tanh | dropout 0.2 | dense 8 }
network decoder(z: normal(4)) -> bernoulli(image) { dense 64 | swish | gaussian_noise 0.1 | dense 64 | reshape 8, 8, 1 }
network discriminator(x: image) -> logits(1) { flatten | dense 16 | tanh | dense 1 }
train {
  together with: sgd(0.02) {
    q = encoder(image)
    z ~ q
    p = decoder(z)
    update encoder, decoder { minimize nll(p, 0.5 * image + 0.5) + kl(q, normal(4)) }
  }
  update discriminator, with: sgd(0.1) {
    minimize mean(softplus(-discriminator(image))) + 0.1 * r1(discriminator, image)
  }
  steps 20
}
sample { made = mean(decoder()) }
"""
NOISING = """
experiment noising
data { source digits(); image range: -1..1; label; batch 32 }
noising = diffusion(predict: velocity, steps: 50)
network denoiser(x: image, t: time, y: label or none) -> image {
  from y | embed label.classes + 1, 8 as class
  from t | time_embed 8 | add class as when
  from x | conv 8 | film when | swish | dropout 0.1 | conv 1
}
train {
  objective classifier_free(denoiser, noising, drop: 20%)
  optimizer sgd(0.1)
  steps 20
  ema denoiser, decay: 0.9
}
sample { image = ddim(denoiser, noising, steps: 5, guidance: 2) }
"""
# What is frozen, and what waits for a signal of the whole batch.
WAITING = """
experiment waiting
data { source digits(); image range: -1..1; batch 32 }
network generator(z: normal(8)) -> image { dense 64 | swish as middle | dense 64 | tanh | reshape 8, 8, 1 }
network discriminator(x: image) -> logits(1), constrain: spectral_norm { flatten | dense 16 | tanh | dense 1 }
train {
  update discriminator, times: 2, when: accuracy < 65% and generator_fooled < 95%, with: sgd(0.5) {
    real = discriminator(image)
    fake = discriminator(generator())
    accuracy = 0.5 * positive(real) + 0.5 * positive(-fake)
    minimize mean(softplus(-real)) + mean(softplus(fake))
  }
  update generator, with: sgd(0.5) {
    judged = discriminator(generator())
    fooled = positive(judged)
    minimize mean(softplus(-judged))
  }
  phase first, steps: 10 { freeze generator, layers: ["dense_1"] }
  phase second, steps: 10
}
"""

CODED = """
experiment coded
data { source digits(); image range: -0.5..0.5; batch 32 }
network encoder(x: image) -> 4x4x4 { conv 8, stride: 2 | tanh | conv 4 as code; quantize 12, decay: 0.9, reset: 0.8 }
network decoder(e: 4x4x4) -> image { up_conv 1, kernel: 4, stride: 2 }
train {
  objective vq_vae(variance: 0.14)
  optimizer sgd(0.1)
  steps 20
}
sample { image = decoder(draw_codes(encoder)) }
"""


def trained(text: str, replicas: int) -> dict[str, np.ndarray]:
    """Every variable of a spec after its steps, by name; all replicas are sure to have the same."""
    from gendsl import api
    from gendsl.lower.data import dataset_of
    from gendsl.lower.replicas import replicas_of
    from gendsl.lower.training import experiment_of
    from gendsl.plan.plan import Call
    from gendsl.run.loop import EMPTY, Stepper

    plan = api.loads(text)
    dataset = dataset_of(plan, ".", overfit=False)
    strategy = Call("mirrored", {"replicas": replicas}) if replicas > 1 else Call("one", {})
    laid_out = replicas_of(strategy, batch=plan.data.batch)
    assert laid_out.count == replicas
    experiment = experiment_of(plan, examples=dataset.sizes["train"], replicas=laid_out)
    stepper = Stepper(experiment, dataset)
    window = stepper.run(0, 7, EMPTY)
    window = stepper.run(7, STEPS - 7, window)
    state = experiment.state()
    for name, variable in state.items():
        copies = [copy.numpy() for copy in getattr(variable, "values", ())]
        assert all(np.array_equal(copies[0], copy) for copy in copies), name
    losses = {f"told/{name}": np.asarray(value) for name, value in window.means.items()}
    return {name: variable.numpy() for name, variable in state.items()} | losses


def main(folder: Path, replicas: int) -> None:
    load_tensorflow(cpus=replicas)
    recomputed = NORMED.replace("-> image {", "-> image, recompute: on {").replace("(1) {", "(1), recompute: on {")
    runs = {
        1: {
            "normed": NORMED,
            "recomputed": recomputed,
            "plain": PLAIN,
            "parts": in_parts(4),
            "noising": NOISING,
            "waiting": WAITING,
            "coded": CODED,
        },
        2: {"normed": NORMED, "parts": in_parts(2), "noising": NOISING, "waiting": WAITING, "coded": CODED},
        4: {"normed": NORMED, "plain": PLAIN},
    }
    for name, text in runs[replicas].items():
        values: dict[str, Any] = trained(text, replicas)
        np.savez(folder / f"{name}-{replicas}.npz", **values)


def in_parts(number: int) -> str:
    """The spec that goes through each batch in so many parts."""
    return PLAIN.replace("  steps 20", f"  accumulate {number}\n  steps 20")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
