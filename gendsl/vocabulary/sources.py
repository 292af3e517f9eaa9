"""Words for where data comes from, and the tokenizers that read text and music: what stands behind `source`."""

from gendsl.vocabulary.word import (
    Choice,
    Count,
    FreeName,
    ListOf,
    OneOf,
    Parameter,
    Path,
    Real,
    SizeOf,
    Text,
    Toggle,
    Word,
    WordOf,
)

_FOLDER = Parameter(
    name="label",
    kind=Choice(("folder",)),
    default=None,
    positional=False,
    doc="`folder` makes the class of a sound the name of the folder it lies in.",
)
LABELS = Parameter(
    name="label",
    kind=OneOf((Choice(("folder",)), WordOf("labels"))),
    default=None,
    positional=False,
    doc='`folder` makes the class of a picture the name of the folder it lies in; `csv("labels.csv")` and `json(…)` '
    "read the classes from a file.",
)
_TOKENIZER = Parameter(
    name="tokenizer", kind=WordOf("tokenizer"), default=None, positional=False, doc="How it is cut into tokens."
)
_IMAGE_KEY = Parameter(
    name="image", kind=Text(), default=None, positional=False, doc="The array with the pictures; found by its shape."
)
_LABEL_KEY = Parameter(
    name="label", kind=Text(), default=None, positional=False, doc="The array with the classes; found by its name."
)

_SOURCES: tuple[Word, ...] = (
    Word(
        name="digits",
        category="source",
        doc="The 1797 handwritten digits, 8x8x1 in ten classes, that ship with scikit-learn. Fields: `image`, `label`.",
        source="UCI Machine Learning Repository, Optical Recognition of Handwritten Digits",
        example="source digits()",
    ),
    Word(
        name="idx",
        category="source",
        doc="A folder with the four files of the MNIST family, plain or gzipped (`train-images-idx3-ubyte.gz`, "
        "`t10k-labels-idx1-ubyte`…); it brings its own `train` and `test`. Fields: `image`, `label`.",
        parameters=(Parameter(name="folder", kind=Path(), doc="The folder that holds the files."),),
        source="LeCun, Cortes & Burges, The MNIST database: the IDX file format",
        example='source idx("data/fashion-mnist")',
    ),
    Word(
        name="npz",
        category="source",
        doc="A NumPy archive with pictures as one array (examples, height, width[, channels]) of bytes, or of numbers "
        "in 0..1, and classes as another; arrays named `x_train`, `x_test`… bring their own splits. Fields: `image`, "
        "`label`.",
        parameters=(Parameter(name="file", kind=Path(), doc="The `.npz` file."), _IMAGE_KEY, _LABEL_KEY),
        example='source npz("data/shapes.npz")',
    ),
    Word(
        name="npy",
        category="source",
        doc="A NumPy array of pictures (examples, height, width[, channels]), bytes, or numbers in 0..1, and one of "
        "classes beside it. Fields: `image`, and `label` with `label:`.",
        parameters=(
            Parameter(name="file", kind=Path(), doc="The `.npy` file of the pictures."),
            Parameter(name="label", kind=Path(), default=None, positional=False, doc="The `.npy` file of the classes."),
        ),
        example='source npy("data/faces.npy", label: "data/kinds.npy")',
    ),
    Word(
        name="images",
        category="source",
        doc="Pictures that match a glob: PNG, JPEG, WebP, GIF (its first frame) or BMP, turned as their EXIF says. "
        "Fields: `image`, and `label` with `label:`.",
        parameters=(Parameter(name="glob", kind=Path(), doc="`**` matches folders of any depth."), LABELS),
        example='source images("data/emoji/**/*.png"), label: folder',
    ),
    Word(
        name="gaussians",
        category="source",
        doc="Points of the plane from a mixture of equal Gaussians, on a grid around the origin or on a ring; "
        "unlimited. Fields: `point`.",
        parameters=(
            Parameter(name="grid", kind=SizeOf(2), default=None, positional=False, doc="Modes across and down."),
            Parameter(name="ring", kind=Count(1), default=None, positional=False, doc="Modes on a ring."),
            Parameter(
                name="spacing", kind=Real(0, above=True), default=2.0, positional=False, doc="Between grid modes."
            ),
            Parameter(name="radius", kind=Real(0, above=True), default=2.0, positional=False, doc="Of the ring."),
            Parameter(name="std", kind=Real(0), default=0.05, positional=False, doc="Standard deviation of a mode."),
        ),
        source="Srivastava et al. 2017, VEEGAN, section 4.1; Lin et al. 2018, PacGAN, section 4.1",
        example="source gaussians(grid: 5x5, spacing: 2, std: 0.05)",
    ),
    Word(
        name="ring",
        category="source",
        doc="Points of the plane from equal Gaussians evenly on a circle; unlimited. Fields: `point`.",
        parameters=(
            Parameter(name="modes", kind=Count(1), default=8, doc="How many."),
            Parameter(name="radius", kind=Real(0, above=True), default=2.0, positional=False, doc="Of the circle."),
            Parameter(name="std", kind=Real(0), default=0.02, positional=False, doc="Standard deviation of a mode."),
        ),
        source="Metz et al. 2017, Unrolled Generative Adversarial Networks, section 3.1",
        example="source ring(8, radius: 2, std: 0.02)",
    ),
    Word(
        name="swiss_roll",
        category="source",
        doc="Points on a spiral t(cos t, sin t) / 7.5, 3π/2 <= t <= 9π/2, with Gaussian noise; unlimited. Fields: "
        "`point`.",
        parameters=(
            Parameter(name="noise", kind=Real(0), default=0.05, positional=False, doc="Its standard deviation."),
        ),
        source="Marsland 2009, Machine Learning: An Algorithmic Perspective, chapter 10 (as scikit-learn draws it)",
        example="source swiss_roll(noise: 0.05)",
    ),
    Word(
        name="tfds",
        category="source",
        doc="A data set of TensorFlow Datasets that is prepared on disk (in TFDS_DATA_DIR, or ~/tensorflow_datasets); "
        "its splits, size and classes are TFDS's. It is downloaded by `gendsl run --download` only. Fields: `image`, "
        "and `label` where it has one.",
        parameters=(
            Parameter(
                name="name", kind=Text(), doc="As TFDS names it: `cifar10`, `imagenet_resized/64x64`, `mnist:3.0.1`."
            ),
            _IMAGE_KEY,
            _LABEL_KEY,
        ),
        source="https://www.tensorflow.org/datasets/catalog/overview",
        example='source tfds("cifar10")',
    ),
    Word(
        name="tfrecord",
        category="source",
        doc="TFRecord files that match a glob, plain or gzipped, with encoded pictures in `tf.train.Example`s. Fields: "
        "`image`, and `label` with `label:`.",
        parameters=(
            Parameter(name="glob", kind=Path(), doc="`**` matches folders of any depth."),
            Parameter(
                name="image", kind=Text(), default="image/encoded", positional=False, doc="The pictures' feature."
            ),
            Parameter(
                name="label",
                kind=Text(),
                default=None,
                positional=False,
                doc="The classes' feature: whole numbers from 0, or texts.",
            ),
        ),
        example='source tfrecord("data/*.tfrecord", label: "image/class/label")',
    ),
    Word(
        name="text",
        category="source",
        doc="Text files (UTF-8) that match a glob. Fields: `text`, in windows of tokens that lie within one file. They "
        "are split before they are cut: the files, in an order of chance, are laid end to end and cut at the "
        "shares of their bytes, so one file gives a span to each split. A file that is not UTF-8 is refused, or left "
        "out with `curate { drop corrupt }`.",
        parameters=(Parameter(name="glob", kind=Path(), doc="`**` matches folders of any depth."), _TOKENIZER),
        example='source text("corpus/*.txt"), tokenizer: bytes()',
    ),
    Word(
        name="midi",
        category="source",
        doc="MIDI files that match a glob, all instruments of a file in one sequence. Fields: `text`, in windows of "
        "tokens that lie within one file; whole files are split. Files without notes, or that are no MIDI, are left "
        "out and counted.",
        parameters=(Parameter(name="glob", kind=Path(), doc="`**` matches folders of any depth."), _TOKENIZER),
        example='source midi("chorales/*.mid"), tokenizer: remi(vocabulary: 512)',
    ),
    Word(
        name="audio",
        category="source",
        doc="Sound files (WAV) that match a glob, mixed to one channel and resampled, cut into pieces of so many "
        "seconds one behind the other; a last piece of at least half the length is filled up with silence. Whole files "
        "are split. Fields: `row`, of samples in -1..1, or with `mel` `image`: a log-mel spectrogram; and `label` with "
        "`label: folder`.",
        parameters=(
            Parameter(name="glob", kind=Path(), doc="`**` matches folders of any depth."),
            Parameter(name="rate", kind=Count(1), default=16_000, positional=False, doc="Samples a second."),
            Parameter(
                name="seconds", kind=Real(0, above=True), default=1.0, positional=False, doc="Length of an example."
            ),
            Parameter(
                name="mel",
                kind=Count(1),
                default=None,
                positional=False,
                doc="Bands of a log-mel spectrogram, which is a picture (bands, frames, 1), the lowest band first: 64 "
                "ms windows, 16 ms apart; -80 dB of a full-scale sine is black, 0 dB white.",
            ),
            _FOLDER,
        ),
        source="the mel scale: O'Shaughnessy 1987, Speech Communication, as HTK has it",
        example='source audio("data/drums/*.wav", rate: 16_000, seconds: 1)',
    ),
    Word(
        name="csv",
        category="source",
        doc="A table in a UTF-8 text file with a header line. Its block says what the columns are; those it leaves out "
        "are inferred from the first MiB of the file, and the plan says what they were found to be. Fields: `row`.",
        parameters=(
            Parameter(name="file", kind=Path(), doc="The file."),
            Parameter(name="separator", kind=Text(), default=",", positional=False, doc="Between two cells."),
        ),
        example='source csv("data/table.csv") { column age, continuous; column job, categorical }',
        body="column",
    ),
    Word(
        name="parquet",
        category="source",
        doc="A table in a Parquet file, read by pyarrow (`pip install gendsl[parquet]`) when it is loaded. Its block "
        "says what the columns are; where it leaves some out, or categories open, say the width too: `row 64`. "
        "Fields: `row`.",
        parameters=(Parameter(name="file", kind=Path(), doc="The file."),),
        example='source parquet("data/table.parquet") { column age, continuous }',
        body="column",
    ),
)

_COLUMN = Word(
    name="column",
    category="column",
    doc="What a column of a table is, and how it is encoded: `continuous`, `integer` and `datetime` ones as numbers; "
    "a `categorical` one is a one-hot; an `ordinal` one is the place in its order, evenly in -1..1. A missing cell (an "
    "empty one; NA, NaN, null and the like among numbers and times) is one more of the one-hot, else an indicator of "
    "its own. Samples come back as they are written in the file: columns, order, decimals, formats, categories.",
    parameters=(
        Parameter(name="name", kind=OneOf((FreeName(), Text())), doc="As the header line names it."),
        Parameter(
            name="kind",
            kind=Choice(("continuous", "integer", "categorical", "ordinal", "datetime", "drop")),
            doc="`drop` leaves the column out.",
        ),
        Parameter(
            name="encoding",
            kind=Choice(("mixture", "quantile", "log", "standard", "minmax")),
            default=None,
            positional=False,
            doc="Of numbers, fitted to the training rows. `mixture`, if unsaid: a Gaussian of a mixture, one-hot, and "
            "the place in it, (x - mean) / (4 std); `quantile`: uniform in -1..1; `log`: of 1 + x - the least x, to "
            "-1..1; `standard`: mean 0, variance 1; `minmax`: to -1..1.",
        ),
        Parameter(name="modes", kind=Count(1), default=10, positional=False, doc="Gaussians of a mixture."),
        Parameter(
            name="categories",
            kind=OneOf((Count(1), ListOf(OneOf((FreeName(), Text(), Real()))))),
            default=None,
            positional=False,
            doc="Their names in order, or how many there are at most; those of the file, as they come, if unsaid.",
        ),
        Parameter(
            name="buckets",
            kind=Count(2),
            default=None,
            positional=False,
            doc="Of very many categories: how many places they take. The most frequent of the training rows have one "
            "each, all others share the last, and come back as often as the training rows have them.",
        ),
        Parameter(
            name="missing",
            kind=Toggle(),
            default=None,
            positional=False,
            doc="Whether cells may be missing; found in the data if unsaid.",
        ),
        Parameter(
            name="format",
            kind=Text(),
            default=None,
            positional=False,
            doc='How times are written, as `strptime` says it, "%d.%m.%Y"; found in the data if unsaid.',
        ),
    ),
    source="Xu et al. 2019, Modeling Tabular Data using Conditional GAN, section 4.2",
    example="column age, continuous, modes: 10",
)

_VOCABULARY = Parameter(name="vocabulary", kind=Count(2), positional=False, doc="How many different tokens.")

_TOKENIZERS: tuple[Word, ...] = (
    Word(
        name="bytes",
        category="tokenizer",
        doc="Each byte of the text is a token, 256 in all; that of `text` if unsaid.",
        example="tokenizer: bytes()",
    ),
    Word(
        name="characters",
        category="tokenizer",
        doc="Each character of the training text is a token; token 0 stands for any other, and how often it does is "
        "counted in data.json. Of text beyond 16 MiB, `text 97` in `data` says how many there are.",
        parameters=(Parameter(name="lowercase", kind=Toggle(), default=False, positional=False, doc="Fold the case."),),
        example="tokenizer: characters()",
    ),
    Word(
        name="bpe",
        category="tokenizer",
        doc="Byte-pair encoding, learned from the training text: pieces of GPT-2's pattern, merged from their bytes, "
        "so that every text comes back as it was. Needs `gendsl[text]`.",
        parameters=(
            Parameter(name="vocabulary", kind=Count(256), doc="How many different tokens, 256 bytes included."),
        ),
        source="Sennrich et al. 2016, Neural Machine Translation of Rare Words with Subword Units",
        example="tokenizer: bpe(8_000)",
    ),
    Word(
        name="sentencepiece",
        category="tokenizer",
        doc="A unigram model, learned from the training text, or read from a file. What no piece covers is spelled in "
        "bytes. Needs `gendsl[text]`.",
        parameters=(
            Parameter(name="vocabulary", kind=Count(2), default=8_000, doc="How many different tokens."),
            Parameter(
                name="file",
                kind=Path(),
                default=None,
                positional=False,
                doc="A trained `.model`, whose tokens are those there are.",
            ),
        ),
        source="Kudo & Richardson 2018, SentencePiece",
        example="tokenizer: sentencepiece(8_000)",
    ),
    Word(
        name="remi",
        category="tokenizer",
        doc="Bars, positions, instruments, pitches, velocities and durations of music as tokens, merged by byte-pair "
        "encoding that is learned from the training files. Needs `gendsl[music]`.",
        parameters=(_VOCABULARY,),
        source="Huang & Yang 2020, Pop Music Transformer; Fradet et al. 2023, Byte Pair Encoding for Symbolic Music",
        example="tokenizer: remi(vocabulary: 512)",
    ),
)

_NAMED = (
    Parameter(
        name="path",
        kind=Path(),
        doc="The file. A picture is known by its path, by the end of it (`cat/0.png`, `0.png`), or by that without "
        "`.png`.",
    ),
    Parameter(
        name="file",
        kind=OneOf((FreeName(), Text())),
        default=None,
        positional=False,
        doc="The column, or key, that names the picture.",
    ),
    Parameter(
        name="class", kind=OneOf((FreeName(), Text())), default=None, positional=False, doc="The one that is its class."
    ),
)

_LABELS: tuple[Word, ...] = (
    Word(
        name="csv",
        category="labels",
        doc="Classes from a table with a header line; the first column names the pictures and the second is their "
        "class, if unsaid.",
        parameters=(
            *_NAMED,
            Parameter(name="separator", kind=Text(), default=",", positional=False, doc="Between two cells."),
        ),
        example='label: csv("data/labels.csv", file: name, class: kind)',
    ),
    Word(
        name="json",
        category="labels",
        doc="Classes from a list of objects, whose keys are named by `file:` and `class:`, or from one object of files "
        "and their classes.",
        parameters=_NAMED,
        example='label: json("data/emoji.json", file: image, class: category)',
    ),
)

WORDS: tuple[Word, ...] = (*_SOURCES, _COLUMN, *_TOKENIZERS, *_LABELS)
