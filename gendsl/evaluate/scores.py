"""A plan, an experiment and its data in; the numbers of an `evaluate` block out, each under its contract's key."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate import likelihood, words
from gendsl.evaluate.asked import Asked
from gendsl.evaluate.cache import digest_of
from gendsl.evaluate.choosing import extractor_for, refuse_missing
from gendsl.evaluate.contract import Contract, of_extractor
from gendsl.evaluate.equations import Equations
from gendsl.evaluate.estimate import Estimate, mean_of
from gendsl.evaluate.extractor import Extractor
from gendsl.evaluate.gathered import Gathered, extracted
from gendsl.evaluate.inputs import label_of, output_field
from gendsl.evaluate.real import Real
from gendsl.evaluate.sampler import Draws
from gendsl.evaluate.tables import scores as tables
from gendsl.evaluate.words import refuse_impossible
from gendsl.plan.columns import rule_text
from gendsl.plan.features import extractor_of, label_beside
from gendsl.plan.plan import Call, Evaluation, Field, Plan
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.score_keys import named

DEFAULT_SAMPLES = 1_000
_EXTRACTED = tuple(word.name for word in WORDS["score"].values() if word.parameter("features") is not None)


@dataclass(slots=True)
class Scored:
    """Scores by key; their 95 % intervals, as far as they were taken; the contracts' fields by fingerprint; what is to
    be told beside them."""

    values: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    resampled: dict[str, str] = field(default_factory=dict)  # what the intervals are of
    contracts: dict[str, dict[str, Any]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    curves: dict[str, NDArray[np.float64]] = field(default_factory=dict)  # precision and recall (n, 2), by key

    def take(self, contract: Contract, found: Mapping[str, Estimate], output: str, *, intervals: bool) -> None:
        """Notes the numbers of a score."""
        for name, estimate in found.items():
            key = contract.key(name, output)
            self.values[key] = estimate.value
            self.contracts[contract.fingerprint] = contract.record()
            if intervals and (bounds := estimate.interval()) is not None:
                self.intervals[key], self.resampled[key] = bounds, estimate.how

    def add(self, other: "Scored") -> None:
        """Takes in what another block gave."""
        self.values |= other.values
        self.intervals |= other.intervals
        self.resampled |= other.resampled
        self.contracts |= other.contracts
        self.warnings += other.warnings
        self.curves |= other.curves


def _silent(told: str) -> None:
    """Tells nobody how far the work is."""


@dataclass(slots=True)
class Evaluator:
    """Takes the scores of a plan's `evaluate` blocks; samples are drawn with the averaged weights, where there are any.

    `fields` gives the inputs of so many samples, but labels; `folder` is the one that the spec's paths are relative to;
    `tell` hears how far long work is.
    """

    plan: Plan
    experiment: Any
    dataset: Any
    sampler: Draws
    fields: Callable[[int], dict[str, NDArray[Any]]]
    folder: str = "."
    tell: Callable[[str], None] = _silent
    averaged: bool = True
    _splits: dict[tuple[str, int], dict[str, NDArray[Any]]] = field(default_factory=dict)
    _real: dict[str, Real] = field(default_factory=dict)
    _extractors: dict[tuple[str, str], Extractor] = field(default_factory=dict)
    _equations: dict[tuple[int, bool], Equations] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Raises UserError for a score that this data can never have, before training starts."""
        for evaluation in self.plan.evaluations:
            for call in evaluation.scores:
                if call.word not in words.SCORES:
                    continue
                refuse_impossible(call, self.plan, self.dataset.sizes, self._split_of(call, evaluation))
                if call.word in tables.SCORES:
                    for _, of in self._outputs():
                        tables.refuse_unscorable(call, self.dataset, of.name)
                if call.word == "detection":
                    tables.refuse_too_few(self.dataset.sizes.get(self._split_of(call, evaluation)), evaluation.samples)
                if call.word in _EXTRACTED:
                    for of in (of for _, of in self._outputs() if words.concerns(call, of, self.plan)):
                        refuse_missing(extractor_of(call, evaluation.arguments, of, self.plan.data.fields), self.folder)

    def scores(self, number: int, *, intervals: bool = False) -> Scored:
        """The numbers of the block of that number; those that are not built yet are left out."""
        evaluation = self.plan.evaluations[number]
        scored = Scored()
        calls = [call for call in evaluation.scores if call.word in words.SCORES]
        if calls:
            count = evaluation.samples or DEFAULT_SAMPLES
            fields = self._given(count)
            gathered = self._gathered(evaluation, calls, count, fields, intervals=intervals)
            several = len(gathered) > 1
            for output, samples in gathered.items():
                self._warn_of_broken(output, samples, scored)
                kids = [call for call in calls if call.word == "kid"]
                for call in (call for call in calls if words.concerns(call, samples.of, self.plan)):
                    asked = self._asked(call, evaluation, output, samples, fields)
                    beside = any(self._same_features(one, call, evaluation, samples.of) for one in kids)
                    where = output if several else ""
                    self._take(asked, scored, where, intervals=intervals, beside_kid=beside)
        self._take_equations(number, evaluation, scored, intervals=intervals)
        self._count_classes(calls, evaluation, scored)
        return scored

    # Samples

    def _outputs(self) -> Iterator[tuple[str, Field]]:
        """The outputs of a sample that look like a field of the data."""
        if self.plan.sample is not None:
            for name, operation in self.plan.sample.outputs:
                shape = getattr(self.plan.sample.operations[operation].type, "shape", ())
                of = output_field(self.plan, name, shape)
                if of is not None:
                    yield name, of

    def _given(self, count: int) -> dict[str, NDArray[Any]]:
        """The inputs of samples; labels as often as in the training data, drawn by a fixed seed."""
        fields = dict(self.fields(count))
        label, counts = label_of(self.plan), self.experiment.class_counts
        if label is not None and counts is not None:
            chances = np.asarray(counts, np.float64) / np.sum(counts)
            random = np.random.Generator(np.random.Philox(key=0))
            fields[label] = random.choice(len(chances), count, p=chances).astype(np.int32)
        return fields

    def _gathered(
        self,
        evaluation: Evaluation,
        calls: list[Call],
        count: int,
        fields: Mapping[str, NDArray[Any]],
        *,
        intervals: bool,
    ) -> dict[str, Gathered]:
        """The samples of each output that looks like a field, with what their scores need."""
        found: dict[str, Gathered] = {}
        for chunk in self.sampler.chunks(count, seed=0, fields=fields):
            for output, values in chunk.items():
                if output not in found:
                    of = output_field(self.plan, output, values.shape[1:])
                    if of is None:
                        continue
                    found[output] = Gathered(of, count, words.most_kept(calls, count), {})
                    self._prepare(found[output], evaluation, calls, values.shape[1:], intervals=intervals)
                found[output].add(values)
        for one in found.values():
            one.close()
        return found

    def _prepare(
        self, gathered: Gathered, evaluation: Evaluation, calls: list[Call], shape: tuple[int, ...], *, intervals: bool
    ) -> None:
        wanted: dict[str, list[str]] = {}
        for call in calls:
            if call.word in _EXTRACTED and words.concerns(call, gathered.of, self.plan):
                one = self._extractor(call, evaluation, gathered.of, shape)
                wanted.setdefault(one.key, []).append(call.word)
                gathered.extracted[one.key] = extracted(one, wanted[one.key], intervals=intervals, count=gathered.count)

    def _warn_of_broken(self, output: str, samples: Gathered, scored: Scored) -> None:
        if samples.broken:
            scored.warnings.append(
                f"{samples.broken:,} of {samples.count:,} samples of `{output}` hold what is no finite number; scores "
                "of features are then none"
            )
        elif samples.alike and samples.count > 1:
            scored.warnings.append(f"all {samples.count:,} samples of `{output}` are the same")

    # Data

    @property
    def _held_out(self) -> str:
        return "test" if "test" in self.dataset.sizes else "train"

    def _split_of(self, call: Call, evaluation: Evaluation) -> str:
        """The split that a score compares with: training for distributions, held-out examples for the rest."""
        return str(evaluation.arguments.get("split") or (self._held_out if call.word in words.HELD_OUT else "train"))

    def split(self, split: str, count: int) -> dict[str, NDArray[Any]]:
        """Examples of a split, transformed and not augmented; read once."""
        if (split, count) not in self._splits:
            in_part = self.dataset.sizes.get(split) is None or self.dataset.on_disk
            read = self.dataset.split(split, count) if in_part else self.dataset.split(split)
            self._splits[split, count] = {name: np.asarray(values) for name, values in read.items()}
        return self._splits[split, count]

    def real(self, of: Field) -> Real:
        """The examples of a field."""
        if of.name not in self._real:
            self._real[of.name] = Real(self.dataset, of, label_beside(of, self.plan.data.fields), self.tell)
        return self._real[of.name]

    def _extractor(self, call: Call, evaluation: Evaluation, of: Field, shape: tuple[int, ...]) -> Extractor:
        meant = extractor_of(call, evaluation.arguments, of, self.plan.data.fields)
        key = (meant if isinstance(meant, str) else meant.word, of.name)
        if key not in self._extractors:
            self._extractors[key] = extractor_for(meant, self.real(of), shape, self.folder, self.tell)
        return self._extractors[key]

    def _same_features(self, one: Call, other: Call, evaluation: Evaluation, of: Field) -> bool:
        fields = self.plan.data.fields
        first = extractor_of(one, evaluation.arguments, of, fields)
        return first == extractor_of(other, evaluation.arguments, of, fields)

    def _data_digest(self) -> str:
        """What the data is, before it is split and brought into a range."""
        data = self.plan.data
        told = [(source.get("word"), source.get("sha256") or repr(source.get("from"))) for source in self._manifest()]
        shapes = [(one.name, one.kind, one.shape) for one in data.fields]
        return digest_of(told, sorted((data.split or {}).items()), repr(data.curate), shapes)[:16]

    def _manifest(self) -> list[dict[str, Any]]:
        return list((self.dataset.manifest or {}).get("sources") or ())

    # Scores

    def _asked(
        self, call: Call, evaluation: Evaluation, output: str, samples: Gathered, fields: Mapping[str, NDArray[Any]]
    ) -> Asked:
        extracts = call.word in _EXTRACTED
        return Asked(
            call,
            self.plan,
            self.experiment,
            output,
            samples,
            fields,
            label_of(self.plan),
            self.real(samples.of),
            self._split_of(call, evaluation),
            self._extractor(call, evaluation, samples.of, samples.kept.shape[1:]) if extracts else None,
            self.averaged,
        )

    def _take(self, asked: Asked, scored: Scored, output: str, *, intervals: bool, beside_kid: bool) -> None:
        """One score of one output; where there are fewer samples than features, with its interval and beside KID."""
        word, extractor = asked.call.word, asked.extractor
        few = word == "fid" and extractor is not None and asked.gathered.count <= extractor.width
        found = words.SCORES[word](asked)
        if asked.gathered.broken and extractor is not None:
            found = {name: Estimate(math.nan) for name in found}
        scored.take(self._contract(asked), found, output, intervals=intervals or few)
        if word in words.CURVES and not asked.gathered.broken:
            scored.curves[self._contract(asked).key(word, output)] = words.CURVES[word](asked)
        if not few or extractor is None:
            return
        self._tell_once(
            f"`{named('fid', extractor.name)}` of {asked.gathered.count:,} samples on {extractor.width:,} features is "
            "biased upward: the covariance has not their rank; `kid` beside it is unbiased (`samples:` draws more)",
            scored,
        )
        if not beside_kid:
            given = {one.name: one.default for one in WORDS["score"]["kid"].parameters}
            beside = replace(asked, call=Call("kid", given | {"features": asked.call.arguments.get("features")}))
            values = words.SCORES["kid"](beside)
            if asked.gathered.broken:
                values = {name: Estimate(math.nan) for name in values}
            scored.take(self._contract(beside), values, output, intervals=True)

    def _tell_once(self, warning: str, scored: Scored) -> None:
        if warning not in self._told:
            self._told.add(warning)
            scored.warnings.append(warning)

    def _weights(self) -> str:
        return "averaged" if self.averaged and self.plan.train.ema else "raw"

    def _contract(self, asked: Asked) -> Contract:
        given = {name: value for name, value in asked.call.arguments.items() if name != "features"}
        if asked.call.word == "broken_rules":
            given["rules"] = "; ".join(map(rule_text, self.plan.data.constraints))
        return Contract(
            score=asked.call.word,
            arguments=given,
            data=self._data_digest(),
            split=asked.split if asked.call.word not in words.UNCOMPARED else "",
            examples=words.examples_of(asked),
            samples=asked.gathered.count,
            weights=self._weights(),
            **of_extractor(asked.extractor),
        )

    def _equations_of(self, number: int, evaluation: Evaluation, *, of_tokens: bool) -> Equations:
        """Those of the block of a number that are means over examples, or those that are of all tokens of a split."""
        if (number, of_tokens) not in self._equations:
            own = tuple(pair for pair in evaluation.equations if (pair[0] in likelihood.WORDS) == of_tokens)
            part = replace(evaluation, equations=own)
            found = Equations(self.experiment, part, number=number, averaged=self.averaged)
            self._equations[number, of_tokens] = found
        return self._equations[number, of_tokens]

    def _take_likelihood(self, number: int, evaluation: Evaluation, scored: Scored, *, intervals: bool) -> None:
        """`bits_per_byte` and `perplexity`: of all windows of the split, whatever `samples:` says."""
        equations = self._equations_of(number, evaluation, of_tokens=True)
        if not equations.names:
            return
        split = str(evaluation.arguments.get("split") or self._held_out)
        losses = likelihood.losses_of(equations, self.dataset, self.plan, split)
        for name, values in losses.items():
            text = likelihood.text_of(evaluation, name, self.plan, self._manifest(), split)
            contract = Contract(
                score=name,
                arguments={"window": self.plan.data.window},
                data=self._data_digest(),
                split=split,
                examples=len(values),
                samples=0,
                weights=self._weights(),
            )
            scored.take(contract, {name: likelihood.estimate(name, values, text)}, "", intervals=intervals)
            if text.unknown and name == "bits_per_byte":
                self._tell_once(
                    f"{text.unknown:,} tokens of `{split}` are unknown to the tokenizer: `bits_per_byte` counts what "
                    "it takes to say that they are unknown, not what they are",
                    scored,
                )

    def _take_equations(self, number: int, evaluation: Evaluation, scored: Scored, *, intervals: bool) -> None:
        self._take_likelihood(number, evaluation, scored, intervals=intervals)
        equations = self._equations_of(number, evaluation, of_tokens=False)
        if not equations.names:
            return
        split = str(evaluation.arguments.get("split") or self._held_out)
        examples = self.split(split, evaluation.samples or DEFAULT_SAMPLES)
        given = {call.word: call.arguments for call in evaluation.scores if call.word in equations.names}
        draws = {name: int(arguments.get("draws", 1)) for name, arguments in given.items()}
        digest = digest_of(repr(evaluation.operations), repr(evaluation.equations))[:16]
        for name, values in equations.values(examples, batch=self.plan.data.batch, draws=draws).items():
            contract = Contract(
                score=name,
                arguments=given.get(name, {"equation": digest}),
                data=self._data_digest(),
                split=split,
                examples=len(values),
                samples=0,
                weights=self._weights(),
            )
            whole = name in equations.by_batch
            found = Estimate(float(values.mean())) if whole else mean_of(values, how="examples")
            scored.take(contract, {name: found}, "", intervals=intervals)

    def _count_classes(self, calls: list[Call], evaluation: Evaluation, scored: Scored) -> None:
        """Tells of classes that the real side has no example of."""
        counts = self.dataset.class_counts
        names = self.dataset.class_names or ()
        if counts is None or not calls:
            return
        missing = [str(names[number]) for number, count in enumerate(counts) if not count and number < len(names)]
        if missing:
            self._tell_once(
                f"{len(missing)} of {len(counts)} classes have no example in `train`, and no score can ask for them: "
                f"{', '.join(missing[:5])}",
                scored,
            )
