"""Networks through the checker: shapes, labels, branches, skips, shared and repeated layers, declared results."""

import pytest

from gendsl.plan.plan import Network
from gendsl.vocabulary.types import Distribution, Tensor
from tests.check.specs import checked, codes, plan_of, spec


def network(layers: str, signature: str = "discriminator(x: image) -> logits(1)", *more: str) -> Network:
    """The plan of a network in a spec that is otherwise fine."""
    name = signature.partition("(")[0]
    return plan_of(spec(*more, discriminator=f"network {signature} {{\n{layers}\n}}")).network(name)


def judged(layers: str, signature: str = "discriminator(x: image) -> logits(1)", *more: str) -> list[str]:
    """The rules that a network in a spec that is otherwise fine triggers."""
    return codes(spec(*more, discriminator=f"network {signature} {{\n{layers}\n}}"))


def test_the_value_flows_from_the_only_input_and_layers_are_named_as_in_the_spec() -> None:
    found = network("conv 8 | relu\nconv 16, stride: 2 as low\nflatten | dense 1")
    assert [layer.name for layer in found.layers] == ["conv", "relu", "low", "flatten", "dense"]
    assert [layer.shape for layer in found.layers] == [(8, 8, 8), (8, 8, 8), (4, 4, 16), (256,), (1,)]
    assert [layer.inputs for layer in found.layers] == [(0,), (1,), (2,), (3,), (4,)]
    assert found.labels == {"low": 3}
    assert found.weights == 80 + (9 * 8 * 16 + 16) + 257


def test_from_goes_back_and_concat_joins() -> None:
    found = network("conv 8 as a\nconv 4\nfrom a | conv 4 | concat a | flatten | dense 1".replace("conv 4\n", ""))
    assert found.layers[2].shape == (8, 8, 12)
    assert set(found.layers[2].inputs) == {1, 2}


def test_push_and_pop_are_a_stack() -> None:
    found = network(
        "conv 4 | push\nconv 8, stride: 2 | push\nconv 8, stride: 2\n"
        "upsample 2 | concat pop\nupsample 2 | concat pop\nflatten | dense 1"
    )
    shapes = [layer.shape for layer in found.layers if layer.word == "concat"]
    assert shapes == [(4, 4, 16), (8, 8, 20)]
    assert judged("conv 4 | push | push\nconcat pop | flatten | dense 1") == ["push_pop"]
    assert judged("concat pop | flatten | dense 1") == ["push_pop"]


def test_residual_adds_its_input_and_refuses_another_shape() -> None:
    found = network("conv 8\nresidual { relu | conv 8 }\nflatten | dense 1")
    assert found.layers[3].word == "add" and set(found.layers[3].inputs) == {1, 3}
    assert judged("conv 8\nresidual { conv 4 }\nflatten | dense 1") == ["merge_mismatch"]


@pytest.mark.parametrize(("merge", "channels"), [("add", 8), ("multiply", 8), ("concat", 16)])
def test_parallel_merges_its_paths(merge: str, channels: int) -> None:
    found = network(f"parallel merge: {merge} {{ path {{ conv 8 }}; path {{ conv 8, kernel: 1 }} }}\nflatten | dense 1")
    assert found.layers[2].shape == (8, 8, channels)
    assert judged(
        f"parallel merge: {merge} {{ path {{ conv 8, stride: 2 }}; path {{ conv 8 }} }}\nflatten | dense 1"
    ) == ["merge_mismatch"]


def test_repeat_counts_from_zero_and_makes_new_weights() -> None:
    found = network("repeat 3 as i { conv 8 * 2^i }\nflatten | dense 1")
    assert [layer.shape for layer in found.layers[:3]] == [(8, 8, 8), (8, 8, 16), (8, 8, 32)]
    assert [layer.name for layer in found.layers[:3]] == ["conv", "conv_1", "conv_2"]


def test_a_block_makes_new_weights_and_sees_its_arguments_and_params() -> None:
    more = ("param width = 4", "block twice(filters, y) { conv filters * width | add y }")
    found = network(
        "conv 8 as h\ntwice 2, h\ntwice 2, h\nflatten | dense 1", "discriminator(x: image) -> logits(1)", *more
    )
    assert [layer.name for layer in found.layers] == [
        "h",
        "twice_conv",
        "twice_add",
        "twice_1_conv",
        "twice_1_add",
        "flatten",
        "dense",
    ]
    assert judged("twice 2\nflatten | dense 1", "discriminator(x: image) -> logits(1)", *more) == ["missing_argument"]
    assert judged("conv 8\nfrom h | flatten | dense 1") == ["unknown_name"]


def test_a_network_used_as_a_layer_shares_its_weights() -> None:
    plan = plan_of(
        spec(
            "network body(x: image) -> features(16) { flatten | dense 16 }",
            discriminator="network discriminator(x: image) -> logits(1) { body | dense 1 }",
            train="train { objective gan(); update body, with: adam(1e-4) { minimize mean(square(body(image))) }; "
            "optimizer adam(2e-4); steps 10 }",
        )
    )
    layer = plan.network("discriminator").layers[0]
    assert (layer.name, layer.word, layer.shape, layer.weights) == ("body", "network", (16,), 0)
    assert layer.flops == plan.network("body").flops > 0


def test_a_network_used_as_a_layer_is_trained_through_its_user() -> None:
    plan = plan_of(
        spec(
            "network stem(x: image) -> features(16) { flatten | dense 16 }",
            "network body(x: image) -> features(16) { stem | dense 16 }",
            discriminator="network discriminator(x: image) -> logits(1) { body | dense 1 }",
            train="train { update discriminator, body, stem, with: adam(1e-4) {\n"
            "minimize hinge.discriminator(discriminator(image), discriminator(generator())) }\n"
            "update generator, with: adam(1e-4) { minimize hinge.generator(discriminator(generator())) }\nsteps 10 }",
        )
    )
    assert plan.train.groups[0].updates[0].networks == ("discriminator", "body", "stem")


def test_several_results_are_named_by_output() -> None:
    found = plan_of(
        spec(
            discriminator="network discriminator(x: image) -> [logits(1), logits(label.classes)] {\n"
            "flatten | dense 16 | relu as features\ndense 1 as score\n"
            "from features | dense label.classes as which\noutput score, which }",
            train="train { update discriminator, with: adam(1e-3) {\n judged = discriminator(image)\n"
            "minimize mean(square(judged.score)) + cross_entropy(judged.which, label) }\n"
            "update generator, with: adam(1e-3) { minimize mean(square(discriminator(generator()).score)) }\n"
            "steps 10 }",
        )
    ).network("discriminator")
    assert [(output.name, output.value) for output in found.outputs] == [("score", 4), ("which", 5)]


@pytest.mark.parametrize(
    ("result", "layers", "type"),
    [
        ("logits(1)", "flatten | dense 1", Tensor((1,), "logits")),
        ("logits(8x8x1)", "conv 1", Tensor((8, 8, 1), "logits")),
        ("features(5)", "flatten | dense 5", Tensor((5,), "features")),
        ("normal(6)", "flatten | dense 12", Distribution("normal", (6,))),
        ("normal(image)", "conv 2", Distribution("normal", (8, 8, 1))),
        ("bernoulli(image)", "conv 1", Distribution("bernoulli", (8, 8, 1))),
        ("categorical(7)", "flatten | dense 7", Distribution("categorical", (), 7)),
        ("categorical(7)", "conv 7", Distribution("categorical", (8, 8), 7)),
    ],
)
def test_a_declared_result_is_proved(result: str, layers: str, type: object) -> None:
    loss = "mean(square(h))" if isinstance(type, Tensor) else "mean(entropy(h))"
    update = f"update other, with: adam(1e-3) {{ h = other(image); minimize {loss} }}"
    text = spec(
        f"network other(x: image) -> {result} {{ {layers} }}",
        train=f"train {{ objective gan(); {update}; optimizer adam(1e-3); steps 10 }}",
    )
    assert plan_of(text).network("other").outputs[0].type == type
    assert "shape_mismatch" in codes(text.replace(layers, layers + " | dense 99"))


def test_where_the_shapes_part_is_told_with_the_way_out() -> None:
    text = spec(
        generator="network generator(z: normal(64)) -> image {\n dense 3*3*16 | reshape 3, 3, 16\n"
        " up_conv 8, kernel: 4, stride: 2\n up_conv 1, kernel: 4, stride: 2 | tanh }"
    )
    (mistake,) = [d for d in checked(text)[1] if d.severity == "error"]
    assert mistake.rule.code == "shape_mismatch"
    assert mistake.span.text == "up_conv" and mistake.note == "6x6x8 becomes 12x12x1 here"
    assert "start from `reshape 2, 2, …` instead of `reshape 3, 3, …`" in mistake.help


def test_sizes_that_wait_for_the_data_stay_symbols() -> None:
    data = 'data { source csv("none.csv") { column a, continuous; column b, categorical }; batch 50 }'
    plan = plan_of(
        spec(
            data=data,
            generator="network generator(z: normal(8)) -> row { dense row.width }",
            discriminator="network discriminator(x: row) -> logits(1) { concat x | dense 4 | dense 1 }",
        )
    )
    assert str(plan.network("generator").weights) == "9*row.width"
    assert str(plan.network("discriminator").layers[1].weights) == "8*row.width + 4"


def test_a_keras_layer_is_checked_against_keras_table() -> None:
    assert judged("keras.Conv2D 8, kernel_size: 3\nflatten | dense 1") == []
    assert judged("keras.Conv2D 8, kernal_size: 3\nflatten | dense 1") == ["missing_argument", "unknown_argument"]
    assert judged("keras.Conf2D 8\nflatten | dense 1") == ["unknown_word"]
    assert judged("keras.Lambda 8\nflatten | dense 1") == ["unknown_word"]


@pytest.mark.parametrize("number", ["1e5000", "9e308", "1e999999999"])
def test_a_number_beyond_the_range_is_told_once(number: str) -> None:
    assert judged(f"dropout {number}\nflatten | dense 1") == ["number_range"]
    assert judged(f"flatten | dense {number}\ndense 1") == ["number_range"]


def test_a_schedule_among_constants_is_named_as_one() -> None:
    train = "train { rate = cosine(1e-3, 1e-5); objective gan(); optimizer adam(0.5 * rate); steps 10 }"
    assert "is a schedule" in checked(spec(train=train))[1][0].message


def test_a_layer_of_keras_that_draws_by_itself_is_refused() -> None:
    assert judged("keras.GaussianDropout 0.2\nflatten | dense 1") == ["unknown_word"]
    assert judged("keras.RandomFlip\nflatten | dense 1") == ["unknown_word"]
    assert judged("flatten | dense 16\nreshape 4, 4\nkeras.LSTM 8, dropout: 0.1\ndense 1") == ["unknown_word"]
    assert judged("flatten | dense 16\nreshape 4, 4\nkeras.LSTM 8\ndense 1") == []
    assert judged("keras.Dropout 0\nflatten | dense 1") == []
