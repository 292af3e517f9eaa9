"""A network computed place by place gives what it gives computed whole, whatever its layers, batch and cuts."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.lower.ingredients import labels_of, models_of
from gendsl.lower.stepwise import Stepwise
from gendsl.parts.keys import Key, drawing
from gendsl.plan.onward import whole_layer
from gendsl.plan.plan import Plan
from gendsl.source import Source

WINDOW, VOCABULARY = 7, 256

SPEC = """
experiment words
data { source text("*.txt"), tokenizer: bytes(); window 7; batch 4 }
block half(h) { parallel merge: add { path { dense 8 }; path { from h | layer_norm } } }
INNER
network model(INPUTS) -> categorical(256) { BODY }
train { update model, with: adam(1e-2) { minimize mean(nll(model(CALL), text)) }; steps 9 }
sample { text = generate(model, length: 20) }
"""


def planned(body: str, inputs: str = "tokens: text", inner: str = "", constrain: str = "") -> Plan:
    problems = Problems()
    call = "text, other: o" if "other" in inputs else "text"
    text = SPEC.replace("INPUTS", inputs).replace("BODY", body).replace("INNER", inner).replace("CALL", call)
    if "other" in inputs:
        text = text.replace("{ minimize", "{ o ~ normal(4); minimize")
    plan = check(Source("words.gen", text), problems, folder="/nowhere")
    assert plan is not None, [(one.message, one.help) for one in problems]
    return plan


class Both:
    """A network, whole and place by place, with weights of a seed."""

    def __init__(self, plan: Plan, seed: int = 0, precision: str = "float32") -> None:
        self.network = plan.network("model")
        self.networks = {one.name: one for one in plan.networks}
        self.models = models_of(plan, seed, labels_of(plan), precision)
        numbers = np.random.default_rng(seed)
        for model in self.models.values():  # gains and biases, too, and moving statistics
            for variable in model.variables:
                drawn = numbers.normal(size=variable.shape) * 0.3
                variable.assign(1 + np.abs(drawn) if "moving_variance" in variable.path else variable + drawn)

    def whole(self, tokens: Any, others: Sequence[Any] = ()) -> Any:
        with drawing(Key(0, "here", 0)):
            given = [tf.constant(tokens), *others]
            return self.models["model"](given if others else given[0], training=False).numpy()

    def by_parts(self, tokens: Any, cuts: Sequence[int], others: Sequence[Any] = ()) -> Any:
        steps = Stepwise(self.network, self.networks, self.models, others)
        parts, first, states = [], 0, steps.start(len(tokens))
        for size in cuts:
            found, states = steps.follow(tf.constant(tokens[:, first : first + size]), tf.constant(first), states)
            parts.append(found.numpy())
            first += size
        return np.concatenate(parts, 1)


def cuts_of(sizes: Sequence[int]) -> list[int]:
    found: list[int] = []
    for size in [*sizes, *[1] * WINDOW]:
        if (left := WINDOW - sum(found)) > 0:
            found.append(min(size, left))
    return found


HEADS = [
    "heads: 2",
    "heads: 2, width: 3",
    "heads: 4, groups: 2",
    "heads: 4, groups: 1, position: rotary",
    "heads: 2, window: 3",
    "heads: 2, window: 3, position: rotary, bias: off",
    "heads: 1, dropout: 20%",
]
NORMS = ["layer_norm", "rms_norm", "pixel_norm", "batch_norm", "identity", "layer_norm center: off"]
LAYERS = st.one_of(
    st.builds("residual {{ {} | attention {}, causal: on }}".format, st.sampled_from(NORMS), st.sampled_from(HEADS)),
    st.builds("{} | attention {}, causal: on | {}".format, *map(st.sampled_from, (NORMS, HEADS, NORMS))),
    st.builds(
        "residual {{ {} | dense 12 | {} | dense 8 }}".format,
        st.sampled_from(NORMS),
        st.sampled_from(["gelu", "swish", "relu", "prelu", "glu", "softmax", "dropout 30% | tanh", "maxout 3"]),
    ),
    st.sampled_from(
        [
            "lstm 8, sequences: on",
            "gru 8, sequences: on",
            "residual { gru 8, sequences: on, bias: off }",
            "conv1d 8, kernel: 3, padding: causal",
            "residual { conv1d 8, kernel: 2, padding: causal, dilation: 2 }",
            "conv1d 8, kernel: 1",
            "position_embed",
            "position_embed sinusoidal",
            "gaussian_noise 0.1",
            "parallel merge: concat { path { dense 5 }; path { lstm 3, sequences: on } }",
            "scale 2 | slice 4, start: 2 | dense 8",
            "concat begin | dense 8",
            "add begin",
            "multiply begin",
        ]
    ),
)


DRAWN = given(
    st.lists(LAYERS, min_size=1, max_size=4),
    st.sampled_from(["embed 256, 8", "embed 256, 8 | position_embed", "one_hot classes: 256 | dense 8"]),
    st.lists(st.integers(1, 4), max_size=3),
    st.integers(1, 3),
    st.integers(0, 10_000),
)


def agree(layers: list[str], begin: str, sizes: list[int], batch: int, seed: int) -> None:
    plan = planned("\n".join([f"{begin}; identity as begin", *layers, "dense 256"]))
    assert whole_layer(plan.network("model"), {}) is None
    both = Both(plan, seed)
    tokens = np.random.default_rng(seed).integers(0, VOCABULARY, (batch, WINDOW)).astype(np.int32)
    np.testing.assert_allclose(both.by_parts(tokens, cuts_of(sizes)), both.whole(tokens), atol=1e-5, rtol=1e-5)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@DRAWN
def test_random_networks_go_on_as_they_are_computed_whole(
    layers: list[str], begin: str, sizes: list[int], batch: int, seed: int
) -> None:
    agree(layers, begin, sizes, batch, seed)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@DRAWN
def test_many_networks_go_on(layers: list[str], begin: str, sizes: list[int], batch: int, seed: int) -> None:
    agree(layers, begin, sizes, batch, seed)
