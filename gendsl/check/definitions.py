"""A spec's top-level statements in, its definitions by name out; imports are followed, params replaced from outside."""

import os
from collections.abc import Mapping

from gendsl import rules
from gendsl.check.arguments import bind
from gendsl.check.context import Context
from gendsl.check.scope import LOST, BlockMeaning, Deferred, Missing, NetworkMeaning, ObjectiveMeaning
from gendsl.diagnostics import Label, Problems
from gendsl.frozen import dataclass, field, replace
from gendsl.source import Source, Span
from gendsl.spelling import did_you_mean
from gendsl.syntax import tree
from gendsl.syntax.parse import parse
from gendsl.vocabulary import WORDS

ONCE = frozenset(["experiment", "data", "augment", "train", "sample", "monitor", "export", "card", "sweep"])
IMPORTED = frozenset(["block", "objective", "import", "allow"])
IMPORTS = 100
_HIDDEN_BY_NETWORKS = ("structure", "function", "penalty", "loss")


@dataclass(slots=True)
class Definitions:
    """What stands at the top of a spec."""

    blocks: dict[str, tree.Step] = field(default_factory=dict)  # those that stand once
    networks: dict[str, tree.Step] = field(default_factory=dict)
    defined: dict[str, tree.Step] = field(default_factory=dict)  # blocks and objectives
    evaluations: list[tree.Step] = field(default_factory=list)
    variants: list[tree.Step] = field(default_factory=list)
    params: dict[str, Deferred] = field(default_factory=dict)
    bindings: dict[str, Deferred] = field(default_factory=dict)


def definitions_of(spec: tree.Spec, settings: Mapping[str, str], context: Context) -> Definitions:
    """The definitions of a spec; each name is defined in the global scope."""
    out = Definitions()
    _gather(spec, out, context, [os.path.normpath(os.path.join(context.folder, os.path.basename(spec.source.path)))])
    _set(settings, out, context)
    first = spec.statements[0] if spec.statements else None
    if not (isinstance(first, tree.Chain) and first.steps[0].word == "experiment"):
        _missing_experiment(spec, out, context)
    return out


def _missing_experiment(spec: tree.Spec, out: Definitions, context: Context) -> None:
    if "experiment" in context.skipped or context.torn or context.problems.has(rules.syntax):
        return
    start = spec.statements[0].span if spec.statements else Span(spec.source, 0, 0)
    where = Span(spec.source, start.start, min(start.end, start.start + 1))
    if "experiment" in out.blocks:
        place = out.blocks["experiment"]
        context.problems.add(
            rules.missing_experiment,
            place.head_span,
            "`experiment` is not the first statement",
            help="move it to the top of the spec",
        )
    else:
        context.problems.add(
            rules.missing_experiment,
            where,
            "the spec does not begin with its name",
            help="write `experiment my_name` first",
        )


def _gather(spec: tree.Spec, out: Definitions, context: Context, opened: list[str]) -> None:
    imported = len(opened) > 1
    for statement in spec.statements:
        match statement:
            case tree.Parameter():
                _bind(statement, out, context, param=True)
            case tree.Binding():
                _bind(statement, out, context, param=False)
            case tree.Draw():
                context.problems.add(
                    rules.misplaced,
                    statement.span,
                    "a draw stands in an update or in `sample`",
                    help="as an input of a network, write `z: normal(64)`",
                )
                context.globals.define(statement.name.text, Missing(), statement.name.span)
            case tree.Chain():
                step = statement.steps[0]
                if step.word not in WORDS["top"] and context.torn:
                    continue  # it stands outside its block because a brace is missing or too many
                if len(statement.steps) > 1 and step.word in WORDS["top"]:
                    context.problems.add(
                        rules.no_chain,
                        statement.steps[1].head_span,
                        "`|` joins layers, and this is the top of a spec",
                        help="put the layers into a network",
                    )
                if step.label is not None or step.index is not None:
                    name = step.label or step.index
                    assert name is not None
                    context.problems.add(
                        rules.misplaced,
                        name.span,
                        "`as` labels values of networks only",
                        help=f"remove `as {name.text}`",
                    )
                if imported and step.word not in IMPORTED and step.word in WORDS["top"]:
                    context.problems.add(
                        rules.import_content,
                        step.head_span,
                        f"`{step.word}` belongs to the spec itself, and this file is imported",
                        help="params, bindings, blocks and objectives are imported",
                    )
                    continue
                _statement(step, out, context, opened)


def _bind(statement: tree.Parameter | tree.Binding, out: Definitions, context: Context, *, param: bool) -> None:
    name = statement.name.text
    if not param and name in WORDS["top"]:
        context.problems.add(rules.syntax, statement.span, f"`{name}` is written without `=`", help=f"write `{name} …`")
        return
    if not _free(statement.name, context):
        return
    meaning = Deferred(statement.value, statement.name.span, param=param)
    context.globals.define(name, meaning, statement.name.span)
    (out.params if param else out.bindings)[name] = meaning


def _free(name: tree.Name, context: Context) -> bool:
    before = context.globals.spans.get(name.text)
    if before is None:
        return True
    context.problems.add(
        rules.duplicate_name,
        name.span,
        f"`{name.text}` is already defined",
        labels=(Label(before, "first here"),),
        help="networks, blocks, params, bindings and fields share one namespace: choose another name",
    )
    return False


def _statement(step: tree.Step, out: Definitions, context: Context, opened: list[str]) -> None:
    word = step.word
    match word:
        case "import":
            _import(step, out, context, opened)
        case "network" | "block" | "objective":
            _define(step, out, context)
        case "evaluate":
            out.evaluations.append(step)
        case "variant":
            out.variants.append(step)
        case "allow":
            bind(WORDS["top"]["allow"], step.arguments, step.span, context.globals, context)
        case _ if word in WORDS["top"]:
            if word == "monitor" and (whole := _joined(out.blocks.get(word), step)) is not None:
                out.blocks[word] = whole
                return
            if word in ONCE and word in out.blocks:
                context.problems.add(
                    rules.duplicate_block,
                    step.head_span,
                    f"`{word}` stands twice",
                    labels=(Label(out.blocks[word].head_span, "first here"),),
                    help="keep one of them",
                )
                return
            out.blocks[word] = step
            if step.block is None and WORDS["top"][word].body and not (word == "monitor" and step.arguments):
                context.problems.add(
                    rules.needs_block,
                    step.span,
                    f"`{word}` needs a block",
                    help=f"write `{WORDS['top'][word].example}`",
                )
            elif step.block is not None and not WORDS["top"][word].body:
                context.problems.add(
                    rules.no_block, step.block.span, f"`{word}` takes no block", help="remove the braces"
                )
        case _:
            context.unknown_word(word, "top", step.head_span)


def _joined(first: tree.Step | None, second: tree.Step) -> tree.Step | None:
    """`monitor default` and `monitor { … }` as the one statement that they come to, in whichever order they stand."""
    if first is None or (first.block is None) == (second.block is None):
        return None
    short, long = (first, second) if first.block is None else (second, first)
    return replace(long, arguments=short.arguments) if short.arguments and not long.arguments else None


def _define(step: tree.Step, out: Definitions, context: Context) -> None:
    """A network, block or objective by its signature."""
    kind = step.word
    value = step.arguments[0].value if step.arguments else None
    signature = value.left if isinstance(value, tree.Arrow) else value
    if isinstance(signature, tree.Name) and kind == "objective":
        signature = tree.Call(signature, (), signature.span)
    if not isinstance(signature, tree.Call) or not isinstance(signature.function, tree.Name):
        example = WORDS["top"][kind].example
        context.problems.add(
            rules.bad_input if kind == "network" else rules.missing_argument,
            value.span if value is not None else step.head_span,
            f"`{kind}` needs a name with its {'inputs' if kind == 'network' else 'arguments'} in parentheses",
            help=f"write `{example}`",
        )
        if isinstance(signature, tree.Name):
            context.globals.define(signature.text, Missing(), signature.span)
        return
    name = signature.function
    if kind == "network" and not isinstance(value, tree.Arrow):
        context.problems.add(
            rules.bad_result,
            signature.span,
            f"`{name.text}` does not declare what it gives",
            help=f"write `network {name.text}(…) -> image`, `-> logits(1)` or another result",
        )
        if _free(name, context):
            context.globals.define(name.text, Missing(), name.span)
        return
    if kind != "network" and isinstance(value, tree.Arrow):
        context.problems.add(
            rules.bad_result, value.right.span, f"`{kind}` declares no result", help="remove the `->` and what follows"
        )
    if kind != "network" and step.block is None:
        context.problems.add(
            rules.needs_block, step.span, f"`{kind}` needs a block", help=f"write `{WORDS['top'][kind].example}`"
        )
    if (kind == "network" and any(name.text in WORDS[c] for c in _HIDDEN_BY_NETWORKS)) or (
        kind == "block" and (name.text in WORDS["layer"] or name.text in WORDS["structure"])
    ):
        context.problems.add(
            rules.duplicate_name,
            name.span,
            f"`{name.text}` is a word of the language, and this would hide it",
            help="choose another name",
        )
        return
    if not _free(name, context):
        return
    if step.block is None:
        if kind == "network":
            context.problems.add(
                rules.needs_block,
                step.span,
                "a network needs its layers",
                help="write them in `{ … }` behind the result",
            )
        context.globals.define(name.text, Missing(), name.span)
        return
    if kind == "network":
        context.globals.define(name.text, NetworkMeaning(name.text), name.span)
        out.networks[name.text] = step
        return
    _arguments(step, signature, context)
    meaning = (BlockMeaning if kind == "block" else ObjectiveMeaning)(step, signature.arguments)
    context.globals.define(name.text, meaning, name.span)
    out.defined[name.text] = step


def _arguments(step: tree.Step, signature: tree.Call, context: Context) -> None:
    seen: set[str] = set()
    for argument in signature.arguments:
        name = argument.name or (argument.value if isinstance(argument.value, tree.Name) else None)
        if name is None:
            context.problems.add(
                rules.wrong_type,
                argument.span,
                "an argument is a name, `filters`, or one with a default, `filters: 64`",
                help="give it a name here, and the value where it is used",
            )
        elif name.text in seen:
            context.problems.add(
                rules.duplicate_name, argument.span, f"two arguments are named `{name.text}`", help="rename one of them"
            )
        else:
            seen.add(name.text)


def _import(step: tree.Step, out: Definitions, context: Context, opened: list[str]) -> None:
    path = bind(WORDS["top"]["import"], step.arguments, step.span, context.globals, context)["path"]
    if path is LOST:
        return
    place = os.path.normpath(os.path.join(os.path.dirname(opened[-1]), path))
    root = os.path.realpath(context.folder)
    if not os.path.realpath(place).startswith(root + os.sep):
        context.problems.add(
            rules.path_outside,
            step.span,
            "this path leads out of the project's folder",
            help="keep imported files inside it",
        )
        return
    if place in opened:
        context.problems.add(
            rules.circular,
            step.span,
            f'"{path}" imports itself' if place == opened[-1] else f'"{path}" is being imported already',
            help="take out one of the imports: share what both need in a third file",
        )
        return
    if len(opened) > IMPORTS:
        context.problems.add(
            rules.import_failed, step.span, f"more than {IMPORTS} imports in one another", help="import less deeply"
        )
        return
    from gendsl.reading import read

    problems = Problems()
    source = read(place, problems)
    if source is None:
        reason = next((d.message for d in problems), "it cannot be read")
        near = did_you_mean(os.path.basename(path), _beside(place))
        context.problems.add(
            rules.import_failed,
            step.span,
            f'"{path}" cannot be imported: {reason}',
            help=near or "write a path relative to this file",
        )
        return
    imported = parse(source, context.problems)
    context.skipped = context.skipped | imported.skipped
    _gather(imported, out, context, [*opened, place])


def _beside(place: str) -> list[str]:
    try:
        return [name for name in os.listdir(os.path.dirname(place)) if name.endswith(".gen")]
    except OSError:
        return []


def _set(settings: Mapping[str, str], out: Definitions, context: Context) -> None:
    """Replaces params by what stands in `--set name=value`."""
    for name, text in settings.items():
        source = Source(f"--set {name}", text)
        param = out.params.get(name)
        if param is None:
            context.problems.add(
                rules.not_a_param,
                Span(source, 0, len(text)),
                f"`{name}` is no param of this spec",
                help=did_you_mean(name, out.params)
                or (
                    f"its params are {', '.join(out.params)}"
                    if out.params
                    else "the spec has none: write `param name = value`"
                ),
            )
            continue
        problems = Problems()
        spec = parse(Source(f"--set {name}", f"param {name} = {text}"), problems)
        statement = spec.statements[0] if len(spec.statements) == 1 else None
        if len(problems) or not isinstance(statement, tree.Parameter):
            reason = next((d.message for d in problems), "it is more than a value")
            context.problems.add(
                rules.syntax,
                Span(source, 0, len(text)),
                f"`{text}` is no value: {reason}",
                help=f"write --set {name}=64",
            )
            continue
        param.value = statement.value


__all__ = ["Definitions", "definitions_of"]
