"""What every pass of the checker shares: where problems go, the global names, the words met on the way."""

from collections.abc import Iterable

from gendsl import rules
from gendsl.check.scope import Missing, Scope
from gendsl.diagnostics import Label, Problems
from gendsl.frozen import dataclass, field
from gendsl.plan.plan import Call, Source
from gendsl.source import Span
from gendsl.spelling import suggestion
from gendsl.syntax import tree
from gendsl.vocabulary import WORDS, categories_of, habits
from gendsl.vocabulary.habits import NAMES
from gendsl.vocabulary.word import Word

PLACES = {
    "top": "at the top of a spec",
    "data": "in `data`",
    "curate": "in `curate`",
    "column": "in a table's source",
    "augment": "in `augment`",
    "layer": "in a network or block",
    "structure": "in a network or block",
    "parallel": "in `parallel`",
    "train": "in `train`",
    "update": "in an update",
    "together": "in `together`",
    "phase": "in a phase",
    "sample": "in `sample`",
    "score": "in `evaluate`",
    "monitor": "in `monitor`",
    "export": "in `export`",
    "card": "in `card`",
    "sweep": "in `sweep`",
    "variant": "in a variant",
}
KINDS = {
    "optimizer": "an optimizer",
    "schedule": "a schedule",
    "loss": "a loss",
    "function": "a function",
    "penalty": "a penalty",
    "initializer": "an initializer",
    "constraint": "a constraint",
    "prior": "a prior",
    "result": "a result type",
    "source": "a source",
    "tokenizer": "a tokenizer",
    "labels": "a file of labels",
    "extractor": "a feature extractor",
    "policy": "a policy",
    "process": "a noising process",
    "strategy": "a strategy",
    "augment": "a transform",
    "control": "a controller",
    "score": "a score",
    "layer": "a layer",
}


@dataclass(slots=True)
class Context:
    """One check of one spec."""

    problems: Problems
    folder: str
    globals: Scope = field(default_factory=Scope)
    skipped: frozenset[str] = frozenset()
    unbuilt: dict[tuple[str, str], None] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)  # top-level names that something reads
    scores: dict[str, None] = field(default_factory=dict)  # what the spec scores
    sources: tuple[Source, ...] = ()  # of the data
    rules: tuple[Call, ...] = ()  # that the rows of a table keep to
    best: Span | None = None  # where it says which checkpoint is the best
    endless: str = ""  # the source, if its data has no end
    layer_spans: dict[str, list[Span]] = field(default_factory=dict)  # by network, where each of its values was made
    unknown: list[tuple[tree.Name, Scope]] = field(default_factory=list)
    trial: bool = False  # what is found is thrown away, and must leave no trace

    def use(self, word: Word) -> None:
        """Notes that the spec uses a word whose run-time part is not built yet."""
        if not word.runs:
            self.unbuilt[(word.name, word.category)] = None

    def unknown_word(self, name: str, category: str, span: Span, *, others: Iterable[str] = ()) -> None:
        """Reports a word that is none in its place."""
        if name in self.skipped:
            return
        habit = _habit(name, category)
        kind = KINDS.get(category)
        what = f"{kind}" if kind and category not in PLACES else f"a word {PLACES.get(category, category)}"
        pool = [*WORDS.get(category, {}), *others]
        found = suggestion(name, pool, sole=False)
        elsewhere = [c for c in categories_of(name) if c in PLACES or c in KINDS]
        if elsewhere and not habit and (found is None or found != name):
            place = PLACES.get(elsewhere[0]) or f"where {KINDS[elsewhere[0]]} belongs"
            self.problems.add(
                rules.misplaced,
                span,
                f"`{name}` is not {what}",
                help=f"`{name}` stands {place}" + (f"; did you mean `{found}`?" if found else ""),
            )
            return
        help = (
            habit or f"did you mean `{found}`?"
            if found or habit
            else f"`gendsl words --kind {category}` lists what there is"
        )
        self.problems.add(rules.unknown_word, span, f"`{name}` is not {what}", help=help)

    def unknown_name(
        self,
        name: tree.Name,
        scope: Scope,
        *,
        what: str = "",
        words: Iterable[str] = (),
        among: Iterable[str] | None = None,
    ) -> None:
        """Reports a name that nothing defines, once; names in text that did not parse are not missed.

        `what` is needed there; `words` of the vocabulary could stand there, too; `among` are the names that fit.
        """
        if name.text in self.skipped or isinstance(scope.find(name.text), Missing):
            return
        found = suggestion(name.text, [*(among if among is not None else scope.all()), *words])
        needed = f"{what} is needed, and " if what else ""
        self.problems.add(
            rules.unknown_name,
            name.span,
            f"{needed}nothing here is named `{name.text}`",
            help=NAMES.get(name.text) or f"did you mean `{found}`?"
            if found or name.text in NAMES
            else f"define {what or 'it'}, or use a name that is defined before this place",
        )
        if self.trial:
            return
        self.unknown.append((name, scope))
        self.globals.names.setdefault(name.text, Missing())

    def on_trial(self) -> "Context":
        """A context that reports into the void and leaves no trace but the names that are used."""
        return Context(Problems(), self.folder, self.globals, self.skipped, {}, self.used, trial=True)

    def point_at_unread(self) -> None:
        """Shows beside an unknown name the one definition in reach that nothing reads: probably its misspelling."""
        for name, scope in self.unknown:
            unread = {n: s for n, s in scope.unread().items() if s.source is name.span.source}
            near = suggestion(name.text, unread) if len(unread) != 1 else next(iter(unread))
            if near is not None:
                self.problems.label(name.span, [Label(unread[near], f"nothing reads this `{near}`")])

    @property
    def torn(self) -> bool:
        """Whether a brace is missing or too many: what stands outside its block then is no further mistake."""
        return self.problems.has(rules.unclosed, rules.unopened, rules.needs_block, rules.brace_on_own_line)


def _habit(name: str, category: str) -> str:
    """What stands here for a word of Keras, PyTorch or Python."""
    if category in ("layer", "structure"):
        meant = habits.layer_meant(name)
        if meant is not None:
            return f"here it is `{meant}`"
    if category == "source":
        from gendsl.check.headers.tfds import known_names

        if name in known_names():
            return f'write `tfds("{name}")`'
    return habits.STATEMENTS.get(name, "") if category in PLACES else ""


def article(count: int, one: str) -> str:
    """`1 value`, `2 values`."""
    return f"{count} {one}" if count == 1 else f"{count} {one}s"
