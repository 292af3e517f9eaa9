"""Calls of `next_token` in, typed operations out: the network's call on a window, and what is to be said in it."""

from collections.abc import Mapping, Sequence
from typing import Any

from gendsl import rules
from gendsl.check.network_values import output_shape
from gendsl.check.operations import NOTHING, Operations
from gendsl.check.scope import FieldMeaning, Operand, Scope
from gendsl.diagnostics import Label
from gendsl.frozen import dataclass
from gendsl.plan.causality import coupling_places, seeing_ahead
from gendsl.plan.following import following
from gendsl.plan.plan import Call, Network
from gendsl.source import Span
from gendsl.vocabulary.dimensions import same_shape, shown
from gendsl.vocabulary.types import Distribution, NetworkType, Tensor, Type, Unknown


@dataclass(slots=True)
class SequenceCalls(Operations):
    """The calls of words of sequences."""

    def _next_token(
        self, operands: Sequence[Operand], attributes: dict[str, Any], type: Type, span: Span, scope: Scope
    ) -> Operand:
        """`operands` are the network and the tokens, of the types that the word takes."""
        network_type, tokens = operands[0].type, operands[1]
        assert isinstance(network_type, NetworkType) and isinstance(tokens.type, Tensor)
        network = self.networks.get(network_type.name)
        if network is None:
            return NOTHING
        first, *others = network.inputs
        given = self.operations[tokens.number]
        field = self.context.globals.find(given.attributes["name"]) if given.name == "field" else None
        if not self._says_each(network, tokens.type, span):
            return NOTHING
        text = isinstance(field, FieldMeaning) and field.field.kind == "text"
        told: Operand = tokens if text else self._begun(network, tokens, span)
        if told is NOTHING or not self._takes(network, first, told, span, f"`{first.name}` of `{network.name}`"):
            return NOTHING
        if not self._sees_not_ahead(network, span):
            return NOTHING
        inputs = [told, *(self._batch_of(one, network, span, scope) for one in others)]
        if any(isinstance(one.type, Unknown) for one in inputs):
            return NOTHING
        result = self._called(network, tuple(one.number for one in inputs))
        logits, _ = self.calls[result.number]
        said = tokens
        if text:
            name = following(given.attributes["name"])
            said = self.add("field", (), {"name": name}, Tensor(tokens.type.shape, "", True))
        given_on = {"word": attributes["word"], "arguments": attributes["arguments"]}
        return self.add("function", (logits, said.number), given_on, type)

    def _begun(self, network: Network, tokens: Operand, span: Span) -> Operand:
        """A sequence behind a token that begins it, without its last; `NOTHING` where the network knows no such token:
        one more than it says."""
        first, result = network.inputs[0], network.outputs[0].type
        classes = (
            first.of.arguments["classes"] if isinstance(first.of, Call) and first.of.word == "categorical" else None
        )
        says = result.classes if isinstance(result, Distribution) else None
        if not isinstance(says, int) or classes != says + 1:
            length = tokens.type.shape[0] if isinstance(tokens.type, Tensor) and tokens.type.shape else 64
            more = says + 1 if isinstance(says, int) else 513
            self._mismatch(
                span,
                f"`next_token` begins sequences that are no windows of a text with a token of their own, and "
                f"`{network.name}` knows none",
                f"declare it as one more than it says: `{first.name}: categorical({more}, length: {length})`",
            )
            return NOTHING
        return self.add("function", (tokens.number,), {"word": "begun", "arguments": {"token": says}}, tokens.type)

    def _says_each(self, network: Network, tokens: Tensor, span: Span) -> bool:
        """Whether a network gives a distribution at each place, as far as its shapes are known; else reports it."""
        output = network.outputs[0]
        made = output_shape(network, output.value)
        if made is None or same_shape(made[:-1], tokens.shape):
            return True
        told = shown(made[:-1]) if made[:-1] else "a single token"
        self._mismatch(
            span,
            f"`next_token` needs a distribution at each of {shown(tokens.shape)} places, and `{network.name}` gives "
            f"one of {told}",
            "end with layers that keep the length, such as `dense text.vocabulary`",
        )
        return False

    def _sees_not_ahead(self, network: Network, span: Span) -> bool:
        """Whether no layer is known to show a place the tokens behind it; else that is reported."""
        networks = {name: one for name, one in self.networks.items() if one is not None}
        found = seeing_ahead(network, networks)
        if found is None:
            self._advise_of_batches(network, networks, span)
            return True
        layer = network.layers[found]
        word = layer.arguments["network"] if layer.word == "network" else layer.word
        made = self.context.layer_spans.get(network.name, ())
        place = len(network.inputs) + found
        self.context.problems.add(
            rules.sees_ahead,
            span,
            f"`next_token` asks `{network.name}` for tokens that it sees: `{word}` reads later places",
            labels=(Label(made[place], "each place sees those behind it here"),) if place < len(made) else (),
            help=_MENDS.get(word, "take layers that read earlier places only"),
        )
        return False

    def _advise_of_batches(self, network: Network, networks: Mapping[str, Network], span: Span) -> None:
        """Tells of layers that see ahead in training alone, at their places."""
        made = self.context.layer_spans.get(network.name, ())
        for number, word in coupling_places(network, networks) if self.training else ():
            place = len(network.inputs) + number
            self.context.problems.add(
                rules.batch_sees_ahead,
                made[place] if place < len(made) else span,
                f"`{word}` takes its moments over all places of a batch, and `next_token` asks `{network.name}` for "
                "what stands behind each",
                help="write `layer_norm` or `rms_norm`, whose moments are those of one place",
            )


_MENDS = {
    "attention": "write `attention …, causal: on`",
    "lstm": "leave out `backwards`, and write `sequences: on`",
    "gru": "leave out `backwards`, and write `sequences: on`",
    "bidirectional": "read forwards alone: `lstm 128, sequences: on`",
    "group_norm": "write `layer_norm` or `rms_norm`, which are of one place",
    "instance_norm": "write `layer_norm` or `rms_norm`, which are of one place",
    "conv1d": "write `padding: causal`, without a stride",
}
