"""What a score is called and says in, its word out."""

from gendsl.vocabulary.word import Parameter, Word


def score(name: str, doc: str, *parameters: Parameter, better: str = "", source: str = "", example: str = "") -> Word:
    """A score; without an example of its own its name is one."""
    return Word(
        name=name,
        category="score",
        doc=doc,
        parameters=parameters,
        source=source,
        example=example or name,
        better=better,
    )
