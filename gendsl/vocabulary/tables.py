"""The words that are of tables alone: what equations say of generated rows, and what every row has to keep to."""

from __future__ import annotations

from gendsl.vocabulary import types
from gendsl.vocabulary.functions import FunctionWord, function
from gendsl.vocabulary.word import Expression, FreeName, OneOf, Parameter, Text, Word

FUNCTIONS: tuple[FunctionWord, ...] = (
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

_KEPT = "Samples that break it are passed over, others drawn in their place, and counted; so are rows of the file."


def _rule(name: str, doc: str, *parameters: Parameter, example: str) -> Word:
    return Word(name=name, category="data", doc=f"{doc} {_KEPT}", parameters=parameters, example=example)


def _columns(doc: str) -> Parameter:
    return Parameter(name="columns", kind=OneOf((FreeName(), Text())), many=True, doc=doc)


CONSTRAINTS: tuple[Word, ...] = (
    _rule(
        "unique",
        "Columns of a table whose cells, taken together, no two rows share. Missing cells are never the same.",
        _columns("The columns."),
        example="unique id",
    ),
    _rule(
        "ordered",
        "Columns of a table that never fall from left to right: a <= b. Missing cells are passed over.",
        _columns("The columns, all of numbers, or all of times."),
        example="ordered begin, end",
    ),
    _rule(
        "pattern",
        "A regular expression that the whole of each cell of a column matches. Missing cells match.",
        Parameter(name="column", kind=OneOf((FreeName(), Text())), doc="The column."),
        Parameter(name="expression", kind=Text(), doc="The expression, as Python's `re` reads it."),
        example='pattern postcode, "[0-9]{5}"',
    ),
)

WORDS: tuple[Word, ...] = (*FUNCTIONS, *CONSTRAINTS)
