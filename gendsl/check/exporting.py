"""The block `export` and what a sample is in, the forms of export out; a form that cannot hold it is reported."""

from gendsl import rules
from gendsl.check.context import Context
from gendsl.check.statements import statements_of
from gendsl.plan.plan import Call, Sample
from gendsl.plan.rewritten import generated_by
from gendsl.syntax import tree

_WITHOUT_LOOPS = {"litert": "LiteRT", "onnx": "ONNX"}


def exports_of(block: tree.Block | None, sample: Sample | None, context: Context) -> tuple[Call, ...]:
    """The calls of `export`, without those in which a mistake was reported."""
    found = statements_of(block, "export", context.globals, context)
    for statement in found:
        runtime = _WITHOUT_LOOPS.get(statement.word.name)
        if runtime is not None and sample is not None and generated_by(sample) is None:
            context.problems.add(
                rules.not_portable,
                statement.step.head_span,
                f"{runtime} cannot hold these samples: something is made of what a network generates token by token",
                help=f"leave `{statement.word.name}` out; `saved_model` serves them",
            )
    return tuple(call for one in found if (call := one.call) is not None)
