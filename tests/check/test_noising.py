"""Noising processes in specs: objectives are their equations, and what cannot be is told with its mend."""

import pytest

from gendsl.plan.plan import Call
from gendsl.vocabulary.types import Tensor
from tests.check.specs import checked, plan_of

DATA = "experiment noisy\ndata { source digits(); image range: -1..1; batch 64 }\nnoising = diffusion(steps: 100)\n"
PLAIN = (
    "network denoiser(x: image, t: time) -> image "
    "{ from t | time_embed 8 as when; from x | conv 8 | film when | conv 1 }\n"
)
GUIDED = (
    "network denoiser(x: image, t: time, y: label or none) -> image {\n"
    "from y | embed label.classes + 1, 8 as class\nfrom t | time_embed 8 | add class as when\n"
    "from x | conv 8 | film when | conv 1 }\n"
)
TRAIN = "train { objective denoise(denoiser, noising); optimizer adam(1e-3); steps 10 }\n"
SAMPLE = "\nsample { image = ddim(denoiser, noising, steps: 10) }\n"
FREE = TRAIN.replace("denoise(denoiser, noising)", "classifier_free(denoiser, noising, drop: 20%)")


def said(text: str) -> list[tuple[str, str, str]]:
    """The rule, the message and the help of each mistake."""
    return [(d.rule.code, d.message, d.help) for d in checked(text)[1] if d.severity == "error"]


@pytest.mark.parametrize(("network", "train"), [(PLAIN, TRAIN), (GUIDED, FREE)])
def test_an_objective_is_its_equations_written_out(network: str, train: str) -> None:
    plan = plan_of(DATA + network + train + SAMPLE)
    ((_, text),) = plan.objectives
    assert "t ~ time(noising)" in text and "noise ~ normal(image)" in text
    written = DATA + network + f"train {{\n{text}\noptimizer adam(1e-3)\nsteps 10 }}" + SAMPLE
    assert plan_of(written).train.groups == plan.train.groups
    names = [operation.attributes.get("word", operation.name) for operation in plan.train.groups[0].operations]
    assert {"time", "noised", "target", "call", "l2", "draw"} <= set(names)


def test_a_process_is_whole_in_the_plan_named_or_not() -> None:
    sample = "sample {{ image = ddim(denoiser, {}, steps: 10) }}"
    named = plan_of(DATA + PLAIN + TRAIN + sample.format("noising")).sample
    written = plan_of(DATA + PLAIN + TRAIN + sample.format("diffusion(steps: 100)")).sample
    assert named == written and named is not None
    (operation,) = named.operations
    assert operation.attributes["process"] == Call(
        "diffusion", {"schedule": "cosine", "predict": "noise", "steps": 100}
    )
    assert operation.attributes["bounds"] == (-1, 1) and operation.type == Tensor((8, 8, 1), "image")


def test_a_guided_sampler_knows_what_stands_for_none() -> None:
    sample = plan_of(DATA + GUIDED + FREE + "sample { image = ddim(denoiser, noising, guidance: 3) }").sample
    assert sample is not None and sample.inputs == ("label",)
    assert sample.operations[-1].attributes["none"] == (10,)
    unclipped = plan_of(DATA + GUIDED + FREE + "sample { image = ddpm(denoiser, noising, clip: off) }").sample
    assert unclipped is not None and unclipped.operations[-1].attributes["bounds"] is None


def test_embeddings_of_a_condition_that_may_be_none_have_one_row_more() -> None:
    network = GUIDED.replace("embed label.classes + 1, 8", "one_hot | dense 8")
    plan = plan_of(DATA + network + FREE + SAMPLE)
    assert plan.networks[0].layers[0].shape == (11,) and plan.networks[0].inputs[2].optional
    (found,) = said(DATA + GUIDED.replace(" + 1", "") + FREE)
    assert found[:2] == ("layer_shape", "`embed` has 10 vectors, and this value is one of 11")
    assert found[2] == "write `embed 11, …`: the last is none's"


def test_noise_is_shaped_as_a_tensor() -> None:
    latent = (
        "network encoder(x: image) -> features(2x2x3) { flatten | dense 12 | reshape 2, 2, 3 }\n"
        "network denoiser(x: 2x2x3, t: time) -> features(2x2x3) "
        "{ from t | time_embed 8 as when; from x | conv 8 | film when | conv 3 }\n"
    )
    train = (
        'allow untrained_network, because: "it is given"\n'
        "train { objective denoise(denoiser, noising, stop_gradient(encoder(image))); optimizer adam(1e-3); steps 10 }"
    )
    operations = plan_of(DATA + latent + train + SAMPLE.replace("image =", "code =")).train.groups[0].operations
    assert [o.type for o in operations if o.attributes.get("word") == "noised"] == [Tensor((2, 2, 3), "features")]
    update = (
        "train {{ update denoiser, with: adam(1e-3) "
        "{{ z ~ normal({}); minimize mean(square(denoiser(image, z))) }}\nsteps 9 }}"
    )
    (found,) = said(DATA.replace("-1..1;", "-1..1; label;") + PLAIN + update.format("label"))
    assert found[1] == "`normal` takes the shape of a tensor of numbers, and this is a tensor (batch) of whole classes"


@pytest.mark.parametrize(
    ("more", "message", "help"),
    [
        ("ddim(denoiser, image)", "`ddim` takes a noising process second", "bind one at the top"),
        ("ddim(denoiser, noising, guidance: 2)", "`ddim` is guided by a condition, and `denoiser` has none", "leave"),
        ("ddpm(denoiser, flow_matching())", "`ddpm` undoes the steps of a `diffusion`", "`euler` and `heun`"),
        ("ddim(denoiser, noising, steps: 200)", "`ddim` takes 200 of the process's steps, which are 100", "steps: 100"),
        ("ddim(denoiser(image), noising)", "`denoiser` needs its `t`, and nothing can fill it", "give it"),
        ("ddim(judge, noising)", "`ddim` takes a network that gives what its first input is like", "-> image"),
        ("ddim(timeless, noising)", "`ddim` tells its network the time, and `timeless` has no input", "t: time"),
        ("noised(noising, image, image, 3)", "`noised` takes one time an example last, not scalar", "draw it"),
        ("noised(noising, image, label, image)", "`noised` mixes tensors of numbers", "draw noise"),
    ],
)
def test_what_cannot_be_sampled_is_told(more: str, message: str, help: str) -> None:
    others = (
        'allow untrained_network, because: "the test"\n'
        "network judge(x: image, t: time) -> logits(1) "
        "{ from t | time_embed 4 as w; from x | flatten | film w | dense 1 }\n"
        "network timeless(x: image) -> image { conv 1 }\n"
    )
    data = DATA.replace("image range: -1..1;", "image range: -1..1; label;")
    found = said(data + PLAIN + others + TRAIN + f"sample {{ image = {more} }}")
    (told,) = [one for one in found if one[0] != "unused_network"]
    assert told[1].startswith(message) and help in told[2], told


def test_conditions_that_may_be_none() -> None:
    required = GUIDED.replace(" or none", "").replace(" + 1", "")
    (found,) = said(DATA + required + FREE)
    assert found[1] == "`y` of `denoiser` may be none here, and `denoiser` always takes one"
    assert found[2] == "declare it `y: label or none`"
    sample = "sample { image = ddim(denoiser, noising, guidance: 2) }"
    (found,) = said(DATA + required + TRAIN + sample)
    assert found[2] == "declare `y: label or none`, and train it on `dropped(label, 10%)`"
    (found, *_) = said(DATA + GUIDED.replace("label or none", "label or zero") + FREE)
    assert found[1] == "`label or zero` is no type of an input"


def test_samplers_stand_in_no_update() -> None:
    update = "train { update denoiser, with: adam(1e-3) { minimize l2(ddim(denoiser, noising), image) }\nsteps 9 }"
    assert [one[0] for one in said(DATA + PLAIN + update)] == ["misplaced"]
