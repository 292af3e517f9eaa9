"""The name of a field of tokens in, the name of the batch's entry that holds what follows each of them out."""


def following(name: str) -> str:
    """The entry of a batch that holds, for each token of a field's window, the token that follows it.

    A window of n tokens and the one behind it are the n + 1 that a model of the next token reads: what it is given, and
    what it is to say. A field's name holds no dot.
    """
    return f"{name}.next"
