"""Calls of `generate` in, typed operations out: the network's further inputs, and what is wrong with a prompt."""

from typing import Any

from gendsl import rules
from gendsl.check.headers.sequences import characters_of
from gendsl.check.operations import NOTHING, Operations
from gendsl.check.scope import FieldMeaning, Operand, Scope
from gendsl.plan.onward import sequence_of
from gendsl.plan.plan import Field, Network
from gendsl.plan.prompts import too_long, unknown_characters
from gendsl.syntax import tree
from gendsl.vocabulary.types import Tensor, Type, Unknown


def generate_call(calls: Operations, node: tree.Call, attributes: dict[str, Any], type: Type, scope: Scope) -> Operand:
    """The operation of a call whose arguments are bound; `NOTHING` after a reported mistake."""
    problems = calls.context.problems
    if calls.training:
        problems.add(
            rules.misplaced,
            node.function.span,
            "`generate` draws sequences, and no update differentiates through them",
            help="it stands in `sample` and in the equations of `evaluate`",
        )
        return NOTHING
    network = calls.networks.get(attributes["network"])
    if network is None:
        return NOTHING
    if not (network.inputs[0].integer and len(network.inputs[0].shape) == 1):
        problems.add(
            rules.type_mismatch,
            node.span,
            f"`generate` takes a network whose first input is tokens, and that of `{network.name}` is none",
            help=f"as in `network {network.name}(tokens: text) -> categorical(text.vocabulary)`",
        )
        return NOTHING
    field = _field(network, calls)
    if not _begins(node, network, field, attributes["arguments"], calls):
        return NOTHING
    others = [calls._batch_of(one, network, node.span, scope) for one in network.inputs[1:]]
    if any(isinstance(one.type, Unknown) for one in others):
        return NOTHING
    length = attributes["arguments"]["length"]
    type = Tensor((length,), field.name if field is not None else "", True)
    inputs = tuple(one.number for one in others)
    return calls.add("function", inputs, attributes, type, site=calls.sites.next())


def _field(network: Network, calls: Operations) -> Field | None:
    """The field whose tokens a network reads."""
    of = network.inputs[0].of
    found = calls.context.globals.find(of) if isinstance(of, str) else None
    return found.field if isinstance(found, FieldMeaning) else None


def _begins(node: tree.Call, network: Network, field: Field | None, options: dict[str, Any], calls: Operations) -> bool:
    """Whether sequences can begin and end as the call says; reports why not."""
    source = next((one.call for one in calls.context.sources if field is not None and one.name == field.source), None)
    for name in ("prompt", "stop"):
        text = options[name]
        place = next((a.span for a in node.arguments if a.name is not None and a.name.text == name), node.span)
        if text is None or (name == "prompt" and text == ""):
            continue
        mistake = None
        if text == "":
            mistake = "an empty text is everywhere", "leave `stop` out, or say a text"
        elif source is None:
            mistake = f"`{network.name}` writes no text", f"leave `{name}` out"
        elif source.word == "midi":
            mistake = (
                f"`{network.name}` writes music, and `{name}` is a text",
                f"leave `{name}` out" + (": a piece begins as the training data does" if name == "prompt" else ""),
            )
        else:
            mistake = _unknown(text, source, calls.context.folder)
            if mistake is None and name == "prompt":
                mistake = _too_long(text, source, sequence_of(network), options["length"])
        if mistake is not None:
            calls.context.problems.add(rules.bad_prompt, place, mistake[0], help=mistake[1])
            return False
    return True


def _unknown(text: str, source: Any, folder: str) -> tuple[str, str] | None:
    """What is wrong with a text for a tokenizer that knows the characters of the training text alone."""
    tokenizer = source.arguments.get("tokenizer")
    if tokenizer is None or tokenizer.word != "characters":
        return None
    known = characters_of(source, folder)
    lost = [one for one in dict.fromkeys(_lowered(text, tokenizer)) if known is not None and one not in known]
    return unknown_characters(lost)


def _too_long(text: str, source: Any, window: int | None, length: Any) -> tuple[str, str] | None:
    tokenizer = source.arguments.get("tokenizer")
    word = "bytes" if tokenizer is None else tokenizer.word
    if word not in ("bytes", "characters"):
        return None  # how many tokens it is, only the trained tokenizer says
    return too_long(len(text.encode()) if word == "bytes" else len(_lowered(text, tokenizer)), window, length)


def _lowered(text: str, tokenizer: Any) -> str:
    return text.lower() if tokenizer is not None and tokenizer.arguments.get("lowercase") else text
