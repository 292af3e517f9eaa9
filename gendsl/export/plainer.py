"""A traced function in, the same of fewer kinds of operation out: its weights as constants, without what checks shapes.

Converters know most of TensorFlow's operations. Of those that they do not know, some say nothing about values:
`EnsureShape` checks, a `Cast` may be to the type that is there, and two `Bitcast`s stand around a transpose for a
processor's sake.
"""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2


def plainer(function: Any) -> Any:
    """A concrete function of named inputs and a mapping of outputs, as one that holds its weights itself."""
    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)
    graph = frozen.graph.as_graph_def()
    _with_sizes(graph.node, function.graph)
    for nodes in _bodies(graph):
        _without_casts(nodes)
        for node in nodes:
            same = node.op == "Cast" and node.attr["SrcT"].type == node.attr["DstT"].type
            if node.op == "EnsureShape" or same:
                node.op = "Identity"
                kept = node.attr["DstT" if same else "T"].type
                node.attr.clear()
                node.attr["T"].type = kept
    _rename(graph)
    outputs = dict(zip(sorted(function.structured_outputs), frozen.outputs, strict=True))

    def call(**given: Any) -> dict[str, Any]:
        inputs = {tensor.op.name: given[tensor.op.name] for tensor in frozen.inputs}
        wanted = [tensor.name for tensor in outputs.values()]
        found = tf.graph_util.import_graph_def(graph, input_map=inputs, return_elements=wanted, name="")
        return {name: tf.identity(value, name=name) for name, value in zip(outputs, found, strict=True)}

    specs = {t.op.name: tf.TensorSpec(t.shape, t.dtype, name=t.op.name) for t in frozen.inputs}
    return tf.function(call, autograph=False).get_concrete_function(**specs)


def _with_sizes(nodes: Any, traced: Any) -> None:
    """Reshapes to sizes that were known when the function was traced, but for the batch: computed from the batch's
    shape, as `tf.repeat` does, they would be known no more, and LiteRT's convolution needs those of a picture."""
    there = {operation.name: operation for operation in traced.get_operations()}
    constants = []
    for node in nodes:
        operation = there.get(node.name)
        if node.op != "Reshape" or operation is None or operation.type != "Reshape":
            continue
        sizes = operation.outputs[0].shape
        if sizes.rank is None or sizes.rank < 2 or sizes[0] is not None or None in sizes[1:].as_list():
            continue
        name = f"{node.name}/sizes"
        constant = tf.compat.v1.NodeDef(name=name, op="Const")
        constant.attr["dtype"].type = tf.int32.as_datatype_enum
        constant.attr["value"].tensor.CopyFrom(tf.make_tensor_proto([-1, *sizes[1:].as_list()], tf.int32))
        node.input[1] = name
        node.attr["Tshape"].type = tf.int32.as_datatype_enum
        constants.append(constant)
    nodes.extend(constants)


def _rename(graph: Any) -> None:
    """Names the graph's functions by their order and what is in the graph: TensorFlow's own names count what it has
    traced before, and two functions of one name must be alike."""
    functions = graph.library.function
    _rename_to(graph, {function.signature.name: f"part_{number}" for number, function in enumerate(functions)})
    digest = hashlib.blake2b(graph.SerializeToString(deterministic=True), digest_size=8).hexdigest()
    _rename_to(graph, {function.signature.name: f"{function.signature.name}_{digest}" for function in functions})


def _rename_to(graph: Any, names: Mapping[str, str]) -> None:
    for function in graph.library.function:
        function.signature.name = names[function.signature.name]
    for nodes in _bodies(graph):
        for node in nodes:
            node.op = names.get(node.op, node.op)
            for attribute in node.attr.values():
                for called in (attribute.func, *attribute.list.func):
                    if called.name in names:
                        called.name = names[called.name]


def _bodies(graph: Any) -> Iterator[Any]:
    """The nodes of a graph, and of each function in it."""
    yield graph.node
    for function in graph.library.function:
        yield function.node_def


def _without_casts(nodes: Any) -> None:
    """Turns whole numbers as they are, where their bits are turned as floating ones."""
    by_name = {node.name: node for node in nodes}
    whole = tf.int32.as_datatype_enum
    for node in nodes:
        if node.op != "Bitcast" or node.attr["type"].type != whole:
            continue
        turned = by_name.get(_name(node.input[0]))
        before = by_name.get(_name(turned.input[0])) if turned is not None and turned.op == "Transpose" else None
        if turned is None or before is None or before.op != "Bitcast" or before.attr["T"].type != whole:
            continue
        turned.input[0] = before.input[0]
        turned.attr["T"].type = whole
        node.op = "Identity"
        node.attr.clear()
        node.attr["T"].type = whole


def _name(reference: str) -> str:
    """The node that an input names: `a`, `a:0`, or in a function `a:output:0`."""
    return reference.split(":")[0]
