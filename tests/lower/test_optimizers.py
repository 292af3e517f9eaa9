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


@pytest.mark.parametrize("word", WORDS, ids=lambda word: word.name)
def test_a_step_is_kerass(word: Word) -> None:
    start, gradient = np.array([[1.0, -2.0]], "float32"), np.array([[0.3, 0.7]], "float32")
    ours, theirs = keras.Variable(start), keras.Variable(start)
    optimizer = Optimizer(Call(word.name, arguments(word)), [ours], clip_norm=None, scaled=False)
    reference = _CLASSES[word.name](learning_rate=0.05)
    reference.build([theirs])
    for _ in range(3):
        optimizer.apply([tf.constant(gradient)], tf.constant(0.05))
        reference.apply([tf.constant(gradient)], [theirs])
    np.testing.assert_array_equal(ours.numpy(), theirs.numpy())
    assert not np.array_equal(ours.numpy(), start)
