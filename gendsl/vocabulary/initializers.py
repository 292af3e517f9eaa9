"""The words after `init:`, each with the Keras initializer that it becomes."""

from gendsl.vocabulary.word import Choice, InitializerWord, Parameter, Real, Word

_GLOROT = "Glorot and Bengio 2010"
_HE = "He et al. 2015"
_LECUN = "LeCun et al. 1998"


def _plain(name: str, keras: str, doc: str, source: str) -> InitializerWord:
    return InitializerWord(
        name=name,
        category="initializer",
        doc=doc,
        source=source,
        example=f"conv 64, init: {name}",
        keras=f"keras.initializers:{keras}",
        renames={},
    )


def _normal(name: str, keras: str, doc: str, source: str) -> InitializerWord:
    return InitializerWord(
        name=name,
        category="initializer",
        doc=doc,
        source=source,
        parameters=(
            Parameter(name="mean", kind=Real(), default=0.0, doc="mean"),
            Parameter(name="std", kind=Real(minimum=0, above=True), default=0.02, doc="standard deviation"),
        ),
        example=f"conv 64, init: {name}(0, 0.02)",
        keras=f"keras.initializers:{keras}",
        renames={"std": "stddev"},
    )


WORDS: tuple[Word, ...] = (
    _normal("normal", "RandomNormal", "Normal numbers.", "Radford et al. 2015 (DCGAN), section 4: normal(0, 0.02)"),
    _normal(
        "truncated_normal",
        "TruncatedNormal",
        "Normal numbers within two standard deviations.",
        "keras.initializers.TruncatedNormal",
    ),
    InitializerWord(
        name="uniform",
        category="initializer",
        doc="Uniform numbers.",
        source="keras.initializers.RandomUniform",
        parameters=(
            Parameter(name="low", kind=Real(), default=-0.05, doc="the least"),
            Parameter(name="high", kind=Real(), default=0.05, doc="the greatest"),
        ),
        example="dense 64, init: uniform(-0.05, 0.05)",
        keras="keras.initializers:RandomUniform",
        renames={"low": "minval", "high": "maxval"},
    ),
    InitializerWord(
        name="constant",
        category="initializer",
        doc="One number everywhere.",
        source="keras.initializers.Constant",
        parameters=(Parameter(name="value", kind=Real(), doc="the number"),),
        example="dense 64, init: constant(0.01)",
        keras="keras.initializers:Constant",
        renames={},
    ),
    InitializerWord(
        name="orthogonal",
        category="initializer",
        doc="An orthogonal matrix, times `gain`.",
        source="Saxe et al. 2013",
        parameters=(Parameter(name="gain", kind=Real(), default=1.0, doc="factor"),),
        example="dense 64, init: orthogonal",
        keras="keras.initializers:Orthogonal",
        renames={},
    ),
    InitializerWord(
        name="variance_scaling",
        category="initializer",
        doc="Numbers whose variance is `scale` over the number of inputs, of outputs, or their mean.",
        source="keras.initializers.VarianceScaling",
        parameters=(
            Parameter(name="scale", kind=Real(minimum=0, above=True), default=1.0, doc="factor of the variance"),
            Parameter(
                name="mode", kind=Choice(("fan_in", "fan_out", "fan_avg")), default="fan_in", doc="what it is over"
            ),
            Parameter(
                name="distribution",
                kind=Choice(("truncated_normal", "untruncated_normal", "uniform")),
                default="truncated_normal",
                doc="how the numbers are spread",
            ),
        ),
        example="conv 64, init: variance_scaling(1e-10, fan_avg, uniform)",
        keras="keras.initializers:VarianceScaling",
        renames={},
    ),
    _plain("zeros", "Zeros", "Zeros.", "keras.initializers.Zeros"),
    _plain("ones", "Ones", "Ones.", "keras.initializers.Ones"),
    _plain("he", "HeNormal", "Normal, with variance 2 over the number of inputs: `he_normal`.", _HE),
    _plain("he_normal", "HeNormal", "Normal, with variance 2 over the number of inputs.", _HE),
    _plain("he_uniform", "HeUniform", "Uniform, with variance 2 over the number of inputs.", _HE),
    _plain("glorot", "GlorotUniform", "Uniform, with variance 2 over inputs and outputs: the default.", _GLOROT),
    _plain("glorot_normal", "GlorotNormal", "Normal, with variance 2 over inputs and outputs.", _GLOROT),
    _plain("glorot_uniform", "GlorotUniform", "Uniform, with variance 2 over inputs and outputs.", _GLOROT),
    _plain("lecun", "LecunNormal", "Normal, with variance 1 over the number of inputs: `lecun_normal`.", _LECUN),
    _plain("lecun_normal", "LecunNormal", "Normal, with variance 1 over the number of inputs.", _LECUN),
    _plain("lecun_uniform", "LecunUniform", "Uniform, with variance 1 over the number of inputs.", _LECUN),
)
