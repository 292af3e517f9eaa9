"""The words of `export`, `card` and `sweep`: what is exported, the human part of a model card, what is searched."""

from gendsl.vocabulary.word import (
    Amount,
    Choice,
    Count,
    Expression,
    FreeName,
    ListOf,
    NetworkName,
    OneOf,
    Parameter,
    RangeOf,
    Real,
    Text,
    Toggle,
    Word,
    WordOf,
)

_NAME = Parameter(
    name="name", kind=Text(), default=None, doc="The model's name where it is served; the experiment's if left out."
)

EXPORTS: tuple[Word, ...] = (
    Word(
        name="saved_model",
        category="export",
        doc="A SavedModel for TF Serving: endpoints that take `n` and `seed`, labels, prompts or the prior's draws, "
        "and give numbers or PNG files.",
        parameters=(
            _NAME,
            Parameter(
                name="images",
                kind=Choice(("float32", "uint8")),
                default="float32",
                doc="what pictures are given and taken as: numbers in their range, or 0 to 255",
                positional=False,
            ),
            Parameter(
                name="also",
                kind=ListOf(NetworkName()),
                default=(),
                doc="networks with an endpoint of their own: a critic's score, an encoder's code",
                positional=False,
            ),
        ),
        example='saved_model name: "fashion", images: uint8, also: [discriminator]',
    ),
    Word(
        name="onnx",
        category="export",
        doc="What makes a sample, in ONNX: `NAME.onnx`, which takes the numbers that a sample draws (`pip install"
        " gendsl[onnx]`). Where samples are generated token by token, their network.",
        parameters=(_NAME,),
        example='onnx name: "fashion"',
    ),
    Word(
        name="litert",
        category="export",
        doc="What makes a sample, for LiteRT, on telephones and small devices: `NAME.tflite`, which takes the numbers "
        "that a sample draws. Where samples are generated token by token, their network.",
        parameters=(
            _NAME,
            Parameter(
                name="quantize",
                kind=Choice(("float16", "int8")),
                default=None,
                doc="how large weights are stored: as `float16` in half the room, as `int8` in a quarter",
                positional=False,
            ),
        ),
        example='litert name: "fashion", quantize: float16',
    ),
    Word(
        name="refuse",
        category="export",
        doc="A gate: the model is not exported where a condition on its scores holds, or where a score in it was not "
        "taken of the exported checkpoint. `gendsl export --override REASON` goes on, and the card tells the reason.",
        parameters=(
            Parameter(
                name="when",
                kind=Expression(),
                doc="A condition on scores, as alarms have it, `best(score)` among them.",
                positional=False,
            ),
        ),
        example="refuse when: memorized > 5%",
    ),
)


def _card(name: str, doc: str, example: str) -> Word:
    return Word(
        name=name,
        category="card",
        doc=doc,
        parameters=(Parameter(name="text", kind=Text()),),
        source="Mitchell et al. 2019 (model cards)",
        example=f'{name} "{example}"',
    )


_FIELDS: tuple[Word, ...] = (
    _card("summary", "What the model makes, in a sentence.", "Small pictures of clothes from ten classes."),
    _card("intended_use", "What it is for.", "Teaching and benchmarks."),
    _card("not_for", "What it must not be used for.", "Product imagery presented as photographs."),
    _card("source", "Where the data came from.", "Fashion-MNIST, Zalando Research."),
    _card("data_licence", "The licence of the data.", "MIT"),
    _card("licence", "The licence of the model.", "Apache-2.0"),
    _card("consent", "Whether the people in the data agreed, and how.", "No people in the data."),
    _card("people", "Whether the data shows or describes people, and whom it leaves out.", "None."),
    _card("limits", "What it does badly, and known biases.", "Rare classes are blurred."),
    _card("contact", "Whom to ask or tell.", "models@example.org"),
    _card("authors", "Who made it.", "The vision course, group 3."),
    _card("citation", "How to cite it.", "Xiao et al. 2017, arXiv:1708.07747"),
)
FIELDS: tuple[str, ...] = tuple(word.name for word in _FIELDS)
"""What a person says of a model, in the order in which a card tells it."""

CARD: tuple[Word, ...] = (
    *_FIELDS,
    Word(
        name="require",
        category="card",
        doc="The fields without which the model is not exported; `gendsl check` warns of one that is missing.",
        parameters=(Parameter(name="fields", kind=Choice(FIELDS), many=True),),
        example="require summary, intended_use, data_licence",
    ),
)

_VALUE = OneOf((Real(), Amount(("steps", "epochs", "minutes")), Toggle(), Text(), FreeName()))

SEARCH: tuple[Word, ...] = (
    Word(
        name="log",
        category="search",
        doc="Any number of a range, drawn evenly on the logarithm.",
        parameters=(Parameter(name="range", kind=RangeOf()),),
        example="log(1e-5..1e-3)",
    ),
    Word(
        name="even",
        category="search",
        doc="Any number of a range, drawn evenly.",
        parameters=(Parameter(name="range", kind=RangeOf()),),
        example="even(0..0.9)",
    ),
    Word(
        name="whole",
        category="search",
        doc="Any whole number of a range, its ends included.",
        parameters=(Parameter(name="range", kind=RangeOf()),),
        example="whole(2..8)",
    ),
)

SWEEP: tuple[Word, ...] = (
    Word(
        name="vary",
        category="sweep",
        doc="The params that a sweep varies: a list of values, a range (evenly), or a range on the logarithm.",
        open=OneOf((WordOf("search"), ListOf(_VALUE), RangeOf())),
        example="vary learning_rate: log(1e-5..1e-3), beta_1: [0, 0.5]",
    ),
    Word(
        name="trials",
        category="sweep",
        doc="How many settings are tried; without it, all combinations of lists, or 20.",
        parameters=(Parameter(name="count", kind=Count(1)),),
        example="trials 20",
    ),
    Word(
        name="seeds",
        category="sweep",
        doc="With how many seeds each setting is run; its score is their mean.",
        parameters=(Parameter(name="count", kind=Count(1)),),
        example="seeds 3",
    ),
    Word(
        name="minimize",
        category="sweep",
        doc="The score that the sweep makes small; of a run its best check counts.",
        parameters=(Parameter(name="score", kind=FreeName()),),
        example="minimize fid",
    ),
    Word(
        name="maximize",
        category="sweep",
        doc="The score that the sweep makes large; of a run its best check counts.",
        parameters=(Parameter(name="score", kind=FreeName()),),
        example="maximize inception_score",
    ),
)

WORDS: tuple[Word, ...] = EXPORTS + CARD + SEARCH + SWEEP
