"""A plan in, the graph that TensorBoard shows out: the networks layer by layer, as the spec has them."""

from tensorboard.compat.proto.attr_value_pb2 import AttrValue
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.node_def_pb2 import NodeDef
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.compat.proto.types_pb2 import DT_FLOAT
from tensorboard.compat.proto.versions_pb2 import VersionDef

from gendsl.plan.plan import Network, Plan
from gendsl.vocabulary.dimensions import Shape, shown


def graph_of(plan: Plan) -> GraphDef:
    """A node for each input, layer and output of each network, with its shape and its parameters; blocks are boxes."""
    graph = GraphDef(versions=VersionDef(producer=22))
    for network in plan.networks:
        graph.node.extend(_nodes(network))
    return graph


def _nodes(network: Network) -> list[NodeDef]:
    nodes, names = [], []
    for one in network.inputs:
        nodes.append(_node(f"{network.name}/{one.name}", f"input {one.kind}", (), one.shape))
        names.append(nodes[-1].name)
    for layer in network.layers:
        place = f"{layer.scope}/{layer.name.rpartition('/')[2]}" if layer.scope else layer.name
        before = [names[number] for number in layer.inputs]
        node = _node(f"{network.name}/{place}", layer.word, before, layer.shape)
        if layer.weights != 0:
            node.attr["parameters"].CopyFrom(AttrValue(s=shown((layer.weights,)).encode()))
        nodes.append(node)
        names.append(node.name)
    for output in network.outputs:
        name = f"{network.name}/{output.name or 'output'}"
        while name in names:
            name += "_"
        nodes.append(_node(name, str(output.type), [names[output.value]], None))
        names.append(name)
    return nodes


def _node(name: str, word: str, before: list[str] | tuple[()], shape: Shape | None) -> NodeDef:
    node = NodeDef(name=name.replace(" ", "_"), op=word, input=before)
    if shape is not None:
        sizes = [TensorShapeProto.Dim(size=size if isinstance(size, int) else -1) for size in ("batch", *shape)]
        shapes = AttrValue.ListValue(shape=[TensorShapeProto(dim=sizes)])
        node.attr["_output_shapes"].CopyFrom(AttrValue(list=shapes))
        node.attr["shape"].CopyFrom(AttrValue(s=shown(shape).encode()))
        node.attr["dtype"].CopyFrom(AttrValue(type=DT_FLOAT))
    return node
