"""Words for where data comes from, and the tokenizers that read text and music: what stands behind `source`."""

from gendsl.vocabulary.word import (
    Choice,
    Count,
    FreeName,
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
    doc="`folder` makes the class of a picture the name of the folder it lies in.",
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

_RUNNING: tuple[Word, ...] = (
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
        name="images",
        category="source",
        doc="Pictures that match a glob: PNG, JPEG, WebP, GIF (its first frame) or BMP. Fields: `image`, and `label` "
        "with `label: folder`.",
        parameters=(Parameter(name="glob", kind=Path(), doc="`**` matches folders of any depth."), _FOLDER),
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
        "its splits, size and classes are TFDS's. Nothing is downloaded. Fields: `image`, and `label` where it has "
        "one.",
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
        name="text",
        category="source",
        doc="Text files (UTF-8) that match a glob. Fields: `text`, in windows of tokens that lie within one file. They "
        "are split before they are cut: the files, in an order drawn by the seed, are laid end to end and cut at the "
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
)

_DECLARED: tuple[Word, ...] = (
    Word(
        name="csv",
        category="source",
        doc="A table in a text file with a header line. Its block says what the columns are. Fields: `row`.",
        parameters=(
            Parameter(name="file", kind=Path(), doc="The file."),
            Parameter(name="separator", kind=Text(), default=",", positional=False, doc="Between two cells."),
        ),
        example='source csv("data/table.csv") { column age, continuous; column job, categorical }',
        body="column",
        runs=False,
    ),
    Word(
        name="parquet",
        category="source",
        doc="A table in a Parquet file. Its block says what the columns are. Fields: `row`.",
        parameters=(Parameter(name="file", kind=Path(), doc="The file."),),
        example='source parquet("data/table.parquet") { column age, continuous }',
        body="column",
        runs=False,
    ),
    Word(
        name="tfrecord",
        category="source",
        doc="TFRecord files that match a glob, with encoded pictures in `tf.train.Example`s. Fields: `image`, `label`.",
        parameters=(
            Parameter(name="glob", kind=Path(), doc="`**` matches folders of any depth."),
            Parameter(
                name="image", kind=Text(), default="image/encoded", positional=False, doc="The pictures' feature."
            ),
            Parameter(name="label", kind=Text(), default=None, positional=False, doc="The classes' feature."),
        ),
        example='source tfrecord("data/*.tfrecord")',
        runs=False,
    ),
)

_COLUMN = Word(
    name="column",
    category="column",
    doc="What a column of a table is.",
    parameters=(
        Parameter(name="name", kind=OneOf((FreeName(), Text())), doc="As the header line names it."),
        Parameter(
            name="kind",
            kind=Choice(("continuous", "integer", "categorical", "ordinal", "drop")),
            doc="`drop` leaves the column out.",
        ),
        Parameter(
            name="modes", kind=Count(1), default=10, positional=False, doc="Gaussians of a continuous column's mixture."
        ),
    ),
    source="Xu et al. 2019, Modeling Tabular Data using Conditional GAN, section 4.2",
    example="column age, continuous, modes: 10",
    runs=False,
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

WORDS: tuple[Word, ...] = (*_RUNNING, *_DECLARED, _COLUMN, *_TOKENIZERS)
