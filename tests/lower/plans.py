"""Small plans written by hand, and their networks as small Keras models, for the tests of the train step."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from gendsl.lower import ingredients, training
from gendsl.plan import plan
from gendsl.vocabulary import types

POINT = types.Tensor((2,), "point")
SCALAR = types.Scalar()
SCORE = types.Tensor((1,), "logits")


class Equations:
    """The operations of an update, appended one by one; each method gives the number of what it appends."""

    def __init__(self) -> None:
        self.operations: list[plan.Operation] = []
        self._sites = 0

    def add(self, name: str, /, *inputs: int, type: Any = SCALAR, drawn: bool = False, **attributes: Any) -> int:
        site = None
        if drawn:
            site, self._sites = self._sites, self._sites + 1
        self.operations.append(plan.Operation(name, inputs, attributes, type, site))
        return len(self.operations) - 1

    def constant(self, value: float) -> int:
        return self.add("constant", value=value)

    def field(self, name: str = "point", type: Any = POINT) -> int:
        return self.add("field", name=name, type=type)

    def noise(self, size: int = 2) -> int:
        call = plan.Call("normal", {"size": size})
        return self.add("prior", type=types.Tensor((size,)), drawn=True, call=call, of=None)

    def call(self, network: str, *inputs: int, type: Any = SCORE, both: tuple[int, ...] = ()) -> int:
        return self.add("call", *inputs, type=type, drawn=True, network=network, training=True, both=both)

    def fake(self, network: str = "generator") -> int:
        return self.call(network, self.noise(), type=POINT)

    def function(self, word: str, *inputs: int, type: Any = SCALAR, **arguments: Any) -> int:
        return self.add("function", *inputs, type=type, drawn=word == "replay", word=word, arguments=arguments)

    def loss(self, word: str, role: str, *inputs: int, **arguments: Any) -> int:
        return self.add("loss", *inputs, word=word, role=role, arguments=arguments)

    def penalty(self, word: str, network: str, *inputs: int, **arguments: Any) -> int:
        every = arguments.pop("every", None)
        return self.add("penalty", *inputs, drawn=True, word=word, network=network, arguments=arguments, every=every)


OPTIMIZERS: dict[str, dict[str, Any]] = {
    "sgd": {"momentum": 0.0, "nesterov": False, "weight_decay": None},
    "adam": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False, "weight_decay": None},
    "adamw": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False, "weight_decay": 0.004},
}


def optimizer(word: str = "sgd", learning_rate: Any = 0.1, **options: Any) -> plan.Call:
    return plan.Call(word, {"learning_rate": learning_rate, **OPTIMIZERS[word], **options})


def update(name: str, networks: Sequence[str], loss: int, with_: plan.Call | None = None) -> plan.Update:
    return plan.Update(name, tuple(networks), loss, with_ or optimizer())


def group(equations: Equations, *updates: plan.Update, times: int = 1) -> plan.Group:
    return plan.Group(updates, tuple(equations.operations), times)


def network(name: str, *, inputs: Sequence[plan.Input] = (), outputs: int = 1, result: Any = None) -> plan.Network:
    given = tuple(inputs) or (plan.Input("x", "field", "point", (2,)),)
    layers = (plan.Layer("dense", "dense", {}, (0,), (outputs,), 0, 0, 0),)
    value = len(given)
    return plan.Network(
        name, given, layers, (plan.Output("", value, result or types.Tensor((outputs,), "logits")),), {}
    )


def plan_of(
    groups: Sequence[plan.Group],
    networks: Sequence[plan.Network],
    *,
    steps: int = 10,
    phases: Sequence[plan.Phase] | None = None,
    scalars: Mapping[str, Any] | None = None,
    ema: Sequence[plan.Call] = (),
    batch: int = 4,
    sample: plan.Sample | None = None,
    fields: Sequence[plan.Field] = (plan.Field("point", "point", (2,), ""),),
    both: Sequence[plan.Call] = (),
    **settings: Any,
) -> plan.Plan:
    """A plan of hand-written groups; settings as `seed=3`, `clip=1.0`, `precision="mixed_bfloat16"`."""
    whole = plan.Phase("", plan.Quantity(steps, "steps"), tuple(range(len(groups))))
    return plan.Plan(
        experiment="tiny",
        params={},
        data=plan.Data(
            sources=(),
            fields=tuple(fields),
            curate=(),
            split=None,
            batch=batch,
            shuffle=True,
            cache=None,
            examples=None,
        ),
        augment=plan.Augment(both=tuple(both)),
        networks=tuple(networks),
        train=plan.Train(
            groups=tuple(groups),
            phases=tuple(phases) if phases is not None else (whole,),
            scalars=dict(scalars or {}),
            ema=tuple(ema),
            settings={name: plan.Call(name, {name: value}) for name, value in settings.items()},
        ),
        sample=sample,
        evaluations=(),
        monitors=(),
        export=(),
        card=(),
        sweep=None,
        variants={},
    )


Builder = Callable[[plan.Network, str], Any]


def dense(described: plan.Network, precision: str) -> Any:
    """A network of a single dense layer on its inputs, joined."""
    inputs = [keras.Input(one.shape, name=one.name) for one in described.inputs]
    joined = keras.layers.Concatenate()(inputs) if len(inputs) > 1 else inputs[0]
    layer = keras.layers.Dense(described.layers[0].shape[0], name="dense", dtype=precision)
    return keras.Model(inputs, layer(joined), name=described.name)


def experiment(
    monkeypatch: pytest.MonkeyPatch, made: plan.Plan, builders: Mapping[str, Builder] | None = None, **options: Any
) -> training.Experiment:
    """The experiment of a plan whose networks are built by `builders`, or are dense layers."""

    def model_of(described: plan.Network, *, labels: tuple[str, ...] = (), precision: str = "float32") -> Any:
        return (builders or {}).get(described.name, dense)(described, precision)

    monkeypatch.setattr(ingredients, "model_of", model_of)
    return training.experiment_of(made, **options)


def points(times: int = 1, batch: int = 4, seed: int = 0) -> dict[str, Any]:
    """Batches of the field `point`."""
    return {"point": np.random.default_rng(seed).normal(size=(times, batch, 2)).astype("float32")}


def weights(model: Any) -> list[np.ndarray]:
    """A network's weights as arrays."""
    return [variable.numpy() for variable in model.variables]


def same(left: Sequence[np.ndarray], right: Sequence[np.ndarray]) -> bool:
    """Whether all are equal, bit for bit."""
    return all(np.array_equal(one, other) for one, other in zip(left, right, strict=True))


GENERATOR = network("generator", outputs=2, result=POINT)


DISCRIMINATOR = network("discriminator")


def discriminating(times: int = 1) -> plan.Group:
    equations = Equations()
    real = equations.call("discriminator", equations.field())
    fake = equations.call("discriminator", equations.fake())
    loss = equations.loss("hinge", "discriminator", real, fake, real_hinge=1, generated_hinge=1)
    return group(equations, update("discriminator", ["discriminator"], loss), times=times)


def generating(**options: Any) -> plan.Group:
    equations = Equations()
    loss = equations.loss("hinge", "generator", equations.call("discriminator", equations.fake()))
    return group(equations, update("generator", ["generator"], loss, optimizer(**options)))


def gan(**options: Any) -> plan.Plan:
    return plan_of([discriminating(), generating()], [GENERATOR, DISCRIMINATOR], **options)


def trained(made: Any, steps: int, *, at_once: bool = False, times: int = 1) -> Any:
    """Trains for some steps, each a graph call, or all in one."""
    batches = [points(times, seed=step)["point"] for step in range(steps)]
    if at_once:
        stacked = tf.constant(np.stack(batches))

        @tf.function
        def many(count: Any) -> Any:
            def body(step: Any) -> Any:
                made.step_at(step, {"point": stacked[step]})
                return (step + 1,)

            return tf.while_loop(lambda step: step < count, body, (tf.constant(0, tf.int64),))

        many(tf.constant(steps, tf.int64))
        return None
    one = tf.function(made.step_at)
    logs = None
    for step, batch in enumerate(batches):
        logs = one(tf.constant(step, tf.int64), {"point": tf.constant(batch)})
    return logs


def mean_of(name: str = "discriminator") -> tuple[Equations, int]:
    equations = Equations()
    return equations, equations.function("mean", equations.call(name, equations.field()))


def normed(described: plan.Network, precision: str) -> Any:
    """Batch norm, then a dense layer."""
    inputs = keras.Input((2,), name="x")
    hidden = keras.layers.BatchNormalization(momentum=0.5, name="norm", dtype=precision)(inputs)
    return keras.Model(inputs, keras.layers.Dense(1, name="dense", dtype=precision)(hidden), name=described.name)
