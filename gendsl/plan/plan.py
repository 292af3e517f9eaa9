"""The plan: a checked spec as frozen, typed data; what `lower` compiles, what `plan` shows, what a run's hash is of."""

from collections.abc import Mapping
from typing import Any

from gendsl.frozen import dataclass, field
from gendsl.vocabulary.dimensions import Dimension, Shape
from gendsl.vocabulary.types import Type


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit: `500 steps`, `5 epochs`, `30 minutes`, `10 degrees`, `3 checks`."""

    value: int | float
    unit: str


@dataclass(frozen=True, slots=True)
class Call:
    """A word with its checked arguments, every parameter among them: an optimizer, a schedule, a source, a score.

    Values are numbers, texts, booleans, None, tuples of these, `Quantity` and `Call`; a size that waits for the data is
    `Symbolic`. `statements` holds the calls of its block, if it has one.
    """

    word: str
    arguments: Mapping[str, Any]
    statements: "tuple[Call, ...]" = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where data comes from: `name` is `a` in `source a: images(…)`, and empty for an only source."""

    name: str
    call: Call


@dataclass(frozen=True, slots=True)
class Field:
    """A field of an example after its transforms. `kind` is image, label, text, row, point or condition.

    `shape` is () for a label (an integer among `classes`). `arguments` are those of its statement (`resize`, `range`…),
    with defaults; `source` names the source it comes from.
    """

    name: str
    kind: str
    shape: Shape
    source: str
    classes: Dimension | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def drawn(self) -> bool:
        """Whether samples draw it by its frequencies in the training data, where it is not given."""
        return self.kind in ("label", "condition")


@dataclass(frozen=True, slots=True)
class Data:
    """The data: its sources, fields, curation and splits. `examples` is the size of the training split, None if unknown
    or unlimited. `split` maps split names to shares; None where the source brings its own or has none. `cache` says
    whether pictures lie in memory, or in a scratch file; None lets their size decide. Windows of text have `window`
    tokens, and start every `stride`; None for every `window`."""

    sources: tuple[Source, ...]
    fields: tuple[Field, ...]
    curate: tuple[Call, ...]
    split: Mapping[str, float] | None
    batch: int
    shuffle: bool
    cache: bool | None
    condition: tuple[str, ...] = ()
    window: int | None = None
    examples: int | None = None
    pairs: str | None = None  # `name` or `order`: how examples of several sources belong together
    stride: int | None = None
    constraints: tuple[Call, ...] = ()  # what a table's rows have to keep to: `unique`, `ordered`, `pattern`


@dataclass(frozen=True, slots=True)
class Augment:
    """Transforms of real training data (`data`), and of real and generated alike (`both`); `ada` wraps the latter."""

    data: tuple[Call, ...] = ()
    both: tuple[Call, ...] = ()
    ada: Call | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """An input of a network. `kind` is field, prior, condition, time or features; `of` is the field's name or the
    prior's
    `Call` (`normal(64)`), else None. `integer` for labels and tokens. `optional` where it may be none (`label or none`,
    for guidance): a label's number of classes then stands for none, zeros for that of numbers."""

    name: str
    kind: str
    of: Any
    shape: Shape
    integer: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a network: `name` is unique in the network and reads like the spec; `inputs` are numbers of earlier
    values, the network's inputs first (0, 1, …), then the layers in order. `arguments` holds every parameter of the
    word
    but references. `weights` and `state` count trainable and other numbers; `word` may be `keras.X`."""

    name: str
    word: str
    arguments: Mapping[str, Any]
    inputs: tuple[int, ...]
    shape: Shape | None
    weights: Dimension
    state: Dimension
    flops: Dimension
    scope: str = ""  # `up_1/path_0`: where in the spec's blocks it stands


@dataclass(frozen=True, slots=True)
class Output:
    """A result of a network: the number of the value that gives it, and its type. The only result is named ""."""

    name: str
    value: int
    type: Type


@dataclass(frozen=True, slots=True)
class Network:
    """A network: inputs, layers in order, outputs, and the labels (`as h`) that `d(x).h` can read.

    `shape` of a distribution's output is that of its parameters (normal: 2n). Weights are counted in
    `weights`/`state`."""

    name: str
    inputs: tuple[Input, ...]
    layers: tuple[Layer, ...]
    outputs: tuple[Output, ...]
    labels: Mapping[str, int]
    init: Call | None = None
    constrain: Call | None = None
    recompute: bool = False  # whether the gradient computes its activations again (Chen et al. 2016)

    @property
    def weights(self) -> Dimension:
        """The number of trainable parameters."""
        return _total(layer.weights for layer in self.layers)

    @property
    def state(self) -> Dimension:
        """The number of parameters that no optimizer trains: moving statistics, spectral-norm vectors."""
        return _total(layer.state for layer in self.layers)

    @property
    def flops(self) -> Dimension:
        """FLOPs of one forward pass of one example."""
        return _total(layer.flops for layer in self.layers)


def _total(values: Any) -> Dimension:
    total: Dimension = 0
    for value in values:
        total = total + value
    return total


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of an update: its value is computed once, and used by its number in the list it stands in.

    | name | inputs | attributes |
    | --- | --- | --- |
    | constant | | value |
    | field | | name: the batch's |
    | scheduled | | value: a number or a schedule `Call`: a scalar of the step |
    | scalar | | name: a binding of `train` (see `Train.scalars`) |
    | signal | | name: the newest value of what some group measures (see `Group.measures`) |
    | prior | none, or a limit that it is cut at | call: `normal(n)`…, of: how many, the batch's |
    | call | one a network input | network, training; both: whether the inputs listed in `both` are transformed |
    | output | a call | name: one of several results |
    | label | a call | name: a labelled value |
    | distribution | parameters | family, event, classes, bounds: what a network's result means (see `Distribution`) |
    | normal, truncated_normal, uniform, categorical, bernoulli | parameters or none | event: a standard distribution |
    | draw | a distribution; a limit that it is cut at, or none | |
    | add, subtract, multiply, divide, power, negate | | elementwise, broadcast from the left: (batch) with (batch, …) |
    | less, less_equal, greater, greater_equal, equal, not_equal, and, or, not | | |
    | loss | its tensors, in order | word: `hinge`, role: `discriminator`, `generator` or "", arguments |
    | function | tensors | word: `mean`, `l1`, `kl`, `nll`, `stop_gradient`…, arguments; process: of `noised`… |
    | function | a sampler's network's further inputs | word: `ddim`…, arguments, network, process; bounds: of what is
    predicted, or None; none: what stands for none at each input, or None |
    | function | the further inputs of the network of `generate`, then what `given` names | word, arguments, network;
    given: of prompt, tokens with -1 behind them, and temperature; known: how many tokens all prompts have |
    | penalty | the tensors | word: `r1`, network, arguments; every: a lazy term's interval |
    | replay | a tensor | size |

    `site` numbers each occurrence of a draw in the spec (calls of networks too, for dropout), None for what draws
    nothing.
    """

    name: str
    inputs: tuple[int, ...]
    attributes: Mapping[str, Any]
    type: Type
    site: int | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """One minimisation.

    The networks it trains, the operation that is its loss, its optimizer, its equation as written.
    """

    name: str
    networks: tuple[str, ...]
    loss: int
    optimizer: Call
    equation: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Updates that happen at once (a lone update is a group of one): all gradients are taken of the same forward pass.

    `operations` is in order of evaluation; `times` repetitions a step, repetition k on batch k. `measures` are the
    values that conditions of updates read, `accuracy` of `critic` as `critic/accuracy`, each by its operation. `when`
    are the operations of the group's own condition, which the last of them gives; the weights change only where it
    holds. `condition` is that as it is written."""

    updates: tuple[Update, ...]
    operations: tuple[Operation, ...]
    times: int = 1
    measures: tuple[tuple[str, int], ...] = ()
    when: tuple[Operation, ...] = ()
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the run: its length, the updates that run in it (all groups in order), the settings it overrides."""

    name: str
    length: Quantity
    groups: tuple[int, ...]
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Train:
    """The training: `scalars` are the bindings of `train` (numbers or schedules), `phases` at least one.

    `settings` holds seed, precision, strategy, checkpoint, clip, accumulate, jit, deterministic, each a `Call`, and
    `start` and `freeze`, whose statements are their calls; `ema` one a network.
    """

    groups: tuple[Group, ...]
    phases: tuple[Phase, ...]
    scalars: Mapping[str, Any]
    ema: tuple[Call, ...]
    settings: Mapping[str, Call]

    @property
    def times(self) -> int:
        """How many batches a step takes."""
        return max((group.times for group in self.groups), default=1)


@dataclass(frozen=True, slots=True)
class Sample:
    """What a sample is: the outputs by name as operations, and the fields that are inputs of the signature."""

    outputs: tuple[tuple[str, int], ...]
    operations: tuple[Operation, ...]
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One `evaluate` block: when, on how many samples of which split, the scores, and those defined by bindings."""

    every: Quantity | None
    samples: int | None
    arguments: Mapping[str, Any]
    scores: tuple[Call, ...]
    equations: tuple[tuple[str, int], ...] = ()
    operations: tuple[Operation, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A checked spec."""

    experiment: str
    params: Mapping[str, Any]
    data: Data
    augment: Augment
    networks: tuple[Network, ...]
    train: Train
    sample: Sample | None
    evaluations: tuple[Evaluation, ...]
    monitors: tuple[Call, ...]
    export: tuple[Call, ...]
    card: tuple[Call, ...]
    sweep: Call | None
    variants: Mapping[str, Mapping[str, Any]]
    not_built: tuple[tuple[str, str], ...] = ()  # (word, category) of what this version cannot run yet
    objectives: tuple[tuple[str, str], ...] = ()  # each `objective` as written, and the statements it stands for

    def network(self, name: str) -> Network:
        """The network of a name."""
        return next(network for network in self.networks if network.name == name)
