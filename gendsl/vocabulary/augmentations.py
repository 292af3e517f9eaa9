"""Words of `augment { }`: random transforms of real training data, and within `both { }` of generated data too.

`BGC` is the pipeline of ADA in the language, which `both ada()` without transforms of its own stands for.
"""

from gendsl.vocabulary.word import Amount, Choice, Count, Parameter, RangeOf, Real, Word, WordOf

_DIFFAUGMENT = "Zhao et al. 2020, Differentiable Augmentation for Data-Efficient GAN Training"
_ADA = "Karras et al. 2020, Training Generative Adversarial Networks with Limited Data"


def _probability(default: float) -> Parameter:
    return Parameter(
        name="probability", kind=Real(0, 1), default=default, positional=False, doc="The share of examples transformed."
    )


def _deviation(default: float, doc: str) -> Parameter:
    return Parameter(name="std", kind=Real(0), default=default, doc=doc)


_MODE = Parameter(
    name="mode",
    kind=Choice(("constant", "reflect")),
    default="constant",
    positional=False,
    doc="What comes in from outside: `constant` is zeros, mid-grey at range -1..1; `reflect` is the mirror image.",
)

_PLACES: tuple[Word, ...] = (
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
        doc="Shifts pictures by whole pixels, up to a share of their height and width.",
        parameters=(
            Parameter(name="share", kind=Real(0, 1), default=0.125, doc="The farthest shift."),
            _MODE,
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
        name="crop",
        category="augment",
        doc="Pads pictures with their mirror image and cuts the old size from anywhere.",
        parameters=(Parameter(name="padding", kind=Count(1), default=4, doc="Pixels on each side."), _probability(1.0)),
        example="crop 4",
    ),
    Word(
        name="rotate",
        category="augment",
        doc="Turns pictures about their middle, by up to so many degrees either way, bilinearly.",
        parameters=(
            Parameter(name="angle", kind=Amount(("degrees",)), doc="The largest turn."),
            _MODE,
            _probability(1.0),
        ),
        example="rotate 10 degrees",
    ),
    Word(
        name="rotate90",
        category="augment",
        doc="Turns pictures about their middle by 0, 90, 180 or 270 degrees, each as likely; exact where height and "
        "width are equal.",
        parameters=(_MODE, _probability(1.0)),
        source=_ADA,
        example="rotate90",
    ),
    Word(
        name="scale",
        category="augment",
        doc="Zooms pictures about their middle by a factor from 1 - share to 1 + share, bilinearly.",
        parameters=(
            Parameter(name="share", kind=Real(0, 0.95), default=0.1, doc="The largest change."),
            _MODE,
            _probability(1.0),
        ),
        example="scale 10%",
    ),
    Word(
        name="zoom",
        category="augment",
        doc="Zooms pictures about their middle by 2 to the power of a normal number, bilinearly.",
        parameters=(_deviation(0.2, "Standard deviation of the exponent."), _MODE, _probability(1.0)),
        source=_ADA + ", isotropic scaling",
        example="zoom 0.2",
    ),
    Word(
        name="stretch",
        category="augment",
        doc="Multiplies the width by 2 to the power of a normal number, and divides the height by it, bilinearly.",
        parameters=(_deviation(0.2, "Standard deviation of the exponent."), _MODE, _probability(1.0)),
        source=_ADA + ", anisotropic scaling",
        example="stretch 0.2",
    ),
    Word(
        name="shift",
        category="augment",
        doc="Shifts pictures by a normal number for each axis, bilinearly: `translate` without rounding to pixels.",
        parameters=(
            _deviation(0.125, "Standard deviation, as a share of height and width."),
            _MODE,
            _probability(1.0),
        ),
        source=_ADA + ", fractional translation",
        example="shift 12%",
    ),
)

_COLORS: tuple[Word, ...] = (
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
        name="brightness",
        category="augment",
        doc="Adds one normal number to all channels of a picture.",
        parameters=(_deviation(0.2, "Standard deviation, in halves of the field's range."), _probability(1.0)),
        source=_ADA,
        example="brightness 0.2",
    ),
    Word(
        name="contrast",
        category="augment",
        doc="Multiplies the distance from mid-grey by 2 to the power of a normal number.",
        parameters=(_deviation(0.5, "Standard deviation of the exponent."), _probability(1.0)),
        source=_ADA,
        example="contrast 0.5",
    ),
    Word(
        name="luma_flip",
        category="augment",
        doc="Makes light dark and dark light, with the same hue and saturation; half of the pictures.",
        parameters=(_probability(0.5),),
        source=_ADA,
        example="luma_flip",
    ),
    Word(
        name="hue",
        category="augment",
        doc="Turns the hues of pictures by up to so many degrees either way; grey ones stay.",
        parameters=(
            Parameter(name="angle", kind=Amount(("degrees",)), doc="The largest turn; 180 degrees are all hues."),
            _probability(1.0),
        ),
        source=_ADA,
        example="hue 180 degrees",
    ),
    Word(
        name="saturation",
        category="augment",
        doc="Multiplies the distance from grey by 2 to the power of a normal number; grey pictures stay.",
        parameters=(_deviation(1.0, "Standard deviation of the exponent."), _probability(1.0)),
        source=_ADA,
        example="saturation 1",
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
)

_PICTURES = (*_PLACES, *_COLORS)
DIFFERENTIABLE = frozenset(word.name for word in _PICTURES)  # what `both` can do
OF_PICTURES = DIFFERENTIABLE | {"mixup"}

# Karras et al. 2020, appendix B, with one difference: each of the two turns is done with the probability p / 2, where
# there it is 1 - sqrt(1 - p), so that either is done with p.
BGC = (
    "flip horizontal; translate 12.5%, mode: reflect; rotate90 mode: reflect; zoom 0.2, mode: reflect; "
    "rotate 180 degrees, mode: reflect, probability: 50%; stretch 0.2, mode: reflect; "
    "rotate 180 degrees, mode: reflect, probability: 50%; shift 12.5%, mode: reflect; "
    "brightness 0.2; contrast 0.5; luma_flip; hue 180 degrees; saturation 1"
)

_OTHERS: tuple[Word, ...] = (
    Word(
        name="mixup",
        category="augment",
        doc="Mixes each picture with that of another training example, by a share drawn from Beta(alpha, alpha). The "
        "statements before it transform the two each by its own draw, those behind it their mixture. Nothing mixes "
        "labels: a spec whose training reads a `label` cannot use it.",
        parameters=(Parameter(name="alpha", kind=Real(0, above=True), default=0.2, doc="Of the Beta distribution."),),
        source="Zhang et al. 2018, mixup: Beyond Empirical Risk Minimization",
        example="mixup 0.2",
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
        "takes them in `train`, each freshly drawn a call: " + ", ".join(word.name for word in _PICTURES) + ".",
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
        doc="Multiplies the probability of each transform of `both` by p, drawn for each picture and transform by "
        "itself. p begins at 0, rises while the discriminator overfits and falls while it does not, always within "
        "0..1. The sign of overfitting is r_t, the mean sign of the scores that a network gives to real pictures in "
        "the updates that train it: after every 4 batches p rises by pictures / speed if r_t lies above the target, "
        "and falls by as much if below. So scores have to be logits about 0: hinge and nonsaturating losses have "
        "such, Wasserstein and least squares do not. Logged as `ada/p` and `ada/r_t`, means over the steps since the "
        f"last log. `both ada()` without a block stands for the paper's bgc pipeline, `{BGC}`.",
        parameters=(
            Parameter(
                name="target",
                kind=Real(0, 1),
                default=0.6,
                positional=False,
                doc="Of r_t.",
            ),
            Parameter(
                name="speed",
                kind=Count(1),
                default=500_000,
                positional=False,
                doc="Real pictures in which p can go from 0 to 1.",
            ),
        ),
        source=_ADA + ", section 3 and appendices B and D",
        example="both ada(target: 0.6) { flip horizontal; translate 12% }",
    ),
)

WORDS: tuple[Word, ...] = (*_PICTURES, *_OTHERS)

OF_TOKENS = {"transpose": "music", "token_dropout": "text"}  # and what has such tokens
