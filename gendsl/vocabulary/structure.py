"""The words that join layers into networks: repetition, branches, labels, skips."""

from gendsl.vocabulary.word import Choice, Count, Parameter, Reference, Word

WORDS: tuple[Word, ...] = (
    Word(
        name="repeat",
        category="structure",
        doc="Writes its body n times, one behind the other; `as i` counts from 0.",
        parameters=(Parameter(name="times", kind=Count(minimum=0), doc="how often"),),
        body="layer",
        bindings=True,
        example="repeat 3 as i { conv 32 * 2^i, stride: 2 | relu }",
    ),
    Word(
        name="residual",
        category="structure",
        doc="Adds its input to what its body makes of it; both have the same shape.",
        source="He et al. 2016, equation 1",
        body="layer",
        bindings=True,
        example="residual { relu | conv 128 | relu | conv 128 }",
    ),
    Word(
        name="parallel",
        category="structure",
        doc="Runs several `path { }`s on its input and merges their values.",
        parameters=(
            Parameter(
                name="merge",
                kind=Choice(("add", "concat", "multiply")),
                default="add",
                positional=False,
                doc="how: add, multiply, or concat on the last axis",
            ),
        ),
        body="parallel",
        example="parallel merge: add { path { conv 64 }; path { conv 64, kernel: 1 } }",
    ),
    Word(
        name="path",
        category="parallel",
        doc="One branch of `parallel`.",
        body="layer",
        bindings=True,
        example="path { upsample 2 | conv 64, kernel: 1 }",
    ),
    Word(
        name="from",
        category="structure",
        doc="Goes back to a label or an input: the layers that follow start there.",
        parameters=(Parameter(name="value", kind=Reference(), doc="a label or an input"),),
        example="from z",
    ),
    Word(
        name="push",
        category="structure",
        doc="Lays the value on the stack of skips, for `concat pop`, `add pop` or `multiply pop`.",
        source="Ronneberger et al. 2015 (U-Net)",
        example="push",
    ),
    Word(
        name="output",
        category="structure",
        doc="Names the results of a network with several.",
        parameters=(Parameter(name="values", kind=Reference(), many=True, doc="labels, in the declared order"),),
        example="output score, features",
    ),
)
