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
