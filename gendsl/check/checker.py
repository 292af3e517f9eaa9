"""A source in, a plan or its problems out: every pass of the checker, in order, and all mistakes in one go."""

import sys
from collections.abc import Mapping
from typing import Any

from gendsl import rules
from gendsl.check.advice import advise
from gendsl.check.augmentation import augment_of, find_unfit
from gendsl.check.constants import constant, plain
from gendsl.check.context import Context
from gendsl.check.data import KINDS, data_of
from gendsl.check.definitions import Definitions, definitions_of
from gendsl.check.evaluation import evaluation_of, sample_of
from gendsl.check.gate import card_of, export_of
from gendsl.check.monitors import monitors_of
from gendsl.check.networks import network_of
from gendsl.check.operations import Sites
from gendsl.check.scope import LOST, Missing
from gendsl.check.training import TrainingBuilder, train_of
from gendsl.check.variants import sweep_of, variant_of
from gendsl.diagnostics import Problems
from gendsl.plan.plan import Augment, Network, Plan
from gendsl.source import Source, Span
from gendsl.spelling import did_you_mean
from gendsl.syntax import tree
from gendsl.syntax.parse import parse
from gendsl.syntax.write import statement, value
from gendsl.vocabulary import WORDS, categories_of
from gendsl.vocabulary.dimensions import Symbolic

FRAMES = 20_000  # of Python: the limits of nesting and of operators (syntax/tokens.py) stay far below


def check(
    source: Source, problems: Problems, *, settings: Mapping[str, str] | None = None, folder: str = "."
) -> Plan | None:
    """The plan of a spec, or None where there are errors; all problems are added to `problems`.

    `settings` replaces params (`--set name=value`); `folder` is the spec's, which its paths are relative to.
    """
    return check_tree(parse(source, problems), problems, settings=settings, folder=folder)


def check_tree(
    spec: tree.Spec, problems: Problems, *, settings: Mapping[str, str] | None = None, folder: str = "."
) -> Plan | None:
    """As `check`, of a parsed spec."""
    if any(diagnostic.rule is rules.too_deep for diagnostic in problems.of("error")):
        return None  # nothing of it was parsed
    sys.setrecursionlimit(max(sys.getrecursionlimit(), FRAMES))
    context = Context(problems, folder, skipped=spec.skipped)
    definitions = definitions_of(spec, settings or {}, context)
    blocks = definitions.blocks
    parsed = not spec.skipped
    if not parsed:
        _forgive(context)
    data_step = blocks.get("data")
    data = data_of(data_step, context) if data_step is not None else None
    context.sources = data.sources if data is not None else ()
    if data_step is None:
        for name in KINDS:
            context.globals.names.setdefault(name, Missing())
    augment = augment_of(blocks["augment"], context) if "augment" in blocks else Augment()
    networks = _networks(definitions, context)
    train, builder = None, None
    if "train" in blocks:
        train, builder = train_of(blocks["train"], networks, augment, context)
    sites = builder.sites if builder is not None else Sites()
    sample = sample_of(blocks.get("sample"), networks, sites, context)
    scored = [evaluation_of(step, networks, sites, context, sample) for step in definitions.evaluations]
    evaluations = [one for one in scored if one is not None]
    updates = [update for group in (builder.groups if builder else ()) for update in group.updates]
    monitors = monitors_of(blocks["monitor"], updates, train, augment, context) if "monitor" in blocks else ()
    export = export_of(blocks["export"], sample, context) if "export" in blocks else ()
    card = card_of(blocks["card"], context) if "card" in blocks else ()
    sweep = sweep_of(blocks["sweep"], context) if "sweep" in blocks else None
    variants = dict(v for step in definitions.variants if (v := variant_of(step, context)) is not None)
    _missing(spec, definitions, context)
    _missing_sample(definitions, networks, context)
    _unused(definitions, builder, context)
    params = _params(definitions, context)
    experiment = _experiment(blocks, context)
    plan = None
    if not problems.failed and data is not None and train is not None:
        plan = Plan(
            experiment=experiment,
            params=params,
            data=data,
            augment=augment,
            networks=tuple(network for network in networks.values() if network is not None),
            train=train,
            sample=sample,
            evaluations=tuple(evaluations),
            monitors=monitors,
            export=export,
            card=card,
            sweep=sweep,
            variants=variants,
            not_built=tuple(context.unbuilt),
            objectives=tuple(
                (value(step.arguments[0].value), "".join(f"{statement(one)}\n" for one in statements))
                for step, statements in (builder.expansions if builder is not None else ())
            ),
        )
        if "augment" in blocks:
            find_unfit(plan, blocks["augment"], context)
        advise(plan, blocks["train"], context)
    context.point_at_unread()
    _silence(spec, context)
    if problems.failed:
        return None
    assert plan is not None, "a spec without a plan has an error"
    return plan


def _forgive(context: Context) -> None:
    """Names in text that did not parse are not missed."""
    for name in context.skipped:
        if context.globals.find(name) is None and not categories_of(name):
            context.globals.names[name] = Missing()


def _networks(definitions: Definitions, context: Context) -> dict[str, Network | None]:
    """The plans of the networks; one that is used as a layer comes before its user."""
    out: dict[str, Network | None] = {}
    opened: list[str] = []

    class Lazily(dict[str, Network]):
        def get(self, name: str, default: Any = None) -> Any:
            if name in opened:
                step = definitions.networks[name]
                context.problems.add(
                    rules.circular, step.head_span, f"`{name}` uses itself as a layer", help="take the layer out"
                )
                return None
            return build(name)

    lazily = Lazily()

    def build(name: str) -> Network | None:
        if name not in out:
            opened.append(name)
            found = network_of(definitions.networks[name], lazily, context)
            opened.pop()
            out[name] = found
        return out[name]

    for name in definitions.networks:
        build(name)
    return out


def _missing(spec: tree.Spec, definitions: Definitions, context: Context) -> None:
    """Reports blocks that every spec needs; after a syntax error nothing is missed."""
    if spec.skipped or context.torn or not spec.statements:
        if not spec.statements and not context.problems.failed:
            context.problems.add(
                rules.missing_block,
                Span(spec.source, 0, 0),
                "the spec is empty",
                help="`gendsl new my_name` writes one",
            )
        return
    words = {s.steps[0].word for s in spec.statements if isinstance(s, tree.Chain)}
    end = spec.statements[-1].span
    place = Span(spec.source, end.start, end.start + 1)
    for word in ("data", "train"):
        if word not in definitions.blocks and not any(did_you_mean(w, [word]) and _near(w, word) for w in words):
            context.problems.add(
                rules.missing_block, place, f"the spec has no `{word}`", help=f"write `{WORDS['top'][word].example}`"
            )
    named = {n for n in words if _near(n, "network")}
    if not definitions.networks and not named and "network" not in words:
        context.problems.add(
            rules.missing_block, place, "the spec has no network", help=f"write `{WORDS['top']['network'].example}`"
        )


def _near(word: str, wanted: str) -> bool:
    from gendsl.spelling import suggestion

    return word not in WORDS["top"] and suggestion(word, [wanted, ""]) == wanted


def _missing_sample(definitions: Definitions, networks: dict[str, Network | None], context: Context) -> None:
    if "sample" in definitions.blocks or "generator" in definitions.networks or "train" not in definitions.blocks:
        return
    if {"sample", "generator"} & context.skipped or not networks or context.problems.failed:
        return
    context.problems.add(
        rules.missing_sample,
        definitions.blocks["train"].head_span,
        "nothing says what a sample is: no network is named `generator`, and there is no `sample`",
        help="write `sample { image = … }`",
    )


def _unused(definitions: Definitions, builder: TrainingBuilder | None, context: Context) -> None:
    """Reports networks, params, bindings and blocks that nothing reads."""
    sure = not context.skipped and not context.torn and builder is not None and not builder.broken
    for name, step in definitions.networks.items():
        if sure and builder is not None and name not in context.used | builder.trained:
            signature = step.arguments[0].value
            place = signature.left.span if isinstance(signature, tree.Arrow) else step.head_span
            context.problems.add(
                rules.unused_network,
                place,
                f"nothing uses the network `{name}`",
                help="call it in an update, or remove it",
            )
    for name, meaning in {**definitions.params, **definitions.bindings}.items():
        if name not in context.used and not context.problems.failed:
            context.problems.add(
                rules.unused_binding, meaning.span, f"nothing reads `{name}`", help="remove it, or use it"
            )
    if not context.problems.failed:
        for name, step in definitions.defined.items():
            if name not in context.used and step.span.source is context.globals.spans[name].source:
                context.problems.add(
                    rules.unused_binding,
                    context.globals.spans[name],
                    f"nothing uses the {step.word} `{name}`",
                    help="remove it, or use it",
                )


def _params(definitions: Definitions, context: Context) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, meaning in definitions.params.items():
        if isinstance(meaning.value, tree.Call | tree.Name | tree.ListOf) and meaning.result is None:
            out[name] = value(meaning.value)
            continue
        result = (
            meaning.result.value if meaning.result is not None else constant(meaning.value, context.globals, context)
        )
        if result is not LOST:
            out[name] = str(result) if isinstance(result, Symbolic) else plain(result)
    return out


def _experiment(blocks: dict[str, tree.Step], context: Context) -> str:
    from gendsl.check.arguments import bind

    step = blocks.get("experiment")
    if step is None:
        return ""
    name = bind(WORDS["top"]["experiment"], step.arguments, step.span, context.globals, context)["name"]
    return name if isinstance(name, str) else ""


def _silence(spec: tree.Spec, context: Context) -> None:
    """Takes back the advice that `allow` silences, in the block it stands in."""
    allowed: list[tuple[str, Span]] = []
    _allowed(spec.statements, Span(spec.source, 0, len(spec.source.text)), allowed, context)
    for diagnostic in list(context.problems):
        span = diagnostic.span
        for code, place in allowed:
            if (
                diagnostic.rule.code == code
                and diagnostic.severity != "error"
                and span.source is place.source
                and place.start <= span.start
                and span.end <= place.end
            ):
                context.problems.drop(diagnostic)


def _allowed(
    statements: tuple[tree.Statement, ...], place: Span, out: list[tuple[str, Span]], context: Context
) -> None:
    for one in statements:
        if not isinstance(one, tree.Chain):
            continue
        for step in one.steps:
            if step.word == "allow" and step.arguments:
                name = step.arguments[0].value
                if isinstance(name, tree.Name):
                    out.append((name.text, place))
                    _advice_only(name, context)
            elif step.block is not None:
                _allowed(step.block.statements, step.block.span, out, context)


def _advice_only(name: tree.Name, context: Context) -> None:
    rule = rules.BY_CODE.get(name.text)
    if rule is not None and rule.severity != "error":
        return
    advice = [code for code, one in rules.BY_CODE.items() if one.severity != "error"]
    context.problems.add(
        rules.unknown_word,
        name.span,
        f"`{name.text}` is an error, which cannot be allowed"
        if rule is not None
        else f"no advice is named `{name.text}`",
        help=did_you_mean(name.text, advice) or "`gendsl explain` tells of every rule",
    )
