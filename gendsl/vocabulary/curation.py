"""Words of `curate { }`: what is left out of the data, and what is balanced, before it is split."""

from gendsl.vocabulary.word import Choice, Count, FreeName, OneOf, Parameter, Path, RangeOf, Real, SizeOf, Text, Word

WORDS: tuple[Word, ...] = (
    Word(
        name="drop",
        category="curate",
        doc="Leaves examples out, and deletes nothing: the run's data.json counts them by reason, its dropped.csv "
        "lists each, and what a duplicate repeats. Files that do not decode are always left out; `smaller`, `larger` "
        "and `aspect` speak of picture files as they are before `resize`, the other rules of pictures as `image` makes "
        "them. `leaks` are examples outside training that stand in training too: copies to the bit, or pictures whose "
        "thumbnails of 8x9 pixels differ by a root mean square of at most 1% of the range. They are always reported; "
        "dropped are the copies outside training, so that the model stays the one that others train on this data.",
        parameters=(
            Parameter(
                name="what",
                kind=Choice(("corrupt", "duplicates", "blank", "leaks", "unlabeled")),
                many=True,
                default=(),
                doc="`corrupt` files do not decode; `duplicates` repeat one before; `blank` pictures have one colour; "
                "`leaks` stand in `train` and in another split, and stay in `train`; `unlabeled` files have no class "
                "in the file of labels.",
            ),
            Parameter(
                name="within",
                kind=Count(0, 64),
                default=0,
                positional=False,
                doc="Bits by which the 64-bit difference hashes of duplicates may differ; 0: the same pixels.",
            ),
            Parameter(
                name="contrast",
                kind=Real(0, 1),
                default=0,
                positional=False,
                doc="Pictures are blank up to this root-mean-square contrast, the standard deviation of a channel as a "
                "share of the range; 0: one colour.",
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
                doc="Examples that a CSV list names: one a line, or in a column `example` or `file`, "
                "as in the dropped.csv of a run. Files have their paths, others a number from 0: `17`, `train/17`.",
            ),
        ),
        source="Krawetz 2013, Kind of Like That (difference hashes); Peli 1990, Contrast in Complex Images; Barz & "
        "Denzler 2020, Do We Train on Test Data? (leaks)",
        example="drop duplicates, within: 4",
    ),
    Word(
        name="balance",
        category="curate",
        doc="Leaves out training examples of large classes, by chance, until all are as small as the smallest.",
        parameters=(Parameter(name="field", kind=Choice(("label",)), default="label", doc="What is balanced."),),
        example="balance label",
    ),
    Word(
        name="limit",
        category="curate",
        doc="Keeps so many training examples, drawn by chance, the same for every `seed`.",
        parameters=(Parameter(name="examples", kind=Count(1), doc="How many."),),
        example="limit 10_000",
    ),
)
