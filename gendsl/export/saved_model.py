"""A run in, a SavedModel that TF Serving loads as it is out: the writer of the form `saved_model`."""

from pathlib import Path
from typing import TYPE_CHECKING

from gendsl.export.order import Order

if TYPE_CHECKING:
    from gendsl.run.rebuild import Rebuilt


def write(run: "Rebuilt", order: Order, folder: Path) -> None:
    """Fills an empty folder with the version of a model."""
    import keras

    from gendsl.export.signatures import signatures_of

    archive = keras.export.ExportArchive()
    for network in run.experiment.networks.values():
        archive.track(network)
    for signature in signatures_of(run):
        archive.add_endpoint(signature.name, signature.endpoint, input_signature=[dict(signature.inputs)])
    archive.write_out(str(folder), verbose=False)
