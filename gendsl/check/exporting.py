"""A form of export and what a sample is in, whether the form can hold it out: where it cannot, that is reported."""

from gendsl import rules
from gendsl.check.context import Context
from gendsl.check.statements import Statement
from gendsl.plan.plan import Sample
from gendsl.plan.rewritten import generated_by

_WITHOUT_LOOPS = {"litert": "LiteRT", "onnx": "ONNX"}


def find_unportable(statement: Statement, sample: Sample | None, context: Context) -> None:
    """Reports a form for other runtimes, where samples are made of what a network generates token by token."""
    runtime = _WITHOUT_LOOPS.get(statement.word.name)
    if runtime is None or sample is None or generated_by(sample) is not None:
        return
    context.problems.add(
        rules.not_portable,
        statement.step.head_span,
        f"{runtime} cannot hold these samples: something is made of what a network generates token by token",
        help=f"leave `{statement.word.name}` out; `saved_model` serves them",
    )
