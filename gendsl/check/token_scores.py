"""A score of text or music in, why this spec can never have it out."""

from collections.abc import Sequence

from gendsl.plan.plan import Call, Field, Sample, Source
from gendsl.vocabulary.token_scores import OF_MUSIC
from gendsl.vocabulary.types import Tensor


def unwritten(call: Call, fields: Sequence[Field], sources: Sequence[Source], sample: Sample | None) -> tuple[str, str]:
    """Why a score of what a spec writes cannot be taken, and what to do; empty where it can be."""
    texts = [field for field in fields if field.kind == "text"]
    if not fields:
        return "", ""  # what is wrong with the data is told where it stands
    if not texts:
        return f"`{call.word}` is of text or music, and the data has none", "score `fid` or `diversity` instead"
    if call.word in OF_MUSIC and not any(source.call.word == "midi" for source in sources):
        return f"`{call.word}` is of music, and the data has none", "score `copied` or `distinct` instead"
    if sample is None:
        return "", ""  # what is wrong with it is told where it stands
    lengths = [kind.shape[0] for kind in _written(sample)]
    if not lengths:
        return (
            f"`{call.word}` is of the text or music that `sample` writes, and it writes none",
            "write `sample { text = generate(model, length: 256) }`, with the network of the text",
        )
    least = call.arguments.get("ngram")
    known = [length for length in lengths if isinstance(length, int)]
    if isinstance(least, int) and len(known) == len(lengths) and least > max(known):
        return (
            f"`{call.word}` looks at {least} tokens in a row, and a sample has {max(known)}",
            f"write `{call.word} ngram: {max(known)}` or less",
        )
    return "", ""


def _written(sample: Sample) -> list[Tensor]:
    """The outputs of a sample that are sequences of tokens."""
    kinds = [sample.operations[number].type for _, number in sample.outputs]
    return [kind for kind in kinds if isinstance(kind, Tensor) and kind.integer and len(kind.shape) == 1]
