"""The blocks `sample` and `evaluate` in, their plans out."""

from collections.abc import Collection, Mapping

from gendsl import rules
from gendsl.check.arguments import bind
from gendsl.check.context import Context
from gendsl.check.equations import Equations
from gendsl.check.operations import NOTHING, Sites
from gendsl.check.pruning import pruned
from gendsl.check.scope import LOST, FieldMeaning, Missing, Operand, Scope
from gendsl.check.scores import check_scores
from gendsl.check.statements import Statement, statements_of
from gendsl.diagnostics import Label
from gendsl.plan.plan import Evaluation, Network, Sample
from gendsl.source import Span
from gendsl.spelling import did_you_mean
from gendsl.syntax import tree
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.dimensions import same_shape
from gendsl.vocabulary.scores import SCORES, better_of, numbers_of
from gendsl.vocabulary.types import Distribution, NetworkType, Process, Scalar, Several, Tensor, Truth, Unknown
from gendsl.vocabulary.word import Word

Bound = tuple[str, Operand, Span]


def _bindings(block: tree.Block | None, equations: Equations, context: Context, category: str) -> list[Bound]:
    """The bindings of a block of equations, in order."""
    scope = Scope(context.globals)
    out: list[Bound] = []
    for statement in block.statements if block is not None else ():
        if isinstance(statement, tree.Chain):
            if category == "sample" and statement.steps[0].word != "allow":
                context.problems.add(
                    rules.misplaced,
                    statement.span,
                    f"`{statement.steps[0].word}` cannot stand in `sample`, which holds equations",
                    help="write `image = …`",
                )
            continue
        if isinstance(statement, tree.Lost):
            continue
        name = statement.name.text
        if name in scope.names:
            context.problems.add(
                rules.duplicate_name,
                statement.name.span,
                f"`{name}` is already bound here",
                labels=(Label(scope.spans[name], "first here"),),
                help="choose another name",
            )
            continue
        if isinstance(statement, tree.Draw):
            operand = equations.draw(statement, scope)
            if category == "sample" and block is not None and statement is block.statements[-1]:
                out.append((name, operand, statement.value.span))  # what is drawn last is the sample
        elif isinstance(statement, tree.Binding):
            operand = equations.value(statement.value, scope)
            out.append((name, operand, statement.value.span))
        else:
            context.problems.add(
                rules.misplaced, statement.span, "a param stands at the top of a spec", help="move it there"
            )
            operand = NOTHING
        scope.define(name, Missing() if isinstance(operand.type, Unknown) else operand, statement.name.span)
    return out


def sample_of(
    step: tree.Step | None, networks: Mapping[str, Network | None], sites: Sites, context: Context
) -> Sample | None:
    """The plan of `sample { }`, or of its default: the network named `generator`, called with nothing."""
    equations = Equations(context, networks, sites)
    if step is None:
        generator = networks.get("generator")
        if generator is None:
            return None
        span = context.globals.spans["generator"]
        operand = equations.network_call("generator", (), span, context.globals)
        bound: list[Bound] = []
        if isinstance(operand.type, Several):
            bound = [
                (output.name, equations.add("output", (operand.number,), {"name": output.name}, output.type), span)
                for output in generator.outputs
            ]
        elif not isinstance(operand.type, Unknown):
            type = generator.outputs[0].type
            name = type.meaning if isinstance(type, Tensor) and type.meaning else "sample"
            if isinstance(type, Distribution):
                operand = equations.add(
                    "function", (operand.number,), {"word": "mean", "arguments": {}}, Tensor(type.event)
                )
            bound = [(name, operand, span)]
    else:
        bound = _bindings(step.block, equations, context, "sample")
        if not bound and step.block is not None and len(context.problems) == 0:
            context.problems.add(
                rules.missing_sample, step.head_span, "`sample` gives nothing", help="write `image = …` in it"
            )
    outputs: list[tuple[str, int]] = []
    for name, operand, span in bound:
        if isinstance(operand.type, Unknown):
            return None
        if not isinstance(operand.type, Tensor):
            if span is not bound[-1][2]:
                continue  # an intermediate value, such as a distribution that is drawn from below
            message = f"`{name}` is no sample: it is {_article(operand)}"
            help = "draw from it or take its mean" if isinstance(operand.type, Distribution) else "a sample is a tensor"
            context.problems.add(rules.type_mismatch, span, message, help=help)
            return None
        meaning = context.globals.find(name)
        sized = isinstance(meaning, FieldMeaning) and meaning.field.kind != "text"  # a text may be longer than a window
        if sized and isinstance(meaning, FieldMeaning) and not same_shape(meaning.field.shape, operand.type.shape):
            context.problems.add(
                rules.type_mismatch,
                span,
                f"`{name}` is {Tensor(meaning.field.shape)} in the data, and this is {operand.type}",
                help="give it what the network makes of that field, or choose another name",
            )
            return None
        outputs.append((name, operand.number))
    numbers, operations = pruned([number for _, number in outputs], equations.operations)
    fields = tuple(operation.attributes["name"] for operation in operations if operation.name == "field")
    return Sample(tuple((name, numbers[number]) for name, number in outputs), operations, tuple(dict.fromkeys(fields)))


def _article(operand: Operand) -> str:
    match operand.type:
        case Distribution():
            return f"a distribution, {operand.type}"
        case Scalar():
            return "a scalar"
        case NetworkType():
            return "a network"
        case Process():
            return "a noising process"
        case Truth():
            return "a condition"
    return str(operand.type)


def evaluation_of(
    step: tree.Step,
    networks: Mapping[str, Network | None],
    sites: Sites,
    context: Context,
    sample: Sample | None = None,
) -> Evaluation | None:
    """The plan of one `evaluate { }`."""
    word = WORDS["top"]["evaluate"]
    arguments = bind(word, step.arguments, step.head_span, context.globals, context)
    equations = Equations(context, networks, sites)
    bound = _bindings(step.block, equations, context, "score")
    chains = tree.Block(
        tuple(s for s in (step.block.statements if step.block is not None else ()) if isinstance(s, tree.Chain)),
        step.span,
    )
    statements = statements_of(chains, "score", context.globals, context)
    scores = tuple(call for s in statements if (call := s.call) is not None)
    if step.block is None:
        context.problems.add(
            rules.needs_block, step.span, "`evaluate` needs its scores", help=f"write `{word.example}`"
        )
    own = {name for name, _, _ in bound}
    for equation in check_scores(statements, arguments, step.head_span, networks, sample, context):
        made = _bindings(tree.Block((*equation,), step.span), equations, context, "score")
        bound += [one for one in made if one[0] in WORDS["score"] and one[0] not in own]
    outputs: list[tuple[str, int]] = []
    for name, operand, _ in bound:
        if isinstance(operand.type, Scalar) or (isinstance(operand.type, Tensor) and operand.type.shape == ()):
            outputs.append((name, operand.number))
    names = {number for call in scores if call.word != "keep" for number in numbers_of(call.word)}
    names |= {name for name, _ in outputs}
    context.scores.update(dict.fromkeys(names))
    for statement in statements:
        if statement.word.name == "keep":
            _check_best(statement, names, context)
    if LOST in arguments.values():
        return None
    numbers, operations = pruned([number for _, number in outputs], equations.operations)
    return Evaluation(
        arguments.pop("every"),
        arguments.pop("samples"),
        arguments,
        scores,
        tuple((name, numbers[number]) for name, number in outputs),
        operations,
    )


def _check_best(statement: Statement, names: Collection[str], context: Context) -> None:
    """Reports a `keep best` of no score, one that leaves open which value is the best, and a second one of the spec."""
    best, span = statement.arguments.get("best"), statement.step.span
    if not isinstance(best, str):
        return
    word = _scoring(best)
    if best not in names:
        help = did_you_mean(best, names) or "score it here, too"
        context.problems.add(rules.unknown_score, span, f"`{best}` is no score of this block", help=help)
    elif statement.arguments.get("better") is None and not better_of(best):
        message = f"it is not said whether a lower or a higher `{best}` is better"
        help = f"write `keep best: {best}, better: lower`, or `better: higher`"
        context.problems.add(rules.missing_argument, span, message, help=help)
    elif word is not None and not word.runs:
        context.unbuilt[("keep best", "score")] = None
    if context.best is not None:
        context.problems.add(
            rules.duplicate_block,
            span,
            "a run keeps one best checkpoint",
            labels=(Label(context.best, "first here"),),
            help="keep one of them",
        )
    context.best = context.best or span


def _scoring(number: str) -> Word | None:
    """The word of the score that gives a number."""
    return next((word for word in SCORES if word.name == number or number in numbers_of(word.name)), None)
