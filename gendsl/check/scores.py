"""The scores of an `evaluate` in, what cannot be taken of this spec reported; those that are equations written out."""

import zipfile
from collections.abc import Mapping, Sequence
from typing import Any

from gendsl import rules
from gendsl.check.context import Context
from gendsl.check.headers.paths import Refused, inside
from gendsl.check.rows import unscorable_table
from gendsl.check.scope import FieldMeaning
from gendsl.check.statements import Statement
from gendsl.check.token_scores import unwritten
from gendsl.diagnostics import Problems
from gendsl.plan.features import extractor_of, label_beside
from gendsl.plan.plan import Call, Field, Network, Sample
from gendsl.source import Source, Span
from gendsl.syntax import tree
from gendsl.syntax.parse import parse
from gendsl.vocabulary import WORDS, token_scores
from gendsl.vocabulary.dimensions import same_shape
from gendsl.vocabulary.table_scores import SCORES as TABLE_SCORES
from gendsl.vocabulary.types import Distribution

_OF_PICTURES = ("lite0", "inception", "classifier")
_WITH_CLASSES = ("lite0", "inception", "classifier")
_EQUATIONS = ("elbo", "reconstruction")
_OF_TOKENS = ("bits_per_byte", "perplexity")
_OF_TABLES = frozenset(word.name for word in TABLE_SCORES)


def check_scores(
    statements: Sequence[Statement],
    arguments: Mapping[str, Any],
    head: Span,
    networks: Mapping[str, Network | None],
    sample: Sample | None,
    context: Context,
) -> tuple[tuple[tree.Statement, ...], ...]:
    """Reports scores that this spec can never have; gives for each that is an equation the statements it stands for."""
    fields = tuple(meaning.field for meaning in context.globals.names.values() if isinstance(meaning, FieldMeaning))
    scored = [field for field in fields if field.kind in ("image", "row", "point")]
    found: list[tuple[tree.Statement, ...]] = []
    for statement in statements:
        word, call = statement.word, statement.call
        if call is None or not word.runs or word.name == "keep":
            continue
        if word.name in ("diversity", "modes") and (scored or not fields):
            continue
        if word.name in _EQUATIONS:
            found.append(_equation(statement, fields, networks, context))
            continue
        if word.name in _OF_TOKENS:
            found.append(_likelihood(statement, fields, networks, context))
            continue
        if word.name in token_scores.NAMES:
            message, help = unwritten(call, fields, context.sources, sample)
        else:
            message, help = _unscorable(call, arguments, scored, fields, sample, context)
        if message:
            blame = "features" if "features" in statement.arguments else ""
            context.problems.add(rules.unscorable, statement.span_of(blame), message, help=help)
    return tuple(found)


def _unscorable(
    call: Call,
    arguments: Mapping[str, Any],
    scored: Sequence[Field],
    fields: tuple[Field, ...],
    sample: Sample | None,
    context: Context,
) -> tuple[str, str]:
    """Why a score cannot be taken, and what to do; empty where it can be."""
    if not scored:
        return f"`{call.word}` is of pictures, rows or points, and the data has none", "score `perplexity` instead"
    if call.word in _OF_TABLES:
        return unscorable_table(call, scored, context.rules)
    pictures = any(field.kind == "image" for field in scored)
    if call.word == "sliced_wasserstein" and not pictures:
        return "`sliced_wasserstein` is of patches of pictures, and the data has none", "score `fid` or `kid` instead"
    if call.word in ("classification_accuracy", "gan_test"):
        labelled = sample is None or any(one.kind == "label" and one.name in sample.inputs for one in fields)
        if not (labelled and pictures):
            return (
                f"`{call.word}` needs samples of given classes, and a sample takes none",
                "give the generator a label: `network generator(z: normal(64), y: label) -> image`",
            )
    if call.word == "ppl" and sample is not None and not any(one.name == "prior" for one in sample.operations):
        return "`ppl` walks through the prior, and a sample draws none", "score `fid` or `kid` instead"
    if WORDS["score"][call.word].parameter("features") is None:
        return "", ""
    return _wrong_extractor(call, arguments, scored, fields, context)


def _wrong_extractor(
    call: Call, arguments: Mapping[str, Any], scored: Sequence[Field], fields: tuple[Field, ...], context: Context
) -> tuple[str, str]:
    for field in scored:
        meant = extractor_of(call, arguments, field, fields)
        if isinstance(meant, str):
            refused = _no_model(meant, context.folder)
            if refused:
                return refused, 'save a model with `model.save("features.keras")`, beside the spec'
        elif meant.word in _OF_PICTURES and field.kind != "image":
            return f"`{meant.word}` looks at pictures, and `{field.name}` is none", "write `features: pixels`"
        elif meant.word == "classifier" and label_beside(field, fields) is None:
            return (
                f"`classifier` is trained on labels, and `{field.name}` has none beside it",
                "declare the `label` of the data, or write `features: lite0`",
            )
        if call.word == "inception_score" and (isinstance(meant, str) or meant.word not in _WITH_CLASSES):
            named = meant if isinstance(meant, str) else meant.word
            return (
                f"`inception_score` asks how sure a classifier is, and `{named}` knows no classes",
                "write `features: classifier`, `lite0` or `inception`",
            )
        if call.word in ("gan_test", "class_balance") and (isinstance(meant, str) or meant.word != "classifier"):
            named = meant if isinstance(meant, str) else meant.word
            return (
                f"`{call.word}` asks a classifier of the data's own classes, and `{named}` knows others",
                f"write `{call.word} features: classifier`",
            )
    return "", ""


def _no_model(path: str, folder: str) -> str:
    """Why a path is no `.keras` file; empty where it may be one."""
    try:
        place = inside(folder, path)
        with zipfile.ZipFile(place) as file:
            return "" if "config.json" in file.namelist() else f'"{path}" is an archive, and holds no Keras model'
    except Refused as refused:
        return refused.message
    except FileNotFoundError:
        return f'there is no file "{path}"'
    except (OSError, zipfile.BadZipFile):
        return f'"{path}" is no `.keras` file'


def _equation(
    statement: Statement, fields: Sequence[Field], networks: Mapping[str, Network | None], context: Context
) -> tuple[tree.Statement, ...]:
    """`elbo` and `reconstruction` in the language itself, of the encoder and the decoder that the spec has."""
    name = statement.word.name
    if any(network is None for network in networks.values()):
        return ()
    found = _autoencoder(fields, [network for network in networks.values() if network is not None])
    if found is None:
        context.problems.add(
            rules.unscorable,
            statement.step.span,
            f"`{name}` needs an encoder to a normal latent and a decoder back, and the spec has no such pair",
            help="`network encoder(x: image) -> normal(16)`, and `network decoder(z: normal(16)) -> bernoulli(image)`",
        )
        return ()
    encoder, decoder, latent, size, field = found
    drawn = f"{decoder}({latent}: z)"
    prior = f"normal({size})"
    context.used |= {encoder, decoder, field}
    if name == "reconstruction":
        text = f"q = {encoder}()\nz = mean(q)\nreconstruction = l2(mean({drawn}), {field})"
    elif int(statement.arguments["draws"]) > 1:
        text = f"q = {encoder}()\nz ~ q\nelbo = log_prob({drawn}, {field}) + log_prob({prior}, z) - log_prob(q, z)"
    else:
        text = f"q = {encoder}()\nz ~ q\nelbo = log_prob({drawn}, {field}) - kl(q, {prior})"
    return _parsed(name, text)


def _likelihood(
    statement: Statement, fields: Sequence[Field], networks: Mapping[str, Network | None], context: Context
) -> tuple[tree.Statement, ...]:
    """`bits_per_byte` and `perplexity` in the language itself: what is lost of a window, in nats, which the evaluation
    adds up."""
    name = statement.word.name
    if any(network is None for network in networks.values()):
        return ()
    found = _model_of_tokens(fields, [network for network in networks.values() if network is not None])
    music = found is not None and _is_music(found[1], context)
    if found is None:
        message = f"`{name}` needs a network that says what follows each token, and the spec has none"
        help = "`network model(tokens: text) -> categorical(text.vocabulary)`"
    elif music and name == "bits_per_byte":
        message, help = "`bits_per_byte` is of the bytes of text, and the data is music", "score `perplexity` instead"
    else:
        network, field = found
        context.used |= {network.name, field.name}
        return _parsed(name, f"{name} = next_token({network.name}, {field.name})")
    context.problems.add(rules.unscorable, statement.step.span, message, help=help)
    return ()


def _is_music(field: Field, context: Context) -> bool:
    return any(source.name == field.source and source.call.word == "midi" for source in context.sources)


def _model_of_tokens(fields: Sequence[Field], networks: Sequence[Network]) -> tuple[Network, Field] | None:
    """The first network that gives a distribution over the next token at each place of a text, and that text."""
    for network in networks:
        result = network.outputs[0].type
        if len(network.outputs) != 1 or not isinstance(result, Distribution) or result.family != "categorical":
            continue
        for field in fields:
            if field.kind == "text" and network.inputs[0].of == field.name and same_shape(result.event, field.shape):
                return network, field
    return None


def _parsed(name: str, text: str) -> tuple[tree.Statement, ...]:
    problems = Problems()
    parsed = parse(Source(f"gendsl/{name}.gen", text), problems)
    assert not len(problems), [problem.message for problem in problems]
    return tuple(parsed.statements)


def _autoencoder(fields: Sequence[Field], networks: Sequence[Network]) -> tuple[str, str, str, str, str] | None:
    """Encoder, decoder, the decoder's latent input, that one's size as written, the field; None without a pair."""
    for encoder in networks:
        result = encoder.outputs[0].type
        seen = [one.of for one in encoder.inputs if one.kind == "field"]
        if len(encoder.outputs) != 1 or not isinstance(result, Distribution) or result.family != "normal":
            continue
        for decoder in networks:
            made = decoder.outputs[0].type
            latent = next((one for one in decoder.inputs if one.kind == "prior" and one.shape == result.event), None)
            if latent is None or len(decoder.outputs) != 1 or not isinstance(made, Distribution):
                continue
            for field in fields:
                if field.name in seen and field.kind != "label" and same_shape(field.shape, made.event):
                    return encoder.name, decoder.name, latent.name, _size(latent.of), field.name
    return None


def _size(prior: Call) -> str:
    """The numbers of a prior, as the language writes them."""
    given = next(iter(prior.arguments.values()))
    return "x".join(map(str, given)) if isinstance(given, tuple) else str(given)
