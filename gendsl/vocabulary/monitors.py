"""The words of `monitor`: alarms on scores and losses while a run goes on, and the policies that say what they do."""

from gendsl.vocabulary.word import Amount, Count, Expression, Parameter, Real, Toggle, Word, WordOf

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
    doc="How long it must hold; one check if left out.",
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
        runs=False,
    )


MONITORS: tuple[Word, ...] = (
    _monitor(
        "collapse",
        "The samples have become alike: their diversity is a small share of the data's.",
        source="Arjovsky et al. 2017; Odena et al. 2017, section 4.2",
        example="collapse when: diversity < 20%, for: 3 checks, do: rollback",
    ),
    _monitor(
        "overfit",
        "The model repeats its training data, or its held-out score parts from that on the training split.",
        source="Meehan et al. 2020",
        example="overfit when: memorized > 5%, do: warn",
    ),
    _monitor(
        "worse",
        "A score has been worse than its best for a while.",
        do="stop",
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
        "One side of an adversarial pair has won: its loss stays near zero or its accuracy near one.",
        source="Goodfellow 2016 (NIPS tutorial), section 4",
    ),
    _monitor(
        "plateau",
        "A score has not improved for a while.",
        example="plateau for: 5 checks, do: set(learning_rate: 1e-4)",
    ),
    Word(
        name="default",
        category="monitor",
        doc="The alarms that every run has without asking (`diverged` and, where diversity is scored, `collapse`).",
        parameters=(Parameter(name="on", kind=Toggle(), default=True),),
        example="default off",
        runs=False,
    ),
)

POLICIES: tuple[Word, ...] = (
    Word(
        name="warn",
        category="policy",
        doc="Says so in the terminal and in events.jsonl; the run goes on.",
        example="warn",
    ),
    Word(
        name="stop",
        category="policy",
        doc="Ends the run with a checkpoint, as if its steps were over.",
        example="stop",
    ),
    Word(
        name="rollback",
        category="policy",
        doc="Goes back to the last checkpoint before the trouble and on with other draws, at most so many times.",
        parameters=(
            Parameter(
                name="scale_learning_rate",
                kind=Real(0.0, 1.0, above=True),
                default=1,
                doc="What every learning rate is multiplied by from there on.",
                positional=False,
            ),
            Parameter(name="times", kind=Count(), default=3, doc="How often at most; then it stops.", positional=False),
        ),
        example="rollback(scale_learning_rate: 0.5)",
        runs=False,
    ),
    Word(
        name="set",
        category="policy",
        doc="Sets bindings of `train` or the learning rate to new numbers.",
        open=Real(),
        example="set(learning_rate: 1e-4)",
        runs=False,
    ),
)

WORDS: tuple[Word, ...] = MONITORS + POLICIES
