"""The functions of the equations: what each takes and gives; those of noising processes stand in `noising`.

Reductions follow one convention: `nll`, `kl`, `log_prob`, `entropy` and `sum` add up each example's numbers and give
(batch); `l1`, `l2` and whatever compares whole batches average over all and give a scalar.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from gendsl.frozen import dataclass
from gendsl.vocabulary import results
from gendsl.vocabulary.results import broadcast, condition
from gendsl.vocabulary.word import Count, Expression, Kind, ListOf, Mismatch, Parameter, Real, Word, WordOf

if TYPE_CHECKING:
    from gendsl.vocabulary.types import Type

__all__ = ["WORDS", "FunctionWord", "broadcast", "condition"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionWord(Word):
    """A function. Parameters of kind `Expression` are its tensors, the others options.

    `result(types, options)` takes the types of the tensors given, in order, and the options by name; `draws` says
    whether each occurrence draws random numbers; `network` whether the first argument is a network (the second maybe a
    process), `samples` whether it draws samples from one: such a word stands in `sample` and `evaluate`; `coupled`
    whether its value on a part of a batch says nothing of that on the whole.
    """

    result: Callable[[tuple[Type, ...], Mapping[str, Any]], Type | Mismatch]
    draws: bool = False
    network: bool = False
    samples: bool = False
    coupled: bool = False

    @property
    def tensors(self) -> tuple[Parameter, ...]:
        """The parameters that are expressions."""
        return tuple(parameter for parameter in self.parameters if isinstance(parameter.kind, Expression))


def _x(name: str = "x", doc: str = "", *, many: bool = False) -> Parameter:
    return Parameter(name=name, kind=Expression(), doc=doc, many=many)


def _option(name: str, kind: Kind, default: Any, doc: str) -> Parameter:
    return Parameter(name=name, kind=kind, default=default, doc=doc, positional=False)


def function(
    name: str,
    doc: str,
    rule: Any,
    *parameters: Parameter,
    source: str = "",
    example: str = "",
    draws: bool = False,
    coupled: bool = False,
) -> FunctionWord:
    """A function without a network among its arguments; `rule` gives its type, where none of theirs is unknown."""
    return FunctionWord(
        name=name,
        category="function",
        doc=doc,
        parameters=parameters,
        source=source,
        example=example,
        result=results.guarded(rule),
        draws=draws,
        coupled=coupled,
    )


def _elementwise(name: str, doc: str) -> FunctionWord:
    return function(name, doc, results.elementwise, _x())


_P = _x("distribution", "a network's result, or a standard distribution such as `normal(16)`")
_NETWORK = _x("network", "the network, by its name")

WORDS: tuple[FunctionWord, ...] = (
    function("mean", "The mean of all numbers, a scalar; of a distribution, its expectation.", results.mean, _x()),
    function("sum", "The sum of each example's numbers: (batch).", results.sums, _x()),
    function("mode", "The most probable event of a distribution.", results.mode, _P),
    _elementwise("log", "The natural logarithm."),
    _elementwise("exp", "The exponential."),
    _elementwise("abs", "The absolute value."),
    _elementwise("square", "The square."),
    _elementwise("sqrt", "The square root."),
    _elementwise("softplus", "log(1 + exp(x)); softplus(-x) is the cross-entropy of the logit x with the label 1."),
    _elementwise("sigmoid", "1 / (1 + exp(-x))."),
    _elementwise("tanh", "The hyperbolic tangent."),
    _elementwise("relu", "max(0, x)."),
    _elementwise("sign", "-1, 0 or 1."),
    _elementwise("sin", "The sine."),
    _elementwise("cos", "The cosine."),
    function("maximum", "The larger, element by element.", results.pairwise, _x("x"), _x("y")),
    function("minimum", "The smaller, element by element.", results.pairwise, _x("x"), _x("y")),
    function(
        "clip",
        "Limits every number to low..high.",
        results.elementwise,
        _x(),
        Parameter(name="low", kind=Real(), doc="the least"),
        Parameter(name="high", kind=Real(), doc="the greatest"),
    ),
    function(
        "stop_gradient",
        "The same value, through which no gradient flows.",
        results.unchanged,
        _x(),
        example="minimize l2(student(image), stop_gradient(teacher(image)))",
    ),
    function(
        "l1",
        "The mean absolute difference.",
        results.reduced,
        _x("x"),
        _x("y"),
        example="minimize l1(b_to_a(a_to_b(a)), a)",
    ),
    function("l2", "The mean squared difference.", results.reduced, _x("x"), _x("y")),
    function(
        "nll",
        "Minus the log-probability of a value under a distribution, in nats, summed over each example: (batch).",
        results.likelihood,
        _P,
        _x("value", "what was observed"),
        source="Kingma & Welling 2013, https://arxiv.org/abs/1312.6114, equation 3",
        example="minimize nll(decoder(z), image) + kl(q, normal(16))",
    ),
    function(
        "log_prob",
        "The log-probability of a value under a distribution, in nats, summed over each example: (batch).",
        results.likelihood,
        _P,
        _x("value", "what was observed"),
    ),
    function(
        "kl",
        "The Kullback-Leibler divergence of the first distribution from the second, in nats: (batch).",
        results.divergence,
        _x("q"),
        _x("p"),
        source="Kingma & Welling 2013, https://arxiv.org/abs/1312.6114, appendix B",
    ),
    function(
        "free_bits",
        "The Kullback-Leibler divergence averaged over the batch, in which each group of numbers counts at least "
        "`nats`: a scalar. So a latent number that says less costs nothing, and is not given up early in training.",
        results.free,
        _x("q"),
        _x("p"),
        Parameter(name="nats", kind=Real(0), positional=False, doc="what each group may say for free"),
        _option(
            "groups",
            Count(),
            None,
            "into how many equal stretches the last axis is cut; unsaid, each of its numbers is a group (a channel "
            "with all its places)",
        ),
        source="Kingma et al. 2016, https://arxiv.org/abs/1606.04934, equation 15",
        example="minimize mean(nll(decoder(z), image)) + free_bits(q, normal(16), nats: 0.25)",
        coupled=True,
    ),
    function(
        "importance_weighted",
        "The log of the mean of exp(log weight) over several draws, in nats: (batch). All that the log weight draws "
        "by `~`, or from a prior that a call leaves out, is drawn anew each time; what it rests on besides is computed "
        "once. Of log p(x, z) - log q(z | x) it is a lower bound of log p(x), tighter with more draws (one: the ELBO).",
        results.weighted,
        _x("log_weight", "one number an example, of what was drawn"),
        _option("draws", Count(), 5, "how many draws an example"),
        source="Burda et al. 2016, https://arxiv.org/abs/1509.00519, equation 8",
        example="minimize -importance_weighted(log_prob(decoder(z), image) + log_prob(normal(50), z) - log_prob(q, z), "
        "draws: 5)",
        draws=True,
    ),
    function("entropy", "The entropy of a distribution, in nats: (batch).", results.of_distribution, _P),
    function(
        "cross_entropy",
        "Softmax cross-entropy of logits (batch, …, classes) with whole classes (batch, …), averaged: a scalar, "
        "in nats.",
        results.classified,
        _x("logits"),
        _x("label"),
    ),
    function(
        "accuracy",
        "The share of classes that the largest logit names: a scalar.",
        results.classified,
        _x("logits"),
        _x("label"),
    ),
    function(
        "positive",
        "The share of the numbers that are above 0: of the logits of real data, how many are judged real. A scalar.",
        results.counted,
        _x(),
        example="accuracy = 0.5 * positive(real) + 0.5 * positive(-fake)",
    ),
    function(
        "binary_cross_entropy",
        "Sigmoid cross-entropy of logits with targets in 0..1, averaged: a scalar, in nats.",
        results.reduced,
        _x("logits"),
        _x("target"),
    ),
    function(
        "feature_matching",
        "The squared distance between the mean features of real and of generated data: a scalar.",
        results.reduced,
        _x("real"),
        _x("fake"),
        source="Salimans et al. 2016, https://arxiv.org/abs/1606.03498, section 3.1",
        example="minimize feature_matching(discriminator(image).features, discriminator(generator()).features)",
        coupled=True,
    ),
    function(
        "consistency",
        "The mean over examples of the squared distance between two results: a scalar. Minimised between the "
        "scores of an "
        "image and of its augmentation it is consistency regularisation.",
        results.reduced,
        _x("x"),
        _x("y"),
        source="Zhang et al. 2020, https://arxiv.org/abs/1910.12027, equation 5",
    ),
    function(
        "one_hot",
        "Rows with a one at the class.",
        results.one_hot,
        _x("label"),
        Parameter(name="classes", kind=Count(), doc="how many classes there are, `label.classes`"),
    ),
    function("concat", "Tensors joined along their last axis.", results.concat, _x("values", many=True)),
    function(
        "mix",
        "(1 - share) * x + share * y; the share is a scalar or one an example.",
        results.mix,
        _x("x"),
        _x("y"),
        _x("share"),
    ),
    function(
        "replay",
        "A pool of earlier values: the first `size` pass and are kept; then each passes with probability one "
        "half, else it "
        "takes the place of a random one of the pool, which is given instead. No gradient flows through it.",
        results.tensor_alone,
        _x(),
        _option("size", Count(), 50, "how many are kept"),
        source="Shrivastava et al. 2017, https://arxiv.org/abs/1612.07828; the rule of Zhu et al. 2017's code",
        draws=True,
        example="minimize least_squares.discriminator(judge(a), judge(replay(b_to_a(b), size: 50)))",
    ),
    FunctionWord(
        name="draw_codes",
        category="function",
        doc="What a network that ends with `quantize` might have given: at each place a code by itself, by how often "
        "training chooses it. The simplest prior of a VQ-VAE; what lies beside each other is independent.",
        parameters=(_NETWORK,),
        source="van den Oord et al. 2017, https://arxiv.org/abs/1711.00937, section 3.3, without the autoregression",
        example="image = decoder(draw_codes(encoder))",
        result=results.network_first(results.codes),
        draws=True,
        network=True,
    ),
    function(
        "moving_average",
        "The exponential moving average of a number over the steps of the training, this one included; it begins with "
        "the first value, and no gradient flows through it. It is part of a run's state.",
        results.number_alone,
        _x("x", "one number"),
        _option("decay", Real(0, 1), 0.99, "how much of the average stays at each step"),
        source="Tseng et al. 2021, https://arxiv.org/abs/2104.03310, section 3.2",
        example="minimize mean(square(fake - moving_average(mean(real), decay: 0.99)))",
    ),
    function(
        "top_k",
        "One weight an example, whose mean is 1: the batch over k for the k largest scores, 0 for the others; k is the "
        "share of the batch, rounded, at least one. No gradient flows through it.",
        results.ranked,
        _x("scores", "one an example"),
        _x("share", "a number in 0..1, or a schedule"),
        source="Sinha et al. 2020, https://arxiv.org/abs/2002.06224, algorithm 1",
        example="minimize mean(top_k(judged, 75%) * softplus(-judged))",
    ),
    function(
        "augmented",
        "Pictures after random transforms, each with a draw of its own: those of `augment { both { … } }`, where an "
        "equation asks for them.",
        results.augmented,
        _x("x", "pictures"),
        Parameter(
            name="transforms", kind=ListOf(WordOf("augment")), doc="such as `[flip(horizontal), translate(12%)]`"
        ),
        source="Zhang et al. 2020, https://arxiv.org/abs/1910.12027, section 2.2",
        example="minimize consistency(judge(image), judge(augmented(image, [flip(horizontal), translate(12%)])))",
        draws=True,
    ),
    FunctionWord(  # the conditions of `monitor` alone know it: it never runs as a function
        name="best",
        category="function",
        doc="In `monitor`: the best value of a score so far.",
        parameters=(_x("score"),),
        result=results.guarded(results.scalar),
        draws=True,
        runs=False,
    ),
)
