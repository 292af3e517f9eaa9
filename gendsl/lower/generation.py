"""A network of tokens and what sequences begin with in, sequences drawn token by token out: one loop in one graph.

The network is told a context of at most `window` tokens, which grows by one token a turn. When it is full, its last
half is taken and encoded anew: so most turns cost one place. What a turn draws is a function of the key and of the
token's place in the sequence.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from gendsl.lower.choosing import Choice
from gendsl.lower.stepwise import Stepwise
from gendsl.parts.keys import Key

ENDED = -1  # what stands behind the end of a sequence


class Context(Protocol):
    """What a network knows of the tokens so far: a state, a nest of tensors that a loop may carry."""

    @property
    def window(self) -> int:
        """The most tokens that it holds."""

    def encoded(self, tokens: Any) -> Any:
        """The state that tokens (batch, places) leave, at most `window` of them; none of them is as good as any."""

    def followed(self, token: Any, place: Any, state: Any) -> tuple[Any, Any]:
        """Logits (batch, vocabulary) of the token behind `token` (batch,), which stands at a place of the context, and
        the state with it."""


@dataclass(frozen=True, slots=True)
class Cached:
    """A context of a network that goes on from what it keeps."""

    steps: Stepwise
    window: int

    def encoded(self, tokens: Any) -> Any:
        start = self.steps.start(tf.shape(tokens)[0])
        if tokens.shape[1] == 0:
            return start
        return self.steps.follow(tokens, 0, start)[1]

    def followed(self, token: Any, place: Any, state: Any) -> tuple[Any, Any]:
        found, after = self.steps.follow(token[:, None], place, state)
        return tf.cast(found[:, 0], tf.float32), after


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A context of any network: its state is its tokens, (batch, window) with zeros behind them, all of which `call`
    reads for each new one. It gives logits (batch, window, vocabulary)."""

    call: Callable[[Any], Any]
    window: int

    def encoded(self, tokens: Any) -> Any:
        missing = self.window - tf.shape(tokens)[1]
        return tf.ensure_shape(tf.pad(tokens, [[0, 0], [0, missing]]), [tokens.shape[0], self.window])

    def followed(self, token: Any, place: Any, state: Any) -> tuple[Any, Any]:
        state = tf.where(tf.range(self.window)[None] == place, token[:, None], state)
        return tf.cast(tf.gather(self.call(state), place, axis=1), tf.float32), state


@dataclass(frozen=True, slots=True)
class Stop:
    """Where sequences end: `after` (states, vocabulary) int32 says to which state a token leads from each, 0 being the
    first, the last that of an end."""

    after: np.ndarray

    @property
    def end(self) -> int:
        """The state of a sequence that has ended."""
        return len(self.after) - 1


def generated(
    context: Context,
    given: Any,
    known: int,
    *,
    length: int,
    vocabulary: int,
    choice: Choice,
    key: Key,
    stop: Stop | None = None,
    begun_freely: Any = False,
) -> Any:
    """Sequences (batch, length) int32.

    `given` (batch, n) int32 are the tokens that they begin with, -1 where that is left to the network; the first
    `known` columns, at least one, are there in all of them. With `stop` the places behind the end are -1, and the loop
    is left when all have ended; what is given ends none, unless `begun_freely` (batch,) says that its first token was
    drawn, too."""
    batch = tf.shape(given)[0]
    given = tf.concat([given[:, :length], tf.fill([batch, tf.maximum(length - tf.shape(given)[1], 0)], ENDED)], 1)
    given = _turned(tf.ensure_shape(given, [None, length]))
    begun = min(known, length)
    # A token is drawn at each place from `begun` on; the one before it is told to the network in the same turn.
    state = context.encoded(_turned(given[: begun - 1]))
    first = {
        "place": tf.constant(begun),
        "text": tf.concat([given[:begun], tf.fill([length - begun, batch], ENDED)], 0),
        "told": tf.constant(begun - 1),  # how many tokens the context has
        "state": state,
        "stop": tf.zeros([batch], tf.int32),
    }
    if stop is not None:
        led = tf.gather(tf.constant(stop.after[0]), tf.maximum(given[0], 0))
        first["stop"] = tf.where(begun_freely, led, first["stop"])
    keep = context.window // 2
    if choice.repetition_penalty is not None:
        first["seen"] = tf.reduce_any(tf.one_hot(given[:begun], vocabulary, True, False, dtype=tf.bool), 0)

    def cropped(place: Any, text: Any, told: Any, state: Any) -> tuple[Any, Any]:
        if length - 1 <= context.window:
            return told, state

        def anew() -> tuple[Any, Any]:
            last = tf.ensure_shape(text[place - 1 - keep : place - 1], [keep, None])
            return tf.constant(keep), context.encoded(tf.maximum(_turned(last), 0))

        found: tuple[Any, Any] = tf.cond(told >= context.window, anew, lambda: (told, state))
        return found

    def turn(loop: dict[str, Any]) -> tuple[dict[str, Any]]:
        place, text = loop["place"], loop["text"]
        told, state = cropped(place, text, loop["told"], loop["state"])
        before = tf.maximum(text[place - 1], 0)
        logits, state = context.followed(before, told, state)
        token = choice.drawn(logits, loop.get("seen"), key.turn(place))
        forced = given[place]
        token = tf.where(forced >= 0, forced, token)
        after = {"place": place + 1, "told": told + 1, "state": state, "stop": loop["stop"]}
        if stop is not None:
            ended = loop["stop"] == stop.end
            led = tf.gather_nd(tf.constant(stop.after), tf.stack([loop["stop"], token], -1))
            after["stop"] = tf.where(ended | (forced < 0), led, loop["stop"])
            token = tf.where(ended, ENDED, token)
        if "seen" in loop:
            after["seen"] = loop["seen"] | tf.one_hot(token, vocabulary, True, False, dtype=tf.bool)
        after["text"] = tf.tensor_scatter_nd_update(text, [[place]], token[None])
        # A layer may know less of a shape than the loop does.
        return (tf.nest.map_structure(lambda new, old: tf.ensure_shape(new, old.shape), after, loop),)

    def goes_on(loop: dict[str, Any]) -> Any:
        more = loop["place"] < length
        return more if stop is None else more & tf.reduce_any(loop["stop"] != stop.end)

    (last,) = tf.while_loop(goes_on, turn, (first,), parallel_iterations=1, maximum_iterations=length - begun)
    return tf.ensure_shape(_turned(last["text"]), [None, length])


def _turned(tokens: Any) -> Any:
    """(b, a) of int32 tokens (a, b). Their bits are turned as float32: where a processor has no AVX-512, oneDNN logs an
    error for int32, though TensorFlow transposes it all the same; and a cast would be moved behind the transpose."""
    return tf.bitcast(tf.transpose(tf.bitcast(tokens, tf.float32)), tf.int32)
