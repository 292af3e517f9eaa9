"""The folder of a SavedModel in, what its signatures answer out: the only part of the server that loads TensorFlow."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gendsl.lower.errors import UserError
from gendsl.run.loading import load_tensorflow
from gendsl.serve.signatures import Arrays, Refused, Signature, Tensor

_LONGEST = 500  # characters of a message of TensorFlow that is passed on


class SavedModel:
    """A SavedModel in memory."""

    def __init__(self, folder: Path) -> None:
        """Loads it. Raises UserError for one that is damaged or has no signature."""
        load_tensorflow()
        import tensorflow as tf

        try:
            self._loaded = tf.saved_model.load(str(folder))
            self._metadata = _metadata_of(folder)
        except Exception as error:  # TensorFlow raises what it likes of a folder that was damaged or made by others
            raise UserError(
                f"the SavedModel in {folder} cannot be loaded: {_short(error)}",
                "export the run again: `gendsl export RUN`",
            ) from None
        self._functions = dict(self._loaded.signatures)
        self.signatures: Mapping[str, Signature] = {
            name: _signature(name, one) for name, one in self._functions.items()
        }
        if not self.signatures:
            raise UserError(f"the SavedModel in {folder} has no signature", "export one with `gendsl export RUN`")

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its signatures as JSON, in the form of TensorFlow's `SignatureDef`."""
        return self._metadata

    def call(self, signature: str, inputs: Arrays) -> Arrays:
        """The outputs of a signature by name, those of half precision as float32. Raises Refused where an operation
        does not take what it is given."""
        import tensorflow as tf

        given = self.signatures[signature].inputs
        try:
            tensors = {name: tf.constant(value, dtype=given[name].dtype) for name, value in inputs.items()}
            found = self._functions[signature](**tensors)
        except (tf.errors.InvalidArgumentError, tf.errors.OutOfRangeError, tf.errors.FailedPreconditionError) as error:
            raise Refused(400, f"the model does not take this: {_short(error)}") from None
        except (tf.errors.ResourceExhaustedError, MemoryError) as error:
            raise Refused(503, f"there is not memory enough for this: {_short(error)}") from None
        return {name: _plain(tf, value) for name, value in found.items()}


def _plain(tf: Any, value: Any) -> Any:
    half = value.dtype in (tf.float16, tf.bfloat16)
    return (tf.cast(value, tf.float32) if half else value).numpy()


def _signature(name: str, function: Any) -> Signature:
    _, inputs = function.structured_input_signature
    return Signature(name, _tensors(inputs), _tensors(function.structured_outputs))


def _tensors(specs: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: Tensor(name, spec.dtype.name, _shape(spec.shape)) for name, spec in sorted(specs.items())}


def _shape(shape: Any) -> tuple[int | None, ...] | None:
    return None if shape.rank is None else tuple(shape.as_list())


def _metadata_of(folder: Path) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((folder / "saved_model.pb").read_bytes())
    (graph,) = [one for one in saved.meta_graphs if "serve" in one.meta_info_def.tags]
    return {
        name: MessageToDict(one, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
        for name, one in sorted(graph.signature_def.items())
    }


def _short(error: BaseException) -> str:
    """The first line of what TensorFlow says, without the place in its graph."""
    message = str(getattr(error, "message", None) or error or type(error).__name__)
    line = next((line.strip() for line in message.splitlines() if line.strip()), type(error).__name__)
    return line.partition(" [[{{")[0].partition(" [Op:")[0][:_LONGEST]
