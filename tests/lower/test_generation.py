"""Sequences drawn by a loop in graph against the same written as a plain loop in Python over the whole network."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from scipy.stats import chisquare

from gendsl.lower.beginnings import Beginnings
from gendsl.lower.choosing import Choice
from gendsl.lower.data.tokenizers import Bytes, Characters, tokenizer_from, tokenizer_of
from gendsl.lower.errors import UserError
from gendsl.lower.generation import Cached, Recomputed, Stop, generated
from gendsl.lower.stepwise import Stepwise
from gendsl.lower.training import experiment_of
from gendsl.parts.keys import Key
from gendsl.plan.onward import reach_of, whole_layer
from gendsl.plan.plan import Call, Layer
from gendsl.plan.rewritten import with_given
from tests.lower.test_stepwise import VOCABULARY, WINDOW, Both, planned

BODY = """
  embed 256, 8 | position_embed
  residual { layer_norm | attention heads: 2, causal: on, position: rotary }
  residual { gru 8, sequences: on }
  layer_norm | dense 256
"""
KEY = Key(5, "sample", tf.constant(3, tf.int64))


@pytest.fixture(scope="module")
def both() -> Both:
    return Both(planned(BODY), seed=3)


def contexts(both: Both) -> tuple[Cached, Recomputed]:
    steps = Stepwise(both.network, both.networks, both.models, [])
    return Cached(steps, WINDOW), Recomputed(both.models["model"], WINDOW)


def in_python(both: Both, given: Any, length: int, choice: Choice) -> Any:
    """What the loop is to give: each token from the whole context, cropped to its last half when it is full."""
    out = np.full((len(given), length), -1, np.int64)
    contexts: list[list[int]] = [[] for _ in given]
    for example, row in enumerate(given):
        out[example, 0] = row[0]
    for place in range(1, length):
        table = []
        for example, context in enumerate(contexts):
            if len(context) == WINDOW:
                context[:] = context[-(WINDOW // 2) :]
            context.append(int(out[example, place - 1]))
            padded = np.array([context + [0] * (WINDOW - len(context))], np.int32)
            table.append(both.whole(padded)[0, len(context) - 1])
        seen = np.zeros((len(given), VOCABULARY), bool)
        for example in range(len(given)):
            seen[example, out[example, :place]] = True
        drawn = choice.drawn(tf.constant(np.stack(table)), tf.constant(seen), KEY.turn(place)).numpy()
        for example, row in enumerate(given):
            forced = place < len(row) and row[place] >= 0
            out[example, place] = row[place] if forced else drawn[example]
    return out


@pytest.mark.parametrize(
    ("given", "known", "length", "choice"),
    [
        ([[7], [200]], 1, 20, Choice()),  # past the window twice
        ([[1, 2, 3], [3, 2, 1]], 3, 6, Choice(temperature=0.5, top_p=0.9)),
        ([[1, 2, 3, 4, 5, 6, 7], [7, 6, -1, -1, -1, -1, -1]], 2, 12, Choice(top_k=5, repetition_penalty=1.5)),
        ([[1], [2]], 1, 1, Choice()),
    ],
)
def test_the_loop_is_the_plain_one(both: Both, given: Any, known: int, length: int, choice: Choice) -> None:
    expected = in_python(both, given, length, choice)
    for context in contexts(both):

        @tf.function(autograph=False)
        def draw(given: Any, context: Any = context) -> Any:
            return generated(context, given, known, length=length, vocabulary=VOCABULARY, choice=choice, key=KEY)

        np.testing.assert_array_equal(draw(tf.constant(given, tf.int32)), expected)


def test_a_sequence_ends_behind_its_stop(both: Both) -> None:
    field = Beginnings("text", Bytes().record())
    given = np.tile(np.frombuffer(b"ab", np.uint8).astype(np.int32), (40, 1))
    stop = Stop(field.ends("ab"))  # in the prompt it ends nothing
    favoured = np.full((256,), -5.0, np.float32)
    favoured[[ord("a"), ord("b"), ord("c")]] = 2
    context = Recomputed(lambda tokens: tf.tile(tf.constant(favoured)[None, None], [40, WINDOW, 1]), WINDOW)
    options: dict[str, Any] = {"length": 30, "vocabulary": 256, "choice": Choice(), "key": KEY}
    plain = generated(context, given, 2, **options).numpy()
    ended = generated(context, given, 2, stop=stop, **options).numpy()
    cut = 0
    for one, other in zip(plain, ended, strict=True):
        place = bytes(one.astype(np.uint8)).find(b"ab", 2)
        end = 30 if place < 0 else place + 2
        np.testing.assert_array_equal(other[:end], one[:end])
        assert (other[end:] == -1).all()
        cut += end < 30
    assert cut > 20


@pytest.mark.parametrize("stop", ["a", "aab", "abab", "\n\n", "é!", "aXaaXa"])
def test_where_a_text_ends_by_searching_it(stop: str) -> None:
    """Tokens of several bytes may hold the end, or begin in the middle of a character."""
    texts = [b"aab ab abab\n\n aXaaXaX \xc3\xa9! the end aab ab aab the end ".replace(b"  ", b" ") * 40]
    numbers = np.random.default_rng(1)
    for tokenizer in (Bytes(), tokenizer_of(Call("bpe", {"vocabulary": 270}), texts)):
        field = Beginnings("text", tokenizer.record())
        ends, pieces = field.ends(stop), tokenizer.pieces()
        assert b"".join(pieces[one] for one in tokenizer.encode(texts[0])) == texts[0]
        likely = np.flatnonzero([any(byte in stop.encode() for byte in piece) for piece in pieces])
        for _ in range(60):
            tokens, state, text = numbers.choice(likely, 40), 0, b""
            for token in tokens:
                state, text = int(ends[state, token]), text + pieces[token]
                assert (state == len(ends) - 1) == (stop.encode() in text)


def test_pieces_are_what_tokens_stand_for() -> None:
    text = "Straße, déjà vu:\t日本\n\n  x"
    for call in (Call("bytes", {}), Call("characters", {"lowercase": False}), Call("bpe", {"vocabulary": 260})):
        tokenizer = tokenizer_from(tokenizer_of(call, [text.encode() * 20]).record())
        pieces = tokenizer.pieces()
        assert len(pieces) == tokenizer.size
        assert b"".join(pieces[token] for token in tokenizer.encode(text.encode())).decode() == text
    assert Characters("ab", False).pieces()[0].decode() == "\ufffd"


def test_prompts_that_only_the_data_shows_to_be_wrong() -> None:
    with pytest.raises(UserError, match="no `z`, U\\+0009"):
        Beginnings("text", Characters("abc", False).record()).tokens("az\tb")
    with pytest.raises(UserError, match="is music"):
        Beginnings("text", {"word": "remi"}).tokens("a")


def test_samples_of_a_spec(both: Both) -> None:
    """The first token is drawn as training windows begin; labels and priors are the network's further inputs."""
    body = BODY.replace(
        "position_embed", "position_embed as h\nfrom other | dense 8 | reshape 1, 8 as o\nfrom h | add o"
    )
    experiment = experiment_of(planned("from tokens | " + body, inputs="tokens: text, other: normal(4)"))
    counts = np.zeros(256, int)
    counts[[3, 9]] = 1, 3
    experiment.beginnings = {"text": Beginnings("text", Bytes().record(), counts.tolist())}
    found = experiment.sample(2_000, 7)["text"].numpy()
    assert found.shape == (2_000, 20) and found.dtype == np.int32 and found.min() >= 0
    assert chisquare(np.bincount(found[:, 0], minlength=256)[[3, 9]], [500, 1500]).pvalue > 1e-4
    np.testing.assert_array_equal(experiment.sample(5, 7)["text"], found[:5])
    assert (experiment.sample(5, 8)["text"].numpy() != found[:5]).mean() > 0.5

    sample = with_given(experiment.plan.value.sample, prompt=3, known=0, temperature=True)
    prompts = np.array([[65, 66, 67], [-1, -1, -1], [65, -1, -1]], np.int32)
    fields = {"prompt": tf.constant(prompts), "temperature": tf.constant(1.0)}
    given = experiment.sample(3, 7, fields=fields, sample=sample)["text"].numpy()
    np.testing.assert_array_equal(given[0, :3], [65, 66, 67])
    np.testing.assert_array_equal(given[1], found[1])
    assert given[2, 0] == 65


NETWORKS = {
    "attention heads: 2, causal: on": None,
    "attention heads: 2": "attention",
    "lstm 8, sequences: on": None,
    "lstm 8, sequences: on, backwards: on": "lstm",
    "bidirectional lstm(8, sequences: on)": "bidirectional",
    "conv1d 8, padding: causal": None,
    "conv1d 8": "conv1d",
    "group_norm 2": "group_norm",
    "layer_norm": None,
    "attention heads: 2, causal: on, constrain: spectral_norm": "attention",
}


@pytest.mark.parametrize(("layer", "obstacle"), NETWORKS.items())
def test_which_networks_go_on_from_what_they_keep(layer: str, obstacle: str | None) -> None:
    plan = planned(f"embed 256, 8 | {layer} | dense 256")
    assert whole_layer(plan.network("model"), {}) == obstacle


def test_nothing_is_known_of_a_layer_of_keras_s_own() -> None:
    network = planned("embed 256, 8 | dense 256").network("model")
    own = Layer("dense", "keras.Dense", {"units": 8}, (0,), None, 0, 0, 0)
    assert reach_of(own, network, {}, (True,)) == "all"


def test_a_network_with_a_layer_that_sees_all_is_computed_whole() -> None:
    """The places behind the context are those of token 0, as `in_python` has them."""
    both = Both(planned("embed 256, 8 | bidirectional lstm(8, sequences: on) | dense 256"))
    experiment = experiment_of(planned("embed 256, 8 | bidirectional lstm(8, sequences: on) | dense 256"))
    for one, other in zip(experiment.networks["model"].variables, both.models["model"].variables, strict=True):
        one.assign(other)
    found = experiment.sample(2, KEY.at("whole"))["text"].numpy()
    key = KEY.at("whole").at(f"function_{experiment.plan.value.sample.operations[0].site}")
    assert found.shape == (2, 20)
    context = Recomputed(both.models["model"], WINDOW)
    given = tf.constant(found[:, :1])
    again = generated(context, given, 1, length=20, vocabulary=256, choice=Choice(), key=key)
    np.testing.assert_array_equal(found, again)


def test_networks_as_layers_and_values_that_stay() -> None:
    """What does not grow is computed once: a context to attend to, features, a network of them."""
    inner = """
network part(x: 7x8, y: features(8)) -> features(7x8) {
  from x; residual { layer_norm | attention heads: 2, causal: on | film y }
}
network aside(x: features(4)) -> features(8) { dense 8 | tanh }
"""
    body = """
  from other | aside as y
  from other | dense 3*8 | reshape 3, 8 as seen
  from other | dense 7*8 | reshape 7, 8 as laid
  from tokens | embed 256, 8 | add laid
  residual { attention context: seen, heads: 2 } | part y
  dense 256
"""
    plan = planned(body, inputs="tokens: text, other: normal(4)", inner=inner)
    both = Both(plan, seed=2)
    assert whole_layer(both.network, both.networks) is None
    numbers = np.random.default_rng(2)
    tokens = numbers.integers(0, 256, (3, WINDOW)).astype(np.int32)
    other = tf.constant(numbers.normal(size=(3, 4)), tf.float32)
    np.testing.assert_allclose(both.by_parts(tokens, [2, 1, 3, 1], [other]), both.whole(tokens, [other]), atol=1e-5)


def test_a_table_that_is_shared_goes_on() -> None:
    both = Both(planned("embed 256, 8 as table | attention heads: 2, causal: on | layer_norm | unembed table"))
    tokens = np.random.default_rng(2).integers(0, 256, (2, WINDOW)).astype(np.int32)
    np.testing.assert_allclose(both.by_parts(tokens, [3, 1, 1, 2]), both.whole(tokens), atol=1e-5)


def test_half_precision_goes_on_too() -> None:
    both = Both(planned(BODY), precision="mixed_bfloat16")
    tokens = np.random.default_rng(2).integers(0, 256, (2, WINDOW)).astype(np.int32)
    whole = tf.cast(both.whole(tokens), tf.float32).numpy()
    np.testing.assert_allclose(tf.cast(both.by_parts(tokens, [3, 1, 1, 2]), tf.float32), whole, atol=0.15)
