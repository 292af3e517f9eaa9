"""The layers: every word that may stand in a network, by what it does; and Keras's own by a table."""

from gendsl.vocabulary.layers import (
    activation,
    channels,
    combination,
    convolution,
    dense,
    normalization,
    pooling,
    quantization,
    regularization,
    reshaping,
    sequence,
    synthesis,
)
from gendsl.vocabulary.word import LayerWord

WORDS: tuple[LayerWord, ...] = (
    *dense.WORDS,
    *convolution.WORDS,
    *sequence.WORDS,
    *normalization.WORDS,
    *quantization.WORDS,
    *regularization.WORDS,
    *reshaping.WORDS,
    *pooling.WORDS,
    *combination.WORDS,
    *activation.WORDS,
    *channels.WORDS,
    *synthesis.WORDS,
)
