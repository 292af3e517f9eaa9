"""Words of `data { }`: sources, the fields of an example and their transforms, how examples are split and batched."""

from gendsl.vocabulary.sources import LABELS
from gendsl.vocabulary.word import (
    Choice,
    Count,
    FreeName,
    OneOf,
    Parameter,
    RangeOf,
    Real,
    SizeOf,
    Text,
    Toggle,
    Word,
    WordOf,
)

_SOURCE = Word(
    name="source",
    category="data",
    doc="Where the data comes from: one source, or several by name, each of which is a field of that name. Options "
    "that a source takes too may stand behind it: `source images(…), label: folder`.",
    parameters=(
        Parameter(name="source", kind=WordOf("source"), default=None, doc="An only source."),
        LABELS,
        Parameter(
            name="tokenizer",
            kind=WordOf("tokenizer"),
            default=None,
            positional=False,
            doc="How text or music is cut into tokens.",
        ),
        Parameter(
            name="pairs",
            kind=Choice(("name", "order")),
            default=None,
            positional=False,
            doc="Examples of several sources belong together by file name, or in their order; without it they are "
            "drawn independently.",
        ),
    ),
    example='source a: images("data/a/*.png"), b: images("data/b/*.png")',
    body="column",
    open=WordOf("source"),
)

_IMAGE = Word(
    name="image",
    category="data",
    doc="The pictures, as (height, width, channels). Transforms come in this order: channels, resize, crop, range. "
    "With several sources it speaks of each.",
    parameters=(
        Parameter(
            name="size", kind=SizeOf(3), default=None, doc="The size in the files, 28x28x1; checked against the data."
        ),
        Parameter(
            name="resize",
            kind=SizeOf(2, one=True),
            default=None,
            positional=False,
            doc="Height and width to scale to, with antialiasing.",
        ),
        Parameter(
            name="method",
            kind=Choice(("bicubic", "lanczos", "area")),
            default="bicubic",
            positional=False,
            doc="How `resize` weighs the pixels: by a cubic, by Lanczos's kernel of three lobes (sharper), or by the "
            "area that a new pixel covers (softer).",
        ),
        Parameter(
            name="fit",
            kind=Choice(("cover", "stretch", "pad")),
            default="cover",
            positional=False,
            doc="What `resize` does with another shape of picture: cut its middle, distort it, or pad it with the "
            "background.",
        ),
        Parameter(
            name="crop",
            kind=OneOf((WordOf("crop"), SizeOf(2, one=True))),
            default=None,
            positional=False,
            doc="A size cut from the middle, or `random(64x64)`: from anywhere, anew each epoch (from the middle "
            "outside training).",
        ),
        Parameter(
            name="channels",
            kind=Count(1, 4),
            default=None,
            positional=False,
            doc="1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha; the first picture's if unsaid.",
        ),
        Parameter(
            name="background",
            kind=OneOf((Choice(("white", "black", "grey")), Text())),
            default="black",
            positional=False,
            doc='What shows through transparent pixels where alpha is dropped: a name or "#rrggbb".',
        ),
        Parameter(
            name="range",
            kind=RangeOf(),
            default=(0, 1),
            positional=False,
            doc="What black and white become. Unsaid, 0..1; -1..1 goes with `tanh`.",
        ),
    ),
    example="image resize: 32x32, channels: 3, range: -1..1",
)

_FIELDS: tuple[Word, ...] = (
    Word(
        name="label",
        category="data",
        doc="The classes, as whole numbers from 0.",
        parameters=(
            Parameter(
                name="classes", kind=Count(1), default=None, doc="How many; checked against the data where known."
            ),
        ),
        example="label 10",
    ),
    Word(
        name="text",
        category="data",
        doc="The tokens of text or music, as whole numbers.",
        parameters=(Parameter(name="vocabulary", kind=Count(2), default=None, doc="How many different tokens."),),
        example="text 256",
    ),
    Word(
        name="row",
        category="data",
        doc="The rows of a table, encoded as numbers.",
        parameters=(
            Parameter(
                name="width",
                kind=Count(1),
                default=None,
                doc="Numbers a row, after encoding; checked against the data where known.",
            ),
        ),
        example="row 64",
    ),
    Word(
        name="point",
        category="data",
        doc="Points, as vectors.",
        parameters=(
            Parameter(name="size", kind=Count(1), default=None, doc="Coordinates; checked against the source."),
            Parameter(
                name="scale", kind=Real(0, above=True), default=1.0, positional=False, doc="Factor of all coordinates."
            ),
        ),
        example="point 2",
    ),
    Word(
        name="condition",
        category="data",
        doc="Columns that a table's generator is conditioned on: a one-hot of a category, in its column's part of as "
        "many numbers as these have categories. In training each place of a batch draws a column, a category of it by "
        "its log-frequency, and a row that has it; elsewhere the frequencies are the true ones.",
        parameters=(
            Parameter(
                name="columns", kind=OneOf((FreeName(), Text())), many=True, doc="Categorical columns of the table."
            ),
        ),
        source="Xu et al. 2019, Modeling Tabular Data using Conditional GAN, section 4.3",
        example="condition job, city",
    ),
)

_BATCHING: tuple[Word, ...] = (
    Word(
        name="curate",
        category="data",
        doc="What is left out of the data, before it is split; `drop leaks` after that. Statements apply one after the "
        "other.",
        example="curate { drop corrupt; drop duplicates }",
        body="curate",
    ),
    Word(
        name="split",
        category="data",
        doc="Shares of the examples, drawn by chance, the same for every `seed`. Of a source with splits of its own, "
        "`train` is divided, and its `test` kept unless the shares name a `test`.",
        example="split train: 90%, test: 10%",
        open=Real(0, 1, above=True),
    ),
    Word(
        name="batch",
        category="data",
        doc="Examples in a batch, over all replicas.",
        parameters=(Parameter(name="size", kind=Count(1), doc="How many."),),
        example="batch 64",
    ),
    Word(
        name="shuffle",
        category="data",
        doc="Whether each epoch has an order of its own, a permutation drawn by the seed and the epoch. On if unsaid.",
        parameters=(Parameter(name="on", kind=Toggle(), default=True, doc="`off` keeps the order of the files."),),
        example="shuffle off",
    ),
    Word(
        name="cache",
        category="data",
        doc="Where decoded pictures lie while a run lasts. `cache`: in memory, or it is an error. `cache off`: in a "
        "scratch file (in TMPDIR, or /var/tmp) from which each step reads its batch. Unsaid: in memory if they take a "
        "quarter of it at most, else in a scratch file. The run says which; its numbers are the same to the bit. "
        "`digits`, `idx` and `npz` always lie in memory.",
        parameters=(Parameter(name="on", kind=Toggle(), default=True, doc="`off` spares the memory."),),
        example="cache off",
    ),
    Word(
        name="window",
        category="data",
        doc="How many tokens an example of text or music has. The token behind it is there too, so a model of the "
        "next token has a target for each; what is left at the end of a file is not used.",
        parameters=(
            Parameter(name="length", kind=Count(2), doc="Tokens."),
            Parameter(
                name="stride",
                kind=Count(1),
                default=None,
                positional=False,
                doc="Tokens from one window's start to the next; the length if unsaid.",
            ),
        ),
        example="window 64",
    ),
)

_CROPS: tuple[Word, ...] = (
    Word(
        name="random",
        category="crop",
        doc="A crop from anywhere, drawn anew for each example and epoch; from the middle outside training.",
        parameters=(Parameter(name="size", kind=SizeOf(2, one=True), doc="Height and width."),),
        example="crop: random(64x64)",
    ),
    Word(
        name="center",
        category="crop",
        doc="A crop from the middle.",
        parameters=(Parameter(name="size", kind=SizeOf(2, one=True), doc="Height and width."),),
        example="crop: center(64x64)",
    ),
)

WORDS: tuple[Word, ...] = (_SOURCE, _IMAGE, *_FIELDS, *_BATCHING, *_CROPS)
