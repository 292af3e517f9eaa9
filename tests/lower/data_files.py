"""Made files of data, and what a dataset fetches."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image

from gendsl.lower.data import Dataset


def fetched(data: Dataset, step: int, steps: int = 1) -> dict[str, np.ndarray]:
    addresses = tf.constant(data.addresses(step, steps))
    return {name: value.numpy() for name, value in data.fetch(addresses[0]).items()}


def write_idx(path: Path, array: np.ndarray) -> None:
    head = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    data = head + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def mnist_like(folder: Path, *, train: int = 12, test: int = 5, ending: str = ".gz") -> tuple[np.ndarray, np.ndarray]:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (train + test, 6, 5)), np.arange(train + test) % 3
    for name, part in (("train", np.s_[:train]), ("t10k", np.s_[train:])):
        write_idx(folder / f"{name}-images-idx3-ubyte{ending}", images[part])
        write_idx(folder / f"{name}-labels-idx1-ubyte{ending}", labels[part])
    return images.astype(np.uint8), labels


def save(path: Path, picture: Image.Image, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, **options)


def colour(size: tuple[int, int], *value: int) -> Image.Image:
    return Image.new("RGB" if len(value) == 3 else "RGBA", size, value)
