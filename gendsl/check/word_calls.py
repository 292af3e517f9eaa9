"""Calls of functions, losses and penalties in, typed operations out."""

from typing import Any

from gendsl import rules
from gendsl.check.arguments import bind
from gendsl.check.generation import generate_call
from gendsl.check.noising import bounds_of, classes_of, none_of, sampled_inputs
from gendsl.check.operations import NOTHING
from gendsl.check.pruning import pruned
from gendsl.check.scope import LOST, FieldMeaning, Operand, Scope
from gendsl.check.sequences import SequenceCalls
from gendsl.frozen import dataclass
from gendsl.plan.layers import quantizer_of
from gendsl.plan.memories import REMEMBERING
from gendsl.plan.plan import Quantity
from gendsl.spelling import did_you_mean
from gendsl.syntax import tree
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.functions import FunctionWord
from gendsl.vocabulary.losses import LossWord
from gendsl.vocabulary.penalties import PenaltyWord
from gendsl.vocabulary.types import NetworkType, Process, Scalar, Tensor, Type, Unknown
from gendsl.vocabulary.word import Expression, Mismatch, Word

_OF_CODES = ("draw_codes", "codes", "code_vectors")


@dataclass(slots=True)
class WordCalls(SequenceCalls):
    """The calls of the vocabulary's words."""

    def _function_call(self, found: FunctionWord, node: tree.Call, scope: Scope) -> Operand:
        bound = bind(found, node.arguments, node.span, scope, self.context, resolve=self._resolve(scope))
        if LOST in bound.values():
            return NOTHING
        operands: list[Operand] = []
        options: dict[str, Any] = {}
        for parameter in found.parameters:
            value = bound[parameter.name]
            if not isinstance(parameter.kind, Expression):
                options[parameter.name] = value
            elif isinstance(value, tuple):
                operands.extend(value)
            elif value is not None:
                operands.append(value)
        if any(isinstance(operand.type, Unknown) for operand in operands):
            return NOTHING
        type = found.result(tuple(operand.type for operand in operands), options)
        if isinstance(type, Mismatch):
            self._mismatch(node.span, f"`{found.name}` {type.message}", type.help or _as_in(found))
            return NOTHING
        attributes: dict[str, Any] = {"word": found.name, "arguments": options}
        for operand in operands:
            if isinstance(operand.type, NetworkType):
                attributes["network"] = operand.type.name
            elif isinstance(operand.type, Process):
                attributes["process"] = operand.type.call
        inputs = tuple(operand.number for operand in operands if operand.number >= 0)
        if found.name in REMEMBERING and not self.training:
            self._mismatch(
                node.span,
                f"`{found.name}` remembers the steps of a training, and here nothing is trained",
                "it stands in an `update`",
            )
            return NOTHING
        if found.name == "next_token":
            return self._next_token(operands, attributes, type, node.span, scope)
        if found.name == "generate":
            return generate_call(self, node, attributes, type, scope)
        if found.samples:
            return self._sampler_call(found, node, attributes, type, scope)
        if found.name == "dropped":
            attributes["none"] = classes_of(self.operations[inputs[0]], self.context.globals)
            return self.add("function", inputs, attributes, type, site=self.sites.next())
        if found.name == "importance_weighted" and not self._draws(inputs):
            self._mismatch(
                node.span,
                "`importance_weighted` weighs draws, and nothing in this is drawn",
                "draw the latent before it, `z ~ q`, and give it to the decoder",
            )
            return NOTHING
        if found.name in _OF_CODES and (name := attributes["network"]) in self.networks:
            network = self.networks[name]
            if network is not None and quantizer_of(network) is None:
                self._mismatch(
                    node.span, f"`{found.name}` is of a codebook, and `{name}` ends with none", "end with `quantize`"
                )
                return NOTHING
        if found.name == "replay":
            return self.add("replay", inputs, {"size": options["size"]}, type, site=self.sites.next())
        site = self.sites.next() if found.draws or found.name in REMEMBERING else None
        return self.add("function", inputs, attributes, type, site=site)

    def _sampler_call(
        self, found: FunctionWord, node: tree.Call, attributes: dict[str, Any], type: Type, scope: Scope
    ) -> Operand:
        if self.training:
            self.context.problems.add(
                rules.misplaced,
                node.function.span,
                f"`{found.name}` draws samples, and no update differentiates through them",
                help="samplers stand in `sample` and in the equations of `evaluate`",
            )
            return NOTHING
        network = self.networks.get(attributes["network"])
        if network is None:
            return NOTHING
        others = sampled_inputs(network, attributes["arguments"])
        if isinstance(others, Mismatch):
            self._mismatch(node.span, f"`{found.name}` {others.message}", others.help)
            return NOTHING
        operands = [self._batch_of(one, network, node.span, scope) for one in others]
        if any(isinstance(operand.type, Unknown) for operand in operands):
            return NOTHING
        attributes["bounds"] = bounds_of(network, self.context.globals) if attributes["arguments"]["clip"] else None
        attributes["none"] = none_of(others, self.context.globals)
        inputs = tuple(operand.number for operand in operands)
        return self.add("function", inputs, attributes, type, site=self.sites.next())

    def _draws(self, numbers: tuple[int, ...]) -> bool:
        """Whether some operations rest on a draw from a distribution."""
        _, rested_on = pruned(numbers, self.operations)
        return any(operation.name in ("draw", "prior") for operation in rested_on)

    def _loss(self, name: str) -> LossWord:
        found = WORDS["loss"][name]
        assert isinstance(found, LossWord)
        return found

    def _loss_call(self, name: str, role: tree.Name | None, node: tree.Call, scope: Scope) -> Operand:
        loss = self._loss(name)
        self.context.use(loss)
        wanted = role.text if role is not None else ""
        if wanted not in loss.roles:
            self._evaluate_quietly(node, scope)
            roles = [f"`{name}.{one}`" if one else f"`{name}`" for one in loss.roles]
            place = role.span if role is not None else node.function.span
            message = (
                f"`{name}` has no `{wanted}`"
                if role is not None
                else f"`{name}` is a loss of two sides, and neither is named"
            )
            self.context.problems.add(
                rules.unknown_member,
                place,
                message,
                help=(did_you_mean(wanted, loss.roles) if role is not None else "") or f"write {' or '.join(roles)}",
            )
            return NOTHING
        pseudo = Word(
            name=f"{name}.{wanted}" if wanted else name,
            category="loss",
            doc=loss.doc,
            parameters=(*loss.roles[wanted], *loss.options(wanted)),
            example=loss.example,
        )
        bound = bind(pseudo, node.arguments, node.span, scope, self.context, resolve=self._resolve(scope))
        if LOST in bound.values():
            return NOTHING
        operands = [bound[parameter.name] for parameter in loss.roles[wanted]]
        if any(isinstance(operand.type, Unknown) for operand in operands):
            return NOTHING
        options = {parameter.name: bound[parameter.name] for parameter in loss.options(wanted)}
        type = loss.result(wanted, tuple(operand.type for operand in operands), options)
        if isinstance(type, Mismatch):
            self._mismatch(node.span, f"`{pseudo.name}` {type.message}", type.help or _as_in(pseudo))
            return NOTHING
        self._logits(pseudo.name, operands, node)
        attributes = {"word": name, "role": wanted, "arguments": options}
        return self.add("loss", tuple(operand.number for operand in operands), attributes, type)

    def _logits(self, name: str, operands: list[Operand], node: tree.Call) -> None:
        """A GAN's loss is of scores: a data field or a generated example in its place is a mistake."""
        for operand, argument in zip(operands, node.arguments, strict=False):
            type = operand.type
            fields = {one.field.name for one in self.context.globals.names.values() if isinstance(one, FieldMeaning)}
            if "." in name and isinstance(type, Tensor) and type.meaning in fields and not type.integer:
                self._mismatch(
                    argument.span,
                    f"`{name}` takes scores, and this is shaped as the data's `{type.meaning}`",
                    "give it to the discriminator first",
                )

    def _penalty_call(self, found: PenaltyWord, node: tree.Call, scope: Scope) -> Operand:
        bound = bind(found, node.arguments, node.span, scope, self.context, resolve=self._resolve(scope))
        if LOST in bound.values():
            return NOTHING
        name = bound["network"]
        network = self.networks.get(name)
        if network is None:
            return NOTHING
        operands: list[Operand] = []
        for parameter in found.tensors:
            operand = bound[parameter.name]
            if operand is None:
                operand = self._batch_of(network.inputs[0], network, node.span, scope)
            operands.append(operand)
        if any(isinstance(operand.type, Unknown) for operand in operands):
            return NOTHING
        for operand, parameter in zip(operands, found.tensors, strict=True):
            if not self._takes(
                network, network.inputs[0], operand, node.span, f"the `{parameter.name}` of `{found.name}`"
            ):
                return NOTHING
        output = network.outputs[0]
        if not isinstance(output.type, Tensor):
            self._mismatch(
                node.span, f"`{found.name}` takes a network that gives numbers, and `{name}` gives {output.type}"
            )
            return NOTHING
        inputs_beside = network.inputs[1:] if operands else ()
        others = [self._beside(one, network, operands[-1], node.span, scope) for one in inputs_beside]
        if any(isinstance(operand.type, Unknown) for operand in others):
            return NOTHING
        options = {
            p.name: bound[p.name]
            for p in found.parameters
            if not isinstance(p.kind, Expression) and p.name != "network"
        }
        every = options.pop("every", None)
        attributes = {
            "word": found.name,
            "network": name,
            "arguments": options,
            "every": int(every.value) if isinstance(every, Quantity) else None,
        }
        inputs = tuple(operand.number for operand in (*operands, *others))
        return self.add("penalty", inputs, attributes, Scalar(), site=self.sites.next())


def _as_in(word: Word) -> str:
    """The help where a rule gives none: how the word is used."""
    return f"as in `{word.example}`" if word.example else f"`gendsl explain {word.name.partition('.')[0]}` tells more"
