"""A folder in, training pictures or text as arrays out: what every hand-written program reads as it starts."""

import gzip
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

VOCABULARY = 256  # of bytes


def fashion_mnist(folder: Path) -> NDArray[np.float32]:
    """The training pictures (60000, 28, 28, 1), -1..1."""
    packed = (folder / "data/fashion-mnist/train-images-idx3-ubyte.gz").read_bytes()
    pixels = np.frombuffer(gzip.decompress(packed), np.uint8, offset=16)
    return (pixels.reshape(-1, 28, 28, 1).astype(np.float32) - 127.5) / 127.5


def digits(folder: Path) -> NDArray[np.float32]:
    """Nine tenths of scikit-learn's digits (1617, 8, 8, 1), -1..1; they come with the library, not from the folder."""
    from sklearn.datasets import load_digits

    pixels = load_digits().images.astype(np.float32)[..., None]
    return (pixels / 8.0 - 1.0)[: round(0.9 * len(pixels))]


def pictures(folder: Path) -> NDArray[np.float32]:
    """Made-up pictures (20000, 32, 32, 3), -1..1."""
    pixels = np.load(folder / "data/pictures.npz")["image"]
    return (pixels.astype(np.float32) - 127.5) / 127.5


def text_windows(folder: Path, window: int) -> NDArray[np.uint8]:
    """Nine tenths of the text as windows (n, window + 1), each of which begins with the last byte of the one before."""
    text = np.frombuffer(b"".join(path.read_bytes() for path in sorted((folder / "corpus").glob("*.txt"))), np.uint8)
    text = text[: round(0.9 * len(text))]
    return np.lib.stride_tricks.sliding_window_view(text, window + 1)[::window]
