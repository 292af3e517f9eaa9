"""A prompt in, why no sequence can begin with it out, as a message and its mend: before a run, and with its tokens."""

from typing import Any


def unknown_characters(lost: list[str]) -> tuple[str, str] | None:
    """How it is told that the text has none of some characters; None where there are none."""
    if not lost:
        return None
    shown = ", ".join(f"`{one}`" if one.isprintable() else f"U+{ord(one):04X}" for one in lost)
    return f"the training text has no {shown}, so the network knows no token for it", "write it with other characters"


def too_long(tokens: int, window: int | None, length: Any) -> tuple[str, str] | None:
    """How it is told that a prompt has more tokens than a window, or than are asked for; None where it has not."""
    if window is not None and tokens > window:
        return f"this prompt has {tokens:,} tokens, and the network reads {window:,}", "shorten it, or widen `window`"
    if isinstance(length, int) and tokens >= length:
        more = f"`length: {tokens + 256}`"
        return f"this prompt has {tokens:,} tokens already, and `length` is {length:,}", f"write {more}, say"
    return None
