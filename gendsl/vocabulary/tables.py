"""The words that are of tables alone: what equations say of generated rows."""

from __future__ import annotations

from gendsl.vocabulary import types
from gendsl.vocabulary.functions import FunctionWord, function
from gendsl.vocabulary.word import Expression, Parameter

WORDS: tuple[FunctionWord, ...] = (
    function(
        "condition_loss",
        "Minus the log of what a generated row gives to the category that its condition chose, in nats: (batch). It is "
        "the cross-entropy of that column with the condition, by which a generator keeps to it.",
        lambda given, options: types.Tensor(()),  # its tensors are compared with the data's columns by the checker
        Parameter(name="row", kind=Expression(), doc="generated rows, after `row_activation`"),
        Parameter(name="condition", kind=Expression(), doc="the conditions that they were made for"),
        source="Xu et al. 2019, https://arxiv.org/abs/1907.00503, section 4.3",
        example="minimize -mean(critic(fake, condition)) + condition_loss(fake, condition)",
    ),
)
