"""A run in, `NAME.onnx` and what is told of it out: the writer of the form `onnx`, converted by tf2onnx.

A model is written only after ONNX Runtime has answered as TensorFlow does, for batches of several sizes.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gendsl import __version__
from gendsl.export.order import Order
from gendsl.lower.errors import UserError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gendsl.export.portable import Portable
    from gendsl.run.rebuild import Rebuilt

OPSET = 18  # the newest that tf2onnx writes; ONNX Runtime reads it since 1.14, of 2023
_PACKAGES = ("onnx", "onnxruntime", "tf2onnx")


def write(run: "Rebuilt", order: Order, folder: Path) -> None:
    """Fills a folder with `NAME.onnx` and `NAME.onnx.json`. Raises UserError where packages are missing, the graph does
    not convert, or the model answers otherwise than TensorFlow."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        names = " and ".join(missing)
        raise UserError(f"`onnx` needs {names}, which is not installed", "pip install 'gendsl[onnx]'")
    import tf2onnx

    from gendsl.export.beside import told_of
    from gendsl.export.parity import parity
    from gendsl.export.portable import portable_of

    portable = portable_of(run)
    model = _converted(portable)
    _signed(model, run, order.name, portable)
    content = model.SerializeToString(deterministic=True)
    found = parity(portable, lambda: _session(content), "ONNX Runtime", None)
    (folder / f"{order.name}.onnx").write_bytes(content)
    made = {"by": f"tf2onnx {tf2onnx.__version__}", "opset": OPSET}
    told_of(run, order.name, portable, made | found, folder / f"{order.name}.onnx.json")


def _converted(portable: "Portable") -> Any:
    import tensorflow as tf
    import tf2onnx

    names = [entry.name for entry in portable.entries]
    specs = [tf.TensorSpec(entry.shape, entry.dtype, name=entry.name) for entry in portable.entries]
    function = tf.function(lambda *given: portable.function(**dict(zip(names, given, strict=True))), autograph=False)
    handlers: dict[str, tuple[Any, list[Any]]] = {"Erfc": (_complement, [])}
    with _quiet() as said:
        try:
            model, _ = tf2onnx.convert.from_function(
                function, input_signature=specs, opset=OPSET, custom_op_handlers=handlers
            )
        except Exception as error:  # tf2onnx raises what its handlers of operations happen to
            said.append(str(error))
            model = None
    unknown = sorted({name for line in said if "Unsupported ops" in line for name in _counted(line)})
    if model is None or unknown:
        what = ", ".join(unknown) or str(said[-1]).strip().splitlines()[0][:200]
        raise UserError(
            f"tf2onnx has nothing for what a sample is made by: {what}",
            "leave `onnx` out of `export`; `saved_model` serves this model",
        )
    ends = [*model.graph.input, *model.graph.output]
    _rename(model.graph, {value.name: value.name for value in ends}, {})
    return model


def _rename(graph: Any, values: dict[str, str], nodes: dict[str, str]) -> None:
    """Names what is inside by its order: TensorFlow's names count what was traced before. A name stays one name,
    in the graphs of loops too."""

    def named(value: str) -> str:
        return values.setdefault(value, f"value/{len(values)}") if value else value

    for node in graph.node:
        node.name = nodes.setdefault(node.name, f"{node.op_type}/{len(nodes)}")
        node.input[:] = [named(value) for value in node.input]
        for attribute in node.attribute:
            if attribute.HasField("g"):
                attribute.g.name, attribute.g.doc_string = f"{node.name}/{attribute.name}", ""
                _rename(attribute.g, values, nodes)
        node.output[:] = [named(value) for value in node.output]
    for one in (*graph.input, *graph.output, *graph.initializer, *graph.value_info):
        one.name = named(one.name)
    infos = sorted(graph.value_info, key=lambda one: str(one.name))
    del graph.value_info[:]
    graph.value_info.extend(infos)


def _complement(graph: Any, node: Any, name: str, _: Any) -> None:
    """erfc(x), which GELU is made of and ONNX has not, as 1 - erf(x): within 6e-8 of it."""
    import numpy as np

    kinds = {"shapes": [graph.get_shape(node.output[0])], "dtypes": [graph.get_dtype(node.output[0])]}
    one = graph.make_const(f"{name}_one", np.ones((), np.float32))
    error = graph.make_node("Erf", [node.input[0]], name=f"{name}_erf", **kinds)
    graph.remove_node(node.name)
    graph.make_node("Sub", [one.output[0], error.output[0]], name=name, outputs=node.output, **kinds)


def _counted(line: str) -> list[str]:
    """The names in `Unsupported ops: Counter({'A': 2, 'B': 1})`."""
    return line.split("'")[1::2]


def _signed(model: Any, run: "Rebuilt", name: str, portable: "Portable") -> None:
    """Writes into a model what it is, where it comes from and what it takes; the axis of the batch gets its name."""
    from gendsl.export.beside import origin_in

    model.producer_name, model.producer_version = "gendsl", __version__
    model.graph.name, model.graph.doc_string = name, f"Samples of {run.plan.experiment}, made by a trained model."
    model.doc_string = model.graph.doc_string
    for key, value in {"name": name, "experiment": run.plan.experiment, **origin_in(run)}.items():
        model.metadata_props.add(key=key, value=str(value))
    docs = {entry.name: entry.doc for entry in portable.entries}
    for value in (*model.graph.input, *model.graph.output):
        value.doc_string = docs.get(value.name, "")
        for axis, dimension in enumerate(value.type.tensor_type.shape.dim):
            if not dimension.HasField("dim_value"):
                dimension.dim_param = "batch" if axis == 0 else f"{value.name}_{axis}"


def _session(content: bytes) -> Any:
    """A function of inputs by name to outputs by name, as ONNX Runtime computes it on a processor."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised as well
    options.intra_op_num_threads = os.cpu_count() or 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]

    def answers(given: "Mapping[str, NDArray[Any]]") -> "dict[str, NDArray[Any]]":
        return dict(zip(outputs, session.run(outputs, dict(given)), strict=True))

    return answers


class _Kept(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextmanager
def _quiet() -> Iterator[list[str]]:
    """What tf2onnx logs is kept, and not shown: it reports unknown operations there, and goes on without them."""
    kept, logger = _Kept(), logging.getLogger("tf2onnx")
    before, handlers = logger.propagate, logger.handlers
    logger.handlers, logger.propagate = [kept], False
    try:
        yield kept.lines
    finally:
        logger.handlers, logger.propagate = handlers, before
