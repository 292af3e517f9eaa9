"""The words of `monitor`: alarms on scores and losses while a run goes on, and the policies that say what they do."""

from collections.abc import Collection

from gendsl.vocabulary.scores import better_of, numbers_of
from gendsl.vocabulary.word import Amount, Count, Expression, FreeName, Parameter, Real, Word, WordOf

# What says best whether a model is good, in this order: the score that alarms without `when:` look at.
_MAIN = (
    "fid",
    "kid",
    "sliced_wasserstein",
    "elbo",
    "bits_per_byte",
    "perplexity",
    "inception_score",
    "column_shapes",
    "reverse_kl",
    "diversity",
)
HELD_OUT = ("elbo", "bits_per_byte", "perplexity", "reconstruction")  # of the test split, unless told otherwise


def values_of(score: str) -> tuple[str, ...]:
    """The names of the values that a score gives, as conditions read them."""
    return tuple(numbers_of(score))


def main_score(values: Collection[str], best: str | None = None) -> str | None:
    """Of these values the one that says best whether a model is good; `best` is what `keep best` names."""
    return best if best in values else next((name for name in _MAIN if name in values), None)


def is_higher_better(value: str) -> bool:
    """Whether higher values of a score are the better ones; of what is not known, such as losses, they are not."""
    return better_of(value) == "higher"


_WHEN = Parameter(
    name="when",
    kind=Expression(),
    default=None,
    doc="A condition on scores and losses, `best(score)` among them; the alarm's own if left out.",
    positional=False,
)
_FOR = Parameter(
    name="for",
    kind=Amount(("checks", "steps", "epochs")),
    default=None,
    doc="How long it must hold; one check if left out, or what the alarm's own condition says.",
    positional=False,
)


def _do(default: str) -> Parameter:
    return Parameter(
        name="do",
        kind=WordOf("policy"),
        default=None,
        doc=f"What happens then; `{default}` if left out.",
        positional=False,
    )


def _monitor(name: str, doc: str, *, do: str = "warn", source: str = "", example: str = "") -> Word:
    return Word(
        name=name,
        category="monitor",
        doc=doc,
        parameters=(_WHEN, _FOR, _do(do)),
        source=source,
        example=example or f"{name} do: {do}",
    )


MONITORS: tuple[Word, ...] = (
    _monitor(
        "collapse",
        "The samples have become alike. Its own condition: `diversity`, once above 40 %, is below 20 %, for 3 checks.",
        source="Arjovsky et al. 2017; Odena et al. 2017, section 4.2",
        example="collapse when: diversity < 20%, for: 3 checks, do: rollback",
    ),
    _monitor(
        "overfit",
        "The model repeats its training data. Its own condition: `memorized` above 5 %, for 3 checks; or, where that "
        "is not scored, a score of held-out data that turns for the worse while the training loss goes on falling.",
        source="Meehan et al. 2020",
        example="overfit when: memorized > 5%, do: warn",
    ),
    _monitor(
        "worse",
        "A score is worse than its best. Its own condition: the main score has turned for good, by more than it is "
        "noisy, wanders, or has come back from before.",
        do="stop",
        source="Mann 1945, Kendall 1975 (the test for a trend)",
        example="worse when: fid > 1.5 * best(fid), for: 5 checks, do: stop",
    ),
    Word(
        name="diverged",
        category="monitor",
        doc="A loss, a gradient or a weight is no longer a finite number. The run ends, its last checkpoint whole, and "
        "says where it began; so it does with `warn`, since nothing can be learnt from there on.",
        parameters=(_do("stop"),),
        example="diverged do: stop",
    ),
    _monitor(
        "balance",
        "One side of an adversarial pair has won. Its own condition: the discriminator's loss lies between 0 and 0.02, "
        "or its accuracy, or the mean sign that `ada` hears, above 0.98, for 20 checks.",
        source="Goodfellow 2016 (NIPS tutorial), section 4",
    ),
    _monitor(
        "plateau",
        "The main score has not improved by 1 % for a while: 10 checks, or what `for:` says.",
        example="plateau for: 5 checks, do: set(learning_rate: 1e-4)",
    ),
    Word(
        name="alarm",
        category="monitor",
        doc="An alarm of a name of one's own, on any condition over what is logged.",
        parameters=(
            Parameter(name="name", kind=FreeName(), doc="What events and TensorBoard call it."),
            Parameter(
                name="when",
                kind=Expression(),
                doc="A condition on scores and losses, `best(score)` among them.",
                positional=False,
            ),
            _FOR,
            _do("warn"),
        ),
        example="alarm unsure, when: generator_loss > 5 and diversity < 50%, for: 500 steps",
    ),
    Word(
        name="default",
        category="monitor",
        doc="The default alarms: `diverged`, `worse` and `collapse` with their own conditions, each of which stops the "
        "run; an alarm that is written beside it takes the place of that of its name.",
        example="default",
    ),
)

_CHANGES = Real()
POLICIES: tuple[Word, ...] = (
    Word(
        name="warn",
        category="policy",
        doc="Says so in the terminal, in events.jsonl and in TensorBoard; the run goes on.",
        example="warn",
    ),
    Word(
        name="stop",
        category="policy",
        doc="Ends the run with a checkpoint, as if its steps were over; the exit code is 4.",
        example="stop",
    ),
    Word(
        name="rollback",
        category="policy",
        doc="Goes back to the last good checkpoint and on with other draws; further arguments set bindings of `train` "
        "or the learning rate, as those of `set` do.",
        parameters=(
            Parameter(
                name="scale_learning_rate",
                kind=Real(0.0, 1.0, above=True),
                default=1,
                doc="What every learning rate is multiplied by from there on.",
                positional=False,
            ),
            Parameter(
                name="at_most",
                kind=Count(),
                default=3,
                doc="How often the run goes back for this alarm; the next time it stops.",
                positional=False,
            ),
        ),
        open=_CHANGES,
        example="rollback(scale_learning_rate: 0.5)",
    ),
    Word(
        name="set",
        category="policy",
        doc="Sets bindings of `train` or the learning rate to new numbers, from the next step on.",
        open=_CHANGES,
        example="set(learning_rate: 1e-4)",
    ),
)

WORDS: tuple[Word, ...] = MONITORS + POLICIES
