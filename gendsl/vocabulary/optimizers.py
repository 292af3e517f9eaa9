"""The optimizers, Keras's own, under Keras's names and with its defaults."""

from typing import Any

from gendsl.vocabulary.word import Kind, Parameter, Real, Scheduled, Toggle, Word

_BETA_1 = ("beta_1", Real(0, 0.9999999), 0.9, "decay of the mean of the gradients")
_BETA_2 = ("beta_2", Real(0, 1), 0.999, "decay of the mean of the squared gradients")
_EPSILON = ("epsilon", Real(0, above=True), 1e-7, "what keeps a division from zero")
_MOMENTUM = ("momentum", Real(0, 1), 0.0, "share of the last change that is kept")
_AMSGRAD = ("amsgrad", Toggle(), False, "use the largest mean of squares so far (Reddi et al. 2018)")
_DECAY_DOC = "how much of each weight is taken off a step, times the learning rate; biases and norms are spared"
_ACCUMULATOR = ("initial_accumulator_value", Real(0), 0.1, "what the sums of squares begin with")


def _optimizer(
    name: str,
    doc: str,
    source: str,
    *options: tuple[str, Kind, Any, str],
    learning_rate: float = 0.001,
    weight_decay: float | None = None,
) -> Word:
    return Word(
        name=name,
        category="optimizer",
        doc=doc,
        source=source,
        parameters=(
            Parameter(
                name="learning_rate",
                kind=Scheduled(0),
                default=learning_rate,
                doc="the step size: a number or a schedule",
            ),
            *(
                Parameter(name=option, kind=kind, default=default, doc=told, positional=False)
                for option, kind, default, told in options
            ),
            Parameter(name="weight_decay", kind=Real(0), default=weight_decay, doc=_DECAY_DOC, positional=False),
        ),
        example=f"update generator, with: {name}({learning_rate}) {{ … }}",
    )


WORDS: tuple[Word, ...] = (
    _optimizer(
        "sgd",
        "Plain gradient descent, with momentum if asked.",
        "Robbins & Monro 1951; Sutskever et al. 2013",
        _MOMENTUM,
        ("nesterov", Toggle(), False, "look ahead along the momentum"),
        learning_rate=0.01,
    ),
    _optimizer(
        "adam",
        "Steps scaled by running means of the gradients and of their squares.",
        "Kingma & Ba 2015, https://arxiv.org/abs/1412.6980",
        _BETA_1,
        _BETA_2,
        _EPSILON,
        _AMSGRAD,
    ),
    _optimizer(
        "adamw",
        "Adam with weight decay apart from the gradient; variables of rank below 2 (biases, norms) are not decayed.",
        "Loshchilov & Hutter 2019, https://arxiv.org/abs/1711.05101",
        _BETA_1,
        _BETA_2,
        _EPSILON,
        _AMSGRAD,
        weight_decay=0.004,
    ),
    _optimizer(
        "rmsprop",
        "Steps scaled by a running mean of the squared gradients.",
        "Tieleman & Hinton 2012",
        ("rho", Real(0, 1), 0.9, "decay of the mean of the squared gradients"),
        _MOMENTUM,
        _EPSILON,
        ("centered", Toggle(), False, "divide by the variance instead of the mean of squares"),
    ),
    _optimizer(
        "adagrad",
        "Steps scaled by the sum of all squared gradients.",
        "Duchi et al. 2011",
        _ACCUMULATOR,
        _EPSILON,
    ),
    _optimizer(
        "adadelta",
        "Steps scaled by running means of squared gradients and squared changes.",
        "Zeiler 2012, https://arxiv.org/abs/1212.5701",
        ("rho", Real(0, 1), 0.95, "decay of the means"),
        _EPSILON,
    ),
    _optimizer(
        "adamax",
        "Adam with the largest gradient in place of the mean of squares.",
        "Kingma & Ba 2015, https://arxiv.org/abs/1412.6980, section 7",
        _BETA_1,
        _BETA_2,
        _EPSILON,
    ),
    _optimizer("nadam", "Adam with Nesterov momentum.", "Dozat 2016", _BETA_1, _BETA_2, _EPSILON),
    _optimizer(
        "lion",
        "Steps by the sign of a running mean of the gradients.",
        "Chen et al. 2023, https://arxiv.org/abs/2302.06675",
        _BETA_1,
        ("beta_2", Real(0, 1), 0.99, "decay of the momentum"),
    ),
    _optimizer(
        "lamb",
        "Adam with a step a layer in proportion to its weights, for large batches.",
        "You et al. 2020, https://arxiv.org/abs/1904.00962",
        _BETA_1,
        _BETA_2,
        _EPSILON,
    ),
    _optimizer(
        "ftrl",
        "Follow the regularised leader.",
        "McMahan et al. 2013",
        ("learning_rate_power", Real(maximum=0), -0.5, "how the rate falls with the squared gradients"),
        _ACCUMULATOR,
        ("l1_regularization_strength", Real(0), 0.0, "weight of the absolute values"),
        ("l2_regularization_strength", Real(0), 0.0, "weight of the squares"),
        ("beta", Real(0), 0.0, "the paper's beta"),
    ),
)
