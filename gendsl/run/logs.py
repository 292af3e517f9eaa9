"""What happens in a run in, TensorBoard's event files out: scalars by update, grids of samples, the spec and plan."""

import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from gendsl.run.pictures import Pixels

_SECONDS_BETWEEN_FLUSHES = 2.0


class Logs:
    """Writes under a run's `logs/`; one process, one file."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._writer = tf.summary.create_file_writer(str(folder))
        self._flushed = time.monotonic()

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers by tag; the part before the last `/` groups them."""
        with self._writer.as_default(step):
            for tag, value in values.items():
                tf.summary.scalar(tag, value)
        if time.monotonic() - self._flushed > _SECONDS_BETWEEN_FLUSHES:
            self.flush()

    def pictures(self, step: int, pictures: Mapping[str, Pixels]) -> None:
        """One picture a tag under `samples/`."""
        with self._writer.as_default(step):
            for tag, pixels in pictures.items():
                tf.summary.image(f"samples/{tag}", pixels[np.newaxis])
        self.flush()

    def texts(self, step: int, texts: Mapping[str, str]) -> None:
        """Texts by tag, shown as they are written."""
        with self._writer.as_default(step):
            for tag, text in texts.items():
                tf.summary.text(tag, "\n".join(f"    {line}" for line in text.splitlines()))
        self.flush()

    def flush(self) -> None:
        """Hands everything to the disk."""
        self._writer.flush()
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Flushes and closes the file."""
        self._writer.close()
