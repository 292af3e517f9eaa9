"""Words."""

from gendsl.vocabulary.word import Word

WORDS: tuple[Word, ...] = ()
