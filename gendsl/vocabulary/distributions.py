"""The distributions: priors of inputs and results of networks.

A prior gives what an input is drawn from; a result says what a network's numbers mean. In an equation a prior is a
standard distribution, `kl(q, normal(16))`, `z ~ uniform(8)`; `noise ~ normal(image)` is shaped as a tensor is.
"""

from gendsl.vocabulary.word import Count, FieldName, OneOf, Parameter, RangeOf, Real, SizeOf, Word

_SIZE = Parameter(name="size", kind=SizeOf(0, one=True), doc="`64`, or a shape such as `8x8x4`")
_OF = Parameter(name="of", kind=OneOf((SizeOf(0, one=True), FieldName())), doc="a field, a number or a shape")
_CLASSES = Parameter(name="classes", kind=Count(), doc="how many classes")

PRIORS: tuple[Word, ...] = (
    Word(
        name="normal",
        category="prior",
        doc="Independent normal numbers of mean 0 and standard deviation 1.",
        parameters=(_SIZE,),
        example="network generator(z: normal(64)) -> image { … }",
    ),
    Word(
        name="truncated_normal",
        category="prior",
        doc="Independent standard normal numbers within -limit..limit: what lies outside is drawn anew. In `sample` "
        "it is the truncation trick, which trades variety for fidelity.",
        parameters=(
            _SIZE,
            Parameter(name="limit", kind=Real(0, above=True), default=2, positional=False, doc="the greatest size"),
        ),
        source="Brock et al. 2019, https://arxiv.org/abs/1809.11096, section 3.1",
        example="sample { z ~ truncated_normal(128, limit: 0.5); image = generator(z) }",
    ),
    Word(
        name="uniform",
        category="prior",
        doc="Independent numbers, all in a range equally likely.",
        parameters=(
            _SIZE,
            Parameter(name="range", kind=RangeOf(), default=(-1, 1), positional=False, doc="low and high"),
        ),
        example="network generator(z: uniform(100)) -> image { … }",
    ),
    Word(
        name="categorical",
        category="prior",
        doc="One whole class, all equally likely; with a `length`, a sequence of them.",
        parameters=(
            _CLASSES,
            Parameter(
                name="length", kind=Count(), default=None, positional=False, doc="how many; one alone, if unsaid"
            ),
        ),
        example="network generator(z: normal(62), code: categorical(10)) -> image { … }",
    ),
)

RESULTS: tuple[Word, ...] = (
    Word(
        name="logits",
        category="result",
        doc="Scores before any sigmoid or softmax.",
        parameters=(_OF,),
        example="network discriminator(x: image) -> logits(1) { … }",
    ),
    Word(
        name="features",
        category="result",
        doc="Numbers without a meaning of their own.",
        parameters=(_OF,),
        example="network encoder(x: image) -> features(128) { … }",
    ),
    Word(
        name="normal",
        category="result",
        doc="A normal distribution with a diagonal covariance: the layers give twice the numbers on the last "
        "axis, the means "
        "first, then the log-variances.",
        parameters=(_OF,),
        source="Kingma & Welling 2013, https://arxiv.org/abs/1312.6114, appendix C.2",
        example="network encoder(x: image) -> normal(16) { … }",
    ),
    Word(
        name="bernoulli",
        category="result",
        doc="Independent yes-or-no numbers: the layers give their logits. Values between 0 and 1 count as "
        "probabilities.",
        parameters=(_OF,),
        source="Kingma & Welling 2013, https://arxiv.org/abs/1312.6114, appendix C.1",
        example="network decoder(z: normal(16)) -> bernoulli(image) { … }",
    ),
    Word(
        name="discretized_logistic",
        category="result",
        doc="Independent numbers on evenly spaced levels, such as pixels: each level has the probability that a "
        "logistic distribution gives to the interval around it, the outermost ones all beyond. The layers give twice "
        "the numbers on the last axis, the locations first, then the log-scales, in the units of the data; log-scales "
        "below -7 (for data in -1..1) count as -7. Values between two levels count as the nearer one.",
        parameters=(
            _OF,
            Parameter(
                name="levels",
                kind=Count(2),
                default=256,
                positional=False,
                doc="how many there are, the ends too",
            ),
            Parameter(
                name="range",
                kind=RangeOf(),
                default=None,
                positional=False,
                doc="the lowest and the highest level; unsaid, the declared range of the field",
            ),
        ),
        source="Kingma et al. 2016, https://arxiv.org/abs/1606.04934; Salimans et al. 2017, "
        "https://arxiv.org/abs/1701.05517, equation 2",
        example="network decoder(z: normal(64)) -> discretized_logistic(image) { … }",
    ),
    Word(
        name="categorical",
        category="result",
        doc="One of some classes: the layers give their logits on the last axis; leading axes carry over.",
        parameters=(_CLASSES,),
        example="network model(tokens: text) -> categorical(text.vocabulary) { … }",
    ),
)

WORDS: tuple[Word, ...] = (*PRIORS, *RESULTS)
