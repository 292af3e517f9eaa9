"""The vocabulary: every word of the language, by category and name. Imports neither TensorFlow nor NumPy."""

from gendsl.vocabulary import (
    augmentations,
    blocks,
    constraints,
    curation,
    distributions,
    exports,
    fields,
    functions,
    generation,
    initializers,
    layers,
    losses,
    monitors,
    noising,
    optimizers,
    penalties,
    schedules,
    scores,
    sequences,
    sources,
    structure,
    tables,
    training,
)
from gendsl.vocabulary.word import Word

MODULES = (
    blocks,
    sources,
    fields,
    curation,
    augmentations,
    structure,
    layers,
    initializers,
    constraints,
    distributions,
    losses,
    functions,
    noising,
    sequences,
    generation,
    tables,
    penalties,
    optimizers,
    schedules,
    training,
    scores,
    monitors,
    exports,
)

WORDS: dict[str, dict[str, Word]] = {}
for _module in MODULES:
    for _word in _module.WORDS:
        WORDS.setdefault(_word.category, {})[_word.name] = _word


def word_of(category: str, name: str) -> Word | None:
    """The word of a name in a category, or None."""
    return WORDS.get(category, {}).get(name)


def categories_of(name: str) -> tuple[str, ...]:
    """The categories in which a name is a word: `relu` is a layer and nothing else."""
    return tuple(category for category, words in WORDS.items() if name in words)
