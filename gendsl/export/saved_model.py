"""A run in, a SavedModel that TF Serving loads as it is out: the writer of the form `saved_model`."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gendsl.export import description
from gendsl.export.order import Order
from gendsl.run.folder import reason_of

if TYPE_CHECKING:
    from gendsl.run.rebuild import Rebuilt


def write(run: "Rebuilt", order: Order, folder: Path) -> None:
    """Fills an empty folder with the version of a model: the SavedModel with the weights that its endpoints use, and no
    others; requests to warm it up; and what gendsl needs to know of it. Raises UserError."""
    import tensorflow as tf

    from gendsl.export import warmup
    from gendsl.export.sampled import sampling_of
    from gendsl.export.signatures import signatures_of

    signatures = signatures_of(run, order)
    traced = {
        one.name: tf.function(one.endpoint, input_signature=[one.specs], autograph=False).get_concrete_function()
        for one in signatures
    }
    # Not Keras's `ExportArchive`, which lists the variables in the order of a set: another one in every process.
    module = tf.Module()
    module.weights = _variables(run, traced.values())
    try:
        tf.saved_model.save(module, str(folder), signatures=traced)
    except tf.errors.OpError as error:
        raise OSError(None, reason_of(error)) from error  # a full disk, told as any other
    _without_chance(folder)
    warmup.write(folder, order.name, signatures)
    records = {one.name: one.record(traced[one.name].structured_outputs) for one in signatures}
    description.write(run, order, folder, sampling_of(run, order).outputs, records)


def _variables(run: "Rebuilt", functions: Iterable[Any]) -> list[Any]:
    """The variables that functions read, in the order of the run's state."""
    read = {id(variable): variable for function in functions for variable in function.graph.variables}
    ordered = [variable for variable in run.experiment.state().values() if id(variable) in read]
    known = {id(variable) for variable in ordered}
    return ordered + [variable for number, variable in read.items() if number not in known]


def _without_chance(folder: Path) -> None:
    """TensorFlow gives each model a random number: here it is the model's hash, so that the same export is the same."""
    from tensorflow.core.protobuf.fingerprint_pb2 import FingerprintDef

    path = folder / "fingerprint.pb"
    fingerprint = FingerprintDef.FromString(path.read_bytes())
    fingerprint.uuid = str(
        int.from_bytes(hashlib.sha256((folder / "saved_model.pb").read_bytes()).digest()[:16], "big")
    )
    path.write_bytes(fingerprint.SerializeToString(deterministic=True))
