"""A run in, a SavedModel that TF Serving loads as it is out: the writer of the form `saved_model`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gendsl.export import description
from gendsl.export.order import Order

if TYPE_CHECKING:
    from gendsl.run.rebuild import Rebuilt


def write(run: "Rebuilt", order: Order, folder: Path) -> None:
    """Fills an empty folder with the version of a model: the SavedModel with the weights that its endpoints use, and no
    others; requests to warm it up; and what gendsl needs to know of it. Raises UserError."""
    import keras
    import tensorflow as tf

    from gendsl.export import warmup
    from gendsl.export.signatures import sampling_of, signatures_of

    signatures = signatures_of(run, order)
    archive = keras.export.ExportArchive()
    records: dict[str, Any] = {}
    for signature in signatures:
        traced = tf.function(signature.endpoint, input_signature=[signature.specs], autograph=False)
        records[signature.name] = signature.record(traced.get_concrete_function().structured_outputs)
        archive.add_endpoint(signature.name, traced)
    archive.write_out(str(folder), verbose=False)
    warmup.write(folder, order.name, signatures)
    description.write(run, order, folder, sampling_of(run, order).outputs, records)
