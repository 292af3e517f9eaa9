"""Nothing in, TensorFlow loaded out, without the notes that its libraries write to the terminal before they can be told
not to. Its warnings and errors are shown, but for the one that says that there is no GPU.
"""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

_NOTE = re.compile(rb"I\d{4} |WARNING: All log messages before absl::InitializeLog|E\d{4} .*failed call to cuInit")


def load_tensorflow(*, alone: bool = True, cpus: int = 1, deterministic: bool | None = None) -> None:
    """Imports TensorFlow and makes it ready to compute; one of several workers sets its devices up with the others.

    `cpus` logical devices are made of the processor, for replicas without GPUs. `deterministic` asks for kernels that
    give the same bits again; None for yes where there is no GPU, since on processors it costs nothing.
    """
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        if not alone and os.environ["TF_CPP_MIN_LOG_LEVEL"] == "2":
            os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # of a lost worker it tells in many lines, and we in one
        with _quiet():
            import tensorflow as tf

            if cpus > 1:
                processor = tf.config.list_physical_devices("CPU")[0]
                parts = [tf.config.LogicalDeviceConfiguration()] * cpus
                tf.config.set_logical_device_configuration(processor, parts)
            if alone:
                tf.constant(0.0)  # the devices are set up here, and more is said
            # Grappler's remapper fails on the gradient of a leaky ReLU in a loop, and says so at every run.
            tf.config.optimizer.set_experimental_options({"remapping": False})
    import tensorflow as tf

    if deterministic or (deterministic is None and not tf.config.list_physical_devices("GPU")):
        tf.config.experimental.enable_op_determinism()


@contextmanager
def _quiet() -> Iterator[None]:
    """What is written to standard error inside comes out behind, without the notes."""
    try:
        terminal = os.dup(2)
    except OSError:  # standard error is closed: nothing can disturb
        yield
        return
    with tempfile.TemporaryFile() as said:
        os.dup2(said.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
            _repeat(said)


def _repeat(said: BinaryIO) -> None:
    said.seek(0)
    lines = [line for line in said if not _NOTE.match(line)]
    if lines:
        os.write(2, b"".join(lines))
