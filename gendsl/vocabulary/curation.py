"""Words of `curate { }`: what is left out of the data, and what is balanced, before it is split."""

from gendsl.vocabulary.word import Choice, Count, FreeName, OneOf, Parameter, Path, RangeOf, SizeOf, Text, Word

WORDS: tuple[Word, ...] = (
    Word(
        name="drop",
        category="curate",
        doc="Leaves examples out; each rule counts what it dropped, and the run's data.json tells. Files that do not "
        "decode are always left out; `smaller`, `larger` and `aspect` speak of picture files as they are before "
        "`resize`, the other rules of pictures as `image` makes them.",
        parameters=(
            Parameter(
                name="what",
                kind=Choice(("corrupt", "duplicates", "blank", "unlabeled")),
                many=True,
                default=(),
                doc="`corrupt` files do not decode; `duplicates` look like one before; `blank` ones have one colour; "
                "`unlabeled` files have no class in the file of labels.",
            ),
            Parameter(
                name="within",
                kind=Count(0, 64),
                default=0,
                positional=False,
                doc="Bits by which the 64-bit difference hashes of duplicates may differ; 0: the same pixels.",
            ),
            Parameter(
                name="smaller",
                kind=SizeOf(2, one=True),
                default=None,
                positional=False,
                doc="Pictures lower or narrower than this.",
            ),
            Parameter(
                name="larger",
                kind=SizeOf(2, one=True),
                default=None,
                positional=False,
                doc="Pictures higher or wider than this.",
            ),
            Parameter(
                name="aspect",
                kind=RangeOf(),
                default=None,
                positional=False,
                doc="Pictures whose width / height lies outside this range.",
            ),
            Parameter(
                name="label",
                kind=OneOf((FreeName(), Text(), Count(0))),
                default=None,
                positional=False,
                doc="Examples of this class, by name or number.",
            ),
            Parameter(
                name="listed",
                kind=Path(),
                default=None,
                positional=False,
                doc="Files named in a text file, one a line, relative to the spec.",
            ),
        ),
        example="drop duplicates, within: 4",
    ),
    Word(
        name="balance",
        category="curate",
        doc="Leaves out training examples of large classes, drawn by the seed, until all are as small as the smallest.",
        parameters=(Parameter(name="field", kind=Choice(("label",)), default="label", doc="What is balanced."),),
        example="balance label",
    ),
    Word(
        name="limit",
        category="curate",
        doc="Keeps so many training examples, drawn by the seed.",
        parameters=(Parameter(name="examples", kind=Count(1), doc="How many."),),
        example="limit 10_000",
    ),
)
