"""Words of `augment { }`: random transforms of real training data, and within `both { }` of generated data too."""

from gendsl.vocabulary.word import Amount, Choice, Count, Parameter, RangeOf, Real, Word, WordOf

_DIFFAUGMENT = "Zhao et al. 2020, Differentiable Augmentation for Data-Efficient GAN Training"
_ADA = "Karras et al. 2020, Training Generative Adversarial Networks with Limited Data"


def _probability(default: float) -> Parameter:
    return Parameter(
        name="probability", kind=Real(0, 1), default=default, positional=False, doc="The share of examples transformed."
    )


_IMAGES: tuple[Word, ...] = (
    Word(
        name="flip",
        category="augment",
        doc="Mirrors pictures: `horizontal` swaps left and right, `vertical` top and bottom; half of them.",
        parameters=(
            Parameter(name="axis", kind=Choice(("horizontal", "vertical")), default="horizontal", doc="Which way."),
            _probability(0.5),
        ),
        example="flip horizontal",
    ),
    Word(
        name="translate",
        category="augment",
        doc="Shifts pictures by whole pixels, up to a share of their height and width; zeros (mid-grey at range -1..1) "
        "come in.",
        parameters=(
            Parameter(name="share", kind=Real(0, 1), default=0.125, doc="The farthest shift."),
            _probability(1.0),
        ),
        source=_DIFFAUGMENT,
        example="translate 12%",
    ),
    Word(
        name="cutout",
        category="augment",
        doc="Sets a rectangle of so large a share of each side to zero, its centre anywhere in the picture.",
        parameters=(
            Parameter(name="share", kind=Real(0, 1), default=0.5, doc="Of height and width."),
            _probability(1.0),
        ),
        source=_DIFFAUGMENT + "; DeVries & Taylor 2017, Improved Regularization of CNNs with Cutout",
        example="cutout 25%",
    ),
    Word(
        name="rotate",
        category="augment",
        doc="Turns pictures about their middle, by up to so many degrees either way, bilinearly; zeros come in.",
        parameters=(
            Parameter(name="angle", kind=Amount(("degrees",)), doc="The largest turn."),
            _probability(1.0),
        ),
        example="rotate 10 degrees",
    ),
    Word(
        name="scale",
        category="augment",
        doc="Zooms pictures about their middle by a factor from 1 - share to 1 + share, bilinearly; zeros come in.",
        parameters=(
            Parameter(name="share", kind=Real(0, 0.95), default=0.1, doc="The largest change."),
            _probability(1.0),
        ),
        example="scale 10%",
    ),
    Word(
        name="color",
        category="augment",
        doc="Shifts brightness by up to so large a share of half the range, scales saturation by 1 - 2*share to "
        "1 + 2*share and contrast by 1 - share to 1 + share; `color 50%` is DiffAugment's.",
        parameters=(Parameter(name="share", kind=Real(0, 0.5), default=0.2, doc="How much."), _probability(1.0)),
        source=_DIFFAUGMENT,
        example="color 20%",
    ),
    Word(
        name="noise",
        category="augment",
        doc="Adds Gaussian noise to each pixel.",
        parameters=(
            Parameter(name="std", kind=Real(0), default=0.05, doc="Standard deviation, in the field's range."),
            _probability(1.0),
        ),
        example="noise 0.05",
    ),
    Word(
        name="crop",
        category="augment",
        doc="Pads pictures with their mirror image and cuts the old size from anywhere.",
        parameters=(Parameter(name="padding", kind=Count(1), default=4, doc="Pixels on each side."), _probability(1.0)),
        example="crop 4",
    ),
)

_OTHERS: tuple[Word, ...] = (
    Word(
        name="mixup",
        category="augment",
        doc="Mixes each example with another, by a share drawn from Beta(alpha, alpha).",
        parameters=(Parameter(name="alpha", kind=Real(0, above=True), default=0.2, doc="Of the Beta distribution."),),
        source="Zhang et al. 2018, mixup: Beyond Empirical Risk Minimization",
        example="mixup 0.2",
        runs=False,
    ),
    Word(
        name="transpose",
        category="augment",
        doc="Shifts the pitches of music by a whole number of semitones, drawn anew for each example and epoch, before "
        "it is cut into tokens.",
        parameters=(Parameter(name="semitones", kind=RangeOf(), doc="From and to, both included."),),
        example="transpose -5..6",
    ),
    Word(
        name="token_dropout",
        category="augment",
        doc="Replaces tokens that a network is given by random ones of the vocabulary; the tokens that it is to say "
        "stay.",
        parameters=(Parameter(name="share", kind=Real(0, 1), doc="The share of tokens."),),
        source="Xie et al. 2017, Data Noising as Smoothing in Neural Network Language Models, section 3.1",
        example="token_dropout 10%",
    ),
    Word(
        name="both",
        category="augment",
        doc="Differentiable transforms of real and generated pictures alike, wherever a network that returns logits "
        "takes them in `train`: flip, translate, cutout, rotate, scale, color, noise, crop.",
        parameters=(
            Parameter(
                name="control", kind=WordOf("control"), default=None, doc="`ada(…)` adapts how often they are applied."
            ),
        ),
        source=_DIFFAUGMENT,
        example="both { translate 12%; cutout 25% }",
        body="augment",
    ),
    Word(
        name="ada",
        category="control",
        doc="Applies each transform of `both` with a probability that rises while the discriminator overfits.",
        parameters=(
            Parameter(
                name="target",
                kind=Real(0, 1),
                default=0.6,
                positional=False,
                doc="Of the mean sign of the real scores.",
            ),
            Parameter(
                name="speed",
                kind=Count(1),
                default=500_000,
                positional=False,
                doc="Pictures in which the probability can go from 0 to 1.",
            ),
        ),
        source=_ADA,
        example="both ada(target: 0.6) { flip horizontal; translate 12% }",
        runs=False,
    ),
)

WORDS: tuple[Word, ...] = (*_IMAGES, *_OTHERS)

OF_PICTURES = tuple(word.name for word in _IMAGES)
OF_TOKENS = ("transpose", "token_dropout")
