"""Means, logits and log-variances in, a distribution over a table's rows out: log-probabilities, expectation, draws.

Source: Xu et al. 2019, Modeling Tabular Data using Conditional GAN, section 4.4 (TVAE).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from gendsl.lower.rows import unknown_columns
from gendsl.parts.keys import Key
from gendsl.parts.row_activation import gumbel
from gendsl.plan.blocks import Block, blocks_in

_LEAST_LOG_VARIANCE = 2 * math.log(0.01)  # as in the authors' code: what a table repeats would have no bound


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """Independent parts of a row: `raw` (batch, width) are means before their tanh and logits, in the row's order;
    `log_variance` (batch, numbers) belongs to the numbers among them.

    The number of a missing cell is no event: it counts for nothing in a log-probability, and is 0 in a draw."""

    raw: Any
    log_variance: Any
    blocks: tuple[Block, ...]

    @property
    def _numbers(self) -> list[Block]:
        return [block for block in self.blocks if block.kind == "scalar"]

    @property
    def _logs(self) -> Any:
        return tf.maximum(self.log_variance, _LEAST_LOG_VARIANCE)

    @property
    def _means(self) -> Any:
        """The means (batch, numbers)."""
        means = tf.gather(self.raw, [block.start for block in self._numbers], axis=1)
        bounded = tf.constant([block.bounded for block in self._numbers])
        return tf.where(bounded, tf.tanh(means), means)

    def _present(self, row: Any) -> Any:
        """How much of each number of a row (batch, numbers) is there: 0 where its cell is missing."""
        places = [block.missing for block in self._numbers]
        marks = tf.gather(row, [max(0, place) for place in places], axis=1)
        return 1.0 - tf.where(tf.constant([place >= 0 for place in places]), marks, tf.zeros_like(marks))

    def log_prob(self, value: Any) -> Any:
        """log p(row), (batch), of rows (batch, width)."""
        value = tf.cast(value, tf.float32)
        total = tf.zeros(tf.shape(value)[:1])
        if self._numbers:
            seen = tf.gather(value, [block.start for block in self._numbers], axis=1)
            squares = tf.square(seen - self._means) * tf.exp(-self._logs)
            logs = -0.5 * (squares + self._logs + math.log(2 * math.pi))
            total += tf.reduce_sum(logs * self._present(value), axis=1)
        for block in self.blocks:
            logits, target = _part(self.raw, block), _part(value, block)
            if block.kind == "one_hot":
                total -= tf.nn.softmax_cross_entropy_with_logits(labels=target, logits=logits)
            elif block.kind == "indicator":
                crossed = tf.nn.sigmoid_cross_entropy_with_logits(labels=target, logits=logits)
                total -= tf.reduce_sum(crossed, axis=1)
        return total

    def entropy(self) -> Any:
        """Nats, (batch)."""
        chances = self._row(lambda block: tf.zeros_like(_part(self.raw, block)), self._chances)
        total = tf.zeros(tf.shape(self.raw)[:1])
        if self._numbers:
            own = 0.5 * (self._logs + math.log(2 * math.pi) + 1.0)
            total += tf.reduce_sum(own * self._present(chances), axis=1)
        for block in self.blocks:
            logits, chance = _part(self.raw, block), _part(chances, block)
            if block.kind == "one_hot":
                total -= tf.reduce_sum(chance * tf.nn.log_softmax(logits), axis=1)
            elif block.kind == "indicator":
                crossed = tf.nn.sigmoid_cross_entropy_with_logits(labels=chance, logits=logits)
                total += tf.reduce_sum(crossed, axis=1)
        return total

    @property
    def mean(self) -> Any:
        """Rows (batch, width): the means of numbers that are there, the probabilities of all else."""
        return self._row(self._mean_of, self._chances)

    def mode(self) -> Any:
        """Rows (batch, width): of each one-hot the likeliest place; means of the numbers that are then there."""
        return self._complete(self._row(self._mean_of, self._likeliest))

    def draw(self, key: Key) -> Any:
        """Rows (batch, width), without a gradient."""
        drawn = self._numbers_drawn(key.at("numbers"))
        places = {block.start: number for number, block in enumerate(self._numbers)}
        ticket = tf.ensure_shape(gumbel(key.at("categories"), tf.shape(self.raw)), self.raw.shape)

        def number(block: Block) -> Any:
            return drawn[:, places[block.start] : places[block.start] + 1]

        def chosen(block: Block) -> Any:
            noisy = _part(self.raw + ticket, block)
            if block.kind == "one_hot":
                return _one_hot(noisy, block)
            # a logistic number is the difference of two Gumbel ones: the other is that of "no"
            other = gumbel(key.at(f"no/{block.start}"), tf.shape(noisy))
            return tf.cast(noisy > other, tf.float32)

        return tf.stop_gradient(self._complete(self._row(number, chosen)))

    def _numbers_drawn(self, key: Key) -> Any:
        """The numbers (batch, numbers); None of a row that has none."""
        if not self._numbers:
            return None
        noise = tf.ensure_shape(key.normal(tf.shape(self.log_variance)), self.log_variance.shape)
        return self._means + tf.exp(0.5 * self._logs) * noise

    def _row(self, number: Callable[[Block], Any], other: Callable[[Block], Any]) -> Any:
        return tf.concat([number(block) if block.kind == "scalar" else other(block) for block in self.blocks], axis=1)

    def _mean_of(self, block: Block) -> Any:
        part = _part(self.raw, block)
        return tf.tanh(part) if block.bounded else part

    def _chances(self, block: Block) -> Any:
        part = _part(self.raw, block)
        return tf.nn.softmax(part) if block.kind == "one_hot" else tf.sigmoid(part)

    def _likeliest(self, block: Block) -> Any:
        part = _part(self.raw, block)
        return _one_hot(part, block) if block.kind == "one_hot" else tf.cast(part > 0, tf.float32)

    def _complete(self, row: Any) -> Any:
        """A row whose numbers of missing cells are 0, as the data has them."""
        if all(block.missing < 0 for block in self._numbers):
            return row
        present = self._present(row)
        places = {block.start: number for number, block in enumerate(self._numbers)}
        parts = [
            _part(row, block) * present[:, places[block.start] : places[block.start] + 1]
            if block.kind == "scalar"
            else _part(row, block)
            for block in self.blocks
        ]
        return tf.concat(parts, axis=1)


def mixed_of(parameters: Any, layout: Sequence[Any]) -> Mixed:
    """The distribution that numbers (batch, width + numbers) stand for. UserError where the columns are not known."""
    if not layout:
        raise unknown_columns("mixed")
    blocks = blocks_in(tuple(layout))
    width = sum(block.width for block in blocks)
    return Mixed(parameters[:, :width], parameters[:, width:], blocks)


def _part(row: Any, block: Block) -> Any:
    return row[:, block.start : block.start + block.width]


def _one_hot(values: Any, block: Block) -> Any:
    return tf.one_hot(tf.argmax(values, axis=1), block.width)
