"""Each optimizer word against Keras's class: its defaults, and one step against Keras's own."""

import inspect
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from gendsl.lower.optimizers import _CLASSES, Optimizer
from gendsl.plan.plan import Call
from gendsl.vocabulary.optimizers import WORDS
from gendsl.vocabulary.word import Word


def arguments(word: Word, **given: Any) -> dict[str, Any]:
    return {parameter.name: parameter.default for parameter in word.parameters} | given


def test_every_word_has_its_class() -> None:
    assert {word.name for word in WORDS} == set(_CLASSES)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.name)
def test_defaults_are_kerass(word: Word) -> None:
    theirs = inspect.signature(_CLASSES[word.name].__init__).parameters
    for name, default in arguments(word).items():
        assert theirs[name].default == default, name


CASES = [
    *((word, {}) for word in WORDS),
    *((word, {"amsgrad": True}) for word in WORDS if word.parameter("amsgrad") is not None),
    *((word, {"beta_1": 0.0}) for word in WORDS if word.name in ("adam", "adamw")),
]


@pytest.mark.parametrize(("word", "options"), CASES, ids=lambda value: getattr(value, "name", None) or "-".join(value))
def test_steps_are_kerass(word: Word, options: dict[str, Any]) -> None:
    theirs_class = next(base for base in _CLASSES[word.name].__mro__ if base.__module__.startswith("keras."))
    generator = np.random.default_rng(0)
    # Few numbers, some, and many: they are updated in different ways.
    start = [generator.normal(size=(rows, 4)).astype("float32") for rows in (3, 200, 20_000)] + [np.ones(4, "float32")]
    ours, theirs = [keras.Variable(one) for one in start], [keras.Variable(one) for one in start]
    optimizer = Optimizer(Call(word.name, arguments(word, **options)), [ours], scaled=False)
    reference = theirs_class(learning_rate=0.05, global_clipnorm=0.5, **options)
    if reference.weight_decay:
        reference.exclude_from_weight_decay(var_list=[theirs[-1]])
    reference.build(theirs)
    apply = tf.function(lambda *gradients: optimizer.apply(gradients, ours, tf.constant(0.05), tf.constant(0.5)))
    for _ in range(4):
        gradients = [tf.constant(generator.normal(size=one.shape).astype("float32")) for one in start]
        apply(*gradients)
        reference.apply(gradients, theirs)
    for mine, other, before in zip(ours, theirs, start, strict=True):
        np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=1e-5, atol=2e-6)
        assert not np.array_equal(mine.numpy(), before)
