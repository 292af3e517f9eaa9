"""The schedules: scalars that change with the step of the loop.

Step 0 is the first of the run, or of the phase in which the schedule stands. `over:` is a length from there, warm-up
included, and defaults to the length of the run or phase; after it the end value holds. With `warmup: w` the value in
step k < w is start * (k + 1) / w, and the schedule proper begins in step w.
"""

from gendsl.vocabulary.word import Amount, ListOf, Parameter, Real, Toggle, Word

_START = Parameter(name="start", kind=Real(), doc="the value in the first step")
_END = Parameter(name="end", kind=Real(), doc="the value after the last")
_ZERO = Parameter(name="end", kind=Real(), default=0, doc="the value after the last")
_OVER = Parameter(
    name="over", kind=Amount(), default=None, positional=False, doc="how long; the whole run or phase if left out"
)
_AFTER = Parameter(
    name="after",
    kind=Amount(),
    default=None,
    positional=False,
    doc="how long the start is held before; not part of `over:`",
)
_WARMUP = Parameter(
    name="warmup",
    kind=Amount(),
    default=None,
    positional=False,
    doc="a linear rise from 0 before it, part of `over:`",
)


def _schedule(name: str, doc: str, *parameters: Parameter, source: str = "", example: str) -> Word:
    return Word(name=name, category="schedule", doc=doc, parameters=parameters, source=source, example=example)


WORDS: tuple[Word, ...] = (
    _schedule(
        "constant",
        "Always one value.",
        Parameter(name="value", kind=Real(), doc="the value"),
        _WARMUP,
        example="adam(constant(1e-3, warmup: 500 steps))",
    ),
    _schedule(
        "ramp",
        "In a straight line from start to end: start + (end - start) * k / over in step k, counted from `after:` on.",
        _START,
        _END,
        _OVER,
        _AFTER,
        example="beta = ramp(0, 1, over: 2_000 steps)",
    ),
    _schedule(
        "linear_decay",
        "In a straight line from start to end, after a warm-up if asked.",
        _START,
        _ZERO,
        _OVER,
        _WARMUP,
        example="adam(linear_decay(2e-4, 0))",
    ),
    _schedule(
        "cosine",
        "Along half a cosine from start to end: end + (start - end) * (1 + cos(pi * k / over)) / 2 in step k.",
        _START,
        _ZERO,
        _OVER,
        _WARMUP,
        source="Loshchilov & Hutter 2017, https://arxiv.org/abs/1608.03983, equation 5",
        example="adamw(cosine(3e-4, 3e-5, warmup: 200 steps))",
    ),
    _schedule(
        "polynomial",
        "end + (start - end) * (1 - k / over)^power in step k.",
        _START,
        _ZERO,
        Parameter(name="power", kind=Real(0, above=True), default=2, positional=False, doc="the exponent"),
        _OVER,
        _WARMUP,
        example="sgd(polynomial(0.1, 0, power: 2))",
    ),
    _schedule(
        "geometric",
        "By an equal factor a step from start to end: start * (end / start)^(k / over) in step k.",
        Parameter(name="start", kind=Real(0, above=True), doc="the value in the first step"),
        Parameter(name="end", kind=Real(0, above=True), doc="the value after the last"),
        _OVER,
        _WARMUP,
        example="adam(geometric(1e-3, 1e-5))",
    ),
    _schedule(
        "exponential_decay",
        "start * rate^(k / every) in step k; with `staircase`, only whole multiples of `every` count.",
        _START,
        Parameter(name="rate", kind=Real(0, above=True), doc="the factor"),
        Parameter(name="every", kind=Amount(), positional=False, doc="how long the factor takes"),
        Parameter(name="staircase", kind=Toggle(), default=False, positional=False, doc="fall in steps"),
        _WARMUP,
        example="adam(exponential_decay(1e-3, 0.96, every: 1_000 steps))",
    ),
    _schedule(
        "piecewise",
        "One value after the other, changing at the given moments: one value more than moments.",
        Parameter(name="values", kind=ListOf(Real()), doc="the values"),
        Parameter(name="at", kind=ListOf(Amount()), positional=False, doc="when each next value begins"),
        _WARMUP,
        example="adam(piecewise([1e-3, 1e-4], at: [10_000 steps]))",
    ),
    _schedule(
        "inverse_sqrt",
        "A straight rise to the peak, then its fall with one over the root of the step: "
        "peak * min((k + 1) / warmup, sqrt(warmup / (k + 1))) in step k.",
        Parameter(name="peak", kind=Real(), doc="the highest value"),
        Parameter(name="warmup", kind=Amount(), positional=False, doc="how long it rises"),
        source="Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, equation 3",
        example="adam(inverse_sqrt(1e-3, warmup: 4_000 steps))",
    ),
)
