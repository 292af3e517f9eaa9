"""What the server allows a request, as the command line says it."""

from gendsl.frozen import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a request may ask for, and how many there may be."""

    samples: int = 1024  # a request
    body: int = 8 * 1024**2  # bytes of a request
    numbers: int = 16_000_000  # of an answer
    seconds: float = 60  # for an answer
    waiting: int = 32  # calls of the model that may wait
    requests: int = 256  # under way at once
    held: int = 512 * 1024**2  # bytes of all requests and answers that are under way
