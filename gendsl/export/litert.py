"""A run in, `NAME.tflite` and what is told of it out: the writer of `litert`, with LiteRT's own operations only.

A model is written only after its interpreter has answered as TensorFlow does, for batches of several sizes.
"""

import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gendsl.export.beside import SIGNATURE, told_of
from gendsl.export.order import Order
from gendsl.lower.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gendsl.export.portable import Portable
    from gendsl.run.rebuild import Rebuilt

_FOREIGN = re.compile(r"tf\.([A-Z]\w+)")


def write(run: "Rebuilt", order: Order, folder: Path) -> None:
    """Fills a folder with `NAME.tflite` and `NAME.tflite.json`. Raises UserError where the graph does not convert, or
    the model answers otherwise than TensorFlow."""
    import tensorflow as tf

    from gendsl.export.parity import parity
    from gendsl.export.portable import portable_of

    portable = portable_of(run)
    quantize = order.options.get("quantize")
    model = _converted(portable, quantize)
    found = parity(portable, lambda: _interpreter(model), "LiteRT", quantize)
    (folder / f"{order.name}.tflite").write_bytes(model)
    made = {"by": f"TensorFlow {tf.__version__}", "quantize": quantize, "operations": "built in"}
    told_of(run, order.name, portable, made | found, folder / f"{order.name}.tflite.json")


def _converted(portable: "Portable", quantize: str | None) -> bytes:
    import tensorflow as tf

    # Gradients are of no use to a reader, and TensorFlow cannot write those of an imported graph.
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    with tempfile.TemporaryDirectory() as folder, _quiet():
        tf.saved_model.save(tf.Module(), folder, signatures={SIGNATURE: portable.function}, options=options)
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantize is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantize == "float16":
            converter.target_spec.supported_types = [tf.float16]
        try:
            return bytes(converter.convert())
        except Exception as error:  # the converter has its own kinds of error, and reports most as an `Exception`
            names = sorted({name for name in _FOREIGN.findall(str(error)) if name != "Placeholder"})
            what = ", ".join(names) or str(error).strip().splitlines()[0][:200]
            raise UserError(
                f"LiteRT has no operation of its own for what a sample is made by: {what}",
                "leave `litert` out of `export`; `saved_model` serves this model",
            ) from None


def _interpreter(model: bytes) -> Any:
    """A function of inputs by name to outputs by name, as a telephone's LiteRT computes it."""
    import tensorflow as tf

    with _quiet():
        runner = tf.lite.Interpreter(model_content=model, num_threads=1).get_signature_runner(SIGNATURE)

    def answers(given: "Mapping[str, NDArray[Any]]") -> "dict[str, NDArray[Any]]":
        with _unsaid():  # it says how it will compute, at the first call
            return dict(runner(**given))

    return answers


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the notes of a library that will move to a package of its own, and of gradients that are left out."""
    from absl import logging as absl_logging

    before = absl_logging.get_verbosity()
    absl_logging.set_verbosity(absl_logging.ERROR)
    try:
        with warnings.catch_warnings(), _unsaid():
            warnings.simplefilter("ignore")
            yield
    finally:
        absl_logging.set_verbosity(before)


@contextmanager
def _unsaid() -> Iterator[None]:
    """What the libraries in C++ write to standard error is dropped: what goes wrong is raised as well, with a page of
    places in the graph before it."""
    try:
        terminal = os.dup(2)
    except OSError:  # standard error is closed: nothing can disturb
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(terminal, 2)
        os.close(terminal)
        os.close(nowhere)
