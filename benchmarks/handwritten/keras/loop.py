"""A callable in, a Keras callback out that calls it after each batch: `fit` has the loop, not the program."""

from collections.abc import Callable
from typing import Any

import keras


class AfterBatch(keras.callbacks.Callback):
    """Calls a function after each batch of `fit`."""

    def __init__(self, call: Callable[[], None]) -> None:
        super().__init__()
        self._call = call

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self._call()
