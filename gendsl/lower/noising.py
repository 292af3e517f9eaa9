"""The operations of an equation that are of a noising process, with their inputs, in; their values out."""

from collections.abc import Sequence
from typing import Any

from gendsl.lower.calling import Caller
from gendsl.lower.functions import dropped, number
from gendsl.lower.processes import Times, mixed, process_of
from gendsl.lower.samplers import guided, sampled
from gendsl.parts.keys import Key
from gendsl.plan.plan import Operation


def is_of_process(operation: Operation) -> bool:
    """Whether `of_process` gives an operation's value."""
    return operation.name == "function" and (
        "process" in operation.attributes or operation.attributes["word"] == "dropped"
    )


def of_process(caller: Caller, operation: Operation, inputs: Sequence[Any], key: Key) -> Any:
    """The value of `time`, `noised`, `target`, `denoised`, `dropped` or of a sampler."""
    attributes = operation.attributes
    match attributes["word"]:
        case "time":
            return Times(process_of(attributes["process"]), caller.batch)
        case "noised" | "target" | "denoised" as word:
            left, right, times = (number(value) for value in inputs)
            return mixed(word, attributes["process"], left, right, times)
        case "dropped":
            return dropped(inputs[0], attributes["arguments"]["chance"], attributes["none"], key)
        case _:
            return _samples(caller, operation, inputs, key)


def _samples(caller: Caller, operation: Operation, inputs: Sequence[Any], key: Key) -> Any:
    """Samples of a network that undoes a process; `inputs` are its inputs beside the noisy value and the time."""
    attributes, options = operation.attributes, operation.attributes["arguments"]
    network = caller.networks[attributes["network"]]
    sizes = [size for size in network.inputs[0].shape if isinstance(size, int)]  # all are known by now
    start = key.at("start").normal([caller.batch, *sizes])
    if attributes.get("part") == "start":  # a walk wants it alone, or gives it
        return start
    if attributes.get("part") == "from":
        *inputs, start = inputs

    def predict(x: Any, times: Any, others: Sequence[Any]) -> Any:
        rest = iter(others)
        given = [x, *(times if one.kind == "time" else next(rest) for one in network.inputs[1:])]
        return caller.called(network.name, given, key.at("call"), training=False, advance=False).outputs[0]

    one = guided(predict, inputs, attributes["none"], float(options["guidance"]))
    return sampled(attributes["word"], attributes["process"], options, start, key, one, bounds=attributes["bounds"])
