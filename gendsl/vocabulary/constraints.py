"""The words after `constrain:`, which bound what a layer's weights may be."""

from gendsl.vocabulary.word import Parameter, Real, Word

WORDS: tuple[Word, ...] = (
    Word(
        name="spectral_norm",
        category="constraint",
        doc="Divides each kernel and embedding by its largest singular value, followed by one power iteration an "
        "update; the gradient goes through that value.",
        source="Miyato et al. 2018, equations 7, 8 and 12",
        example="network discriminator(x: image) -> logits(1), constrain: spectral_norm { flatten | dense 1 }",
    ),
    Word(
        name="equalized",
        category="constraint",
        doc="Holds kernels as normal numbers and multiplies them by rate / sqrt(fan_in) in each call, biases by rate, "
        "so that an adaptive optimizer moves all at one pace: the equalised learning rate.",
        source="Karras et al. 2018, section 4.1; the multiplier: Karras et al. 2019, appendix C",
        parameters=(
            Parameter(
                name="rate",
                kind=Real(minimum=0, above=True),
                default=1.0,
                doc="what the pace is multiplied by; 0.01 in StyleGAN's mapping network",
            ),
        ),
        example="network mapping(z: normal(512)) -> features(512), constrain: equalized(0.01) { dense 512 }",
    ),
    Word(
        name="none",
        category="constraint",
        doc="Leaves a layer's weights as they are, in a network whose other layers are constrained.",
        source="Brock et al. 2019, appendix C: no spectral norm on the shared embedding",
        example="from y | embed label.classes, 128, constrain: none",
    ),
    Word(
        name="clip",
        category="constraint",
        doc="Clips every weight to -limit..limit after each update.",
        source="Arjovsky et al. 2017 (WGAN), algorithm 1",
        parameters=(
            Parameter(
                name="limit", kind=Real(minimum=0, above=True), default=0.01, doc="the greatest size of a weight"
            ),
        ),
        example="network critic(x: image) -> logits(1), constrain: clip(0.01) { flatten | dense 1 }",
    ),
)
