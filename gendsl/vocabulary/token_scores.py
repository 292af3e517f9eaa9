"""The scores of what is written token by token: text and music. `copied` and `distinct` are of both."""

from gendsl.vocabulary.score_word import score
from gendsl.vocabulary.word import Count, Parameter, Word

SCORES: tuple[Word, ...] = (
    score(
        "copied",
        "The share of the generated tokens that stand, in stretches of at least `ngram`, word for word in the training "
        "text (of music in any of its keys); `copied_held_out` is that of held-out text.",
        Parameter(
            name="ngram", kind=Count(), default=50, doc="The shortest stretch that counts, in tokens.", positional=False
        ),
        better="lower",
        source="Lee et al. 2022, https://arxiv.org/abs/2107.06499",
        example="copied ngram: 50",
    ),
    score(
        "distinct",
        "The share of different n-grams among all n-grams of the generated texts; higher is more varied. It falls with "
        "the amount of text; `distinct_held_out` is that of as much held-out text, if there is as much.",
        Parameter(name="ngram", kind=Count(), default=2, doc="The length of an n-gram, in tokens.", positional=False),
        better="higher",
        source="Li et al. 2016, https://arxiv.org/abs/1510.03055",
        example="distinct ngram: 2",
    ),
    score(
        "pitch_classes",
        "The total variation distance between how often generated and training music has each of the twelve pitch "
        "classes, counted from the tonic of the key that is found for each piece: 0 is alike. "
        "`pitch_classes_held_out` is that of held-out music.",
        better="lower",
        source="Yang & Lerch 2020, https://doi.org/10.1007/s00521-018-3849-7 (the pitch class histogram)",
    ),
    score(
        "durations",
        "The total variation distance between how often generated and training music has notes of each length: 0 is "
        "alike. `durations_held_out` is that of held-out music.",
        better="lower",
        source="Yang & Lerch 2020, https://doi.org/10.1007/s00521-018-3849-7 (the note length histogram)",
    ),
    score(
        "in_key",
        "The share of notes that are of the scale (major, or natural minor) of the key that is found for their piece, "
        "averaged over pieces; `in_key_held_out` is that of held-out music, which is to be met rather than exceeded.",
        source="Krumhansl 1990, Cognitive Foundations of Musical Pitch, chapter 4 (the key)",
    ),
)
NAMES = frozenset(word.name for word in SCORES)
OF_MUSIC = frozenset(("pitch_classes", "durations", "in_key"))
# Beside each stands what held-out examples have: there is nothing better or worse about that.
PARTS: dict[str, dict[str, str]] = {word.name: {word.name: word.better, f"{word.name}_held_out": ""} for word in SCORES}
