"""A process's word in, its mixtures at given times out: what data and noise become, what a network is to give of them.

Numbers are float64 in NumPy where a sampler's course is laid, float32 in TensorFlow where a batch is trained on.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from gendsl.lower.functions import aligned
from gendsl.parts.keys import Key
from gendsl.plan.plan import Call

Levels = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Mixture:
    """x = signal·data + spread·noise, and the network's target of_data·data + of_noise·noise.

    All four are arrays or tensors of one shape: (n) times of a course, or (batch, 1…) in front of values.
    """

    signal: Any
    spread: Any
    of_data: Any
    of_noise: Any

    def noised(self, data: Any, noise: Any) -> Any:
        """What the process makes of data (batch, …)."""
        return self.signal * data + self.spread * noise

    def target(self, data: Any, noise: Any) -> Any:
        """What the network is to give."""
        return self.of_data * data + self.of_noise * noise

    def denoised(self, noisy: Any, given: Any) -> Any:
        """The data for which the network would give this."""
        by_noisy, by_given = self.inverse()
        return by_noisy * noisy + by_given * given

    def inverse(self) -> tuple[Any, Any]:
        """By what the noisy value and the network's result are multiplied to give the data."""
        whole = self.of_noise * self.signal - self.of_data * self.spread
        return self.of_noise / whole, -self.spread / whole


@dataclass(frozen=True, slots=True)
class Diffusion:
    """The discrete process of Ho et al. 2020: signal² + spread² = 1 at each of `steps` times 0, 1, …"""

    schedule: str
    predict: str
    steps: int

    def betas(self) -> Levels:
        """The variances (steps) of the forward steps.

        Linear: Ho et al. 2020, section 4, so that as much noise comes in any number of steps (Nichol & Dhariwal's
        code). Cosine: Nichol & Dhariwal 2021, equation 17."""
        if self.schedule == "linear":
            scale = 1000 / self.steps
            return _at_most(np.linspace(scale * 1e-4, scale * 0.02, self.steps))
        offset = 0.008
        places = np.arange(self.steps + 1) / self.steps
        kept = np.cos((places + offset) / (1 + offset) * np.pi / 2) ** 2
        return _at_most(1 - kept[1:] / kept[:-1])

    def kept(self) -> Levels:
        """The share (steps) of the data's variance that is left: the product of 1 - beta up to each time."""
        return np.asarray(np.cumprod(1 - self.betas()), np.float64)

    def at(self, times: Any) -> Mixture:
        """The mixtures at whole times, an array."""
        kept = self.kept()[np.asarray(times, np.int64)]
        return self._mixture(np.sqrt(kept), np.sqrt(1 - kept))

    def of_batch(self, times: Any) -> Mixture:
        """The mixtures at the times (batch) of a batch, in graph; they are rounded to whole ones of the process."""
        kept = self.kept()
        table = tf.constant(np.stack([np.sqrt(kept), np.sqrt(1 - kept)], axis=-1), tf.float32)
        places = tf.clip_by_value(tf.cast(tf.round(times), tf.int32), 0, self.steps - 1)
        rows = tf.gather(table, places)
        return self._mixture(rows[:, 0], rows[:, 1])

    def draw(self, batch: Any, key: Key) -> Any:
        """Times (batch), float32, all equally likely."""
        return tf.cast(key.uniform([batch], maxval=self.steps), tf.float32)

    def _mixture(self, signal: Any, spread: Any) -> Mixture:
        match self.predict:
            case "noise":
                return Mixture(signal, spread, 0 * signal, 0 * signal + 1)
            case "data":
                return Mixture(signal, spread, 0 * signal + 1, 0 * signal)
            case _:
                return Mixture(signal, spread, -spread, signal)


def _at_most(betas: Levels) -> Levels:
    """The variances, none above 0.999: as in Nichol & Dhariwal 2021, section 3.2."""
    limited: Levels = np.minimum(betas, 0.999)
    return limited


@dataclass(frozen=True, slots=True)
class FlowMatching:
    """Straight lines from data at time 0 to noise at time `span`; Lipman et al. 2023, equation 22, time reversed."""

    span: float
    least: float

    def at(self, times: Any) -> Mixture:
        """The mixtures at times, an array or a tensor."""
        share = times / self.span
        signal = 1 - share
        return Mixture(signal, self.least + (1 - self.least) * share, 0 * share - 1, 0 * share + 1 - self.least)

    def of_batch(self, times: Any) -> Mixture:
        """The mixtures at the times (batch) of a batch, in graph."""
        return self.at(times)

    def draw(self, batch: Any, key: Key) -> Any:
        """Times (batch), float32, all equally likely."""
        return self.span * key.uniform([batch])


Process = Diffusion | FlowMatching


def process_of(call: Call) -> Process:
    """The process of its word."""
    given = call.arguments
    match call.word:
        case "diffusion":
            return Diffusion(given["schedule"], given["predict"], int(given["steps"]))
        case "flow_matching":
            return FlowMatching(float(given["span"]), float(given["least"]))
        case word:
            raise ValueError(f"no process {word}")


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """The times of a process, one for each of `batch` examples."""

    process: Process
    batch: Any

    def draw(self, key: Key) -> Any:
        """Times (batch), float32."""
        return self.process.draw(self.batch, key)


def mixed(word: str, call: Call, left: Any, right: Any, times: Any) -> Any:
    """`noised`, `target` and `denoised` of a batch: (batch, …) from two of that shape and times (batch)."""
    found = process_of(call).of_batch(times)
    parts = (found.signal, found.spread, found.of_data, found.of_noise)
    mixture = Mixture(*(aligned(part, left)[0] for part in parts))
    match word:
        case "noised":
            return mixture.noised(left, right)
        case "target":
            return mixture.target(left, right)
        case "denoised":
            return mixture.denoised(left, right)
        case _:
            raise ValueError(f"no function {word}")
