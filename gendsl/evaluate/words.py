"""What was gathered for a score in, its numbers out, by word: `diversity` gives one, `precision_recall` two."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.asked import Asked
from gendsl.evaluate.certainty import class_balance, inception_score
from gendsl.evaluate.diversity import MOST_EXAMPLES, diversity
from gendsl.evaluate.estimate import Estimate, mean_of
from gendsl.evaluate.extractors.classifier import accuracy_of
from gendsl.evaluate.gaussian import FrechetResampler, frechet_distance
from gendsl.evaluate.kernel import kernel_distance
from gendsl.evaluate.modes import modes
from gendsl.evaluate.neighbours import density_coverage, memorized, precision_recall
from gendsl.evaluate.path_length import path_length
from gendsl.evaluate.prd import precision_recall_curve
from gendsl.evaluate.sliced import most_pictures, sliced_wasserstein
from gendsl.evaluate.tables import scores as table_scores
from gendsl.evaluate.token_words import TOKEN_SCORES
from gendsl.lower.data import modes_of
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Call, Field, Plan
from gendsl.vocabulary.token_scores import OF_MUSIC

# They compare with the test split, and so does what is an equation.
HELD_OUT = ("memorized", "classification_accuracy", *TOKEN_SCORES, *table_scores.HELD_OUT)
# They look at samples alone.
UNCOMPARED = ("inception_score", "modes", "gan_test", "class_balance", "ppl", "broken_rules")
_CHEAP = 300  # rows or features up to which many resamples are no matter


def examples_of(asked: Asked) -> int:
    """How many examples a score compares with."""
    word, there = asked.call.word, asked.real.count(asked.split)
    if word in UNCOMPARED:
        return 0
    if word in ("kid", "precision_recall", "density_coverage"):
        return min(there, asked.gathered.count)
    if word == "diversity":
        return min(there, asked.gathered.count, MOST_EXAMPLES)
    if word == "sliced_wasserstein":
        return min(there, asked.gathered.count, most_pictures(int(asked.call.arguments["patches"])))
    return there


def _fid(asked: Asked) -> dict[str, Estimate]:
    extractor = asked.extractor
    assert extractor is not None
    found = asked.gathered.extracted[extractor.key]
    if asked.gathered.count < 2:
        return {"fid": Estimate(float("nan"))}
    other = asked.real.gaussian(extractor, asked.split)
    value = frechet_distance(found.gaussian, other)
    if not found.keeps_rows:
        return {"fid": Estimate(value)}
    resampler: list[FrechetResampler] = []

    def resample(random: np.random.Generator) -> float:
        if not resampler:
            resampler.append(FrechetResampler.of(found.rows, other))
        return resampler[0](random)

    times = 200 if min(found.rows.shape) <= _CHEAP else 20
    return {"fid": Estimate(value, resample, times=times)}


def _kid(asked: Asked) -> dict[str, Estimate]:
    given = asked.call.arguments
    size = int(given["subset_size"])
    return {"kid": kernel_distance(asked.rows, asked.real_rows, subsets=int(given["subsets"]), subset_size=size)}


def _inception_score(asked: Asked) -> dict[str, Estimate]:
    assert asked.extractor is not None
    chances = asked.gathered.extracted[asked.extractor.key].chances
    return {"inception_score": inception_score(chances, splits=int(asked.call.arguments["splits"]))}


def _precision_recall(asked: Asked) -> dict[str, Estimate]:
    return precision_recall(asked.rows, asked.real_rows, neighbours=int(asked.call.arguments["neighbours"]))


def _density_coverage(asked: Asked) -> dict[str, Estimate]:
    return density_coverage(asked.rows, asked.real_rows, neighbours=int(asked.call.arguments["neighbours"]))


def _memorized(asked: Asked) -> dict[str, Estimate]:
    assert asked.extractor is not None
    train, held_out = asked.real.rows(asked.extractor, "train"), asked.real.rows(asked.extractor, asked.split)
    return memorized(asked.rows, train, held_out, quantile=float(asked.call.arguments["quantile"]))


def _diversity(asked: Asked) -> dict[str, Estimate]:
    samples, data = asked.gathered.kept, asked.real.some(asked.split, MOST_EXAMPLES)

    def resample(random: np.random.Generator) -> float:
        count = min(len(samples), MOST_EXAMPLES)
        return diversity(samples[random.integers(0, len(samples), count)], data)

    return {"diversity": Estimate(diversity(samples, data), resample, times=20)}


def _modes(asked: Asked) -> dict[str, Estimate]:
    mixture = mixture_of(asked.plan)
    assert mixture is not None
    points, within = asked.gathered.kept, float(asked.call.arguments["within"])

    def resampled(name: str) -> Callable[[np.random.Generator], float]:
        return lambda random: modes(points[random.integers(0, len(points), len(points))], *mixture, within=within)[name]

    found = modes(points, *mixture, within=within)
    return {name: Estimate(value, resampled(name), times=100) for name, value in found.items()}


def _sliced_wasserstein(asked: Asked) -> dict[str, Estimate]:
    given = asked.call.arguments
    patches = int(given["patches"])
    samples = asked.gathered.kept[: most_pictures(patches)].astype(np.float32) / 255
    data = asked.real.some(asked.split, most_pictures(patches)).astype(np.float32) / 255
    side, directions = int(given["patch"]), int(given["directions"])
    found = sliced_wasserstein(samples, data, patches=patches, patch=side, directions=directions)
    return {"sliced_wasserstein": found}


def _classification_accuracy(asked: Asked) -> dict[str, Estimate]:
    """Ravuri & Vinyals 2019, section 3: train on samples, test on real data."""
    assert asked.label is not None and asked.real.label is not None
    samples = asked.gathered.kept
    labels = np.asarray(asked.fields[asked.label][: len(samples)], np.int32)
    real, known = asked.real.labelled(asked.split)
    classes = asked.real.label.classes
    many = max(classes if isinstance(classes, int) else 0, int(known.max()) + 1, int(labels.max()) + 1)
    right = accuracy_of(samples, labels, real, known, many, epochs=int(asked.call.arguments["epochs"]))
    return {"classification_accuracy": mean_of(right, how="examples")}


def _gan_test(asked: Asked) -> dict[str, Estimate]:
    """Shmelkov et al. 2018, section 3.2: train on real data, test on samples."""
    assert asked.extractor is not None and asked.label is not None
    chances = asked.gathered.extracted[asked.extractor.key].chances
    return {"gan_test": mean_of(chances.argmax(axis=1) == asked.fields[asked.label][: len(chances)], how="samples")}


def _class_balance(asked: Asked) -> dict[str, Estimate]:
    """Santurkar et al. 2018, section 3: the classes of samples beside those of the data, as a classifier sees them."""
    assert asked.extractor is not None and asked.real.label is not None
    chances = asked.gathered.extracted[asked.extractor.key].chances
    labels = np.asarray(asked.real.dataset.split("train")[asked.real.label.name])  # of the scored pictures' source
    return {"class_balance": class_balance(chances, np.bincount(labels, minlength=chances.shape[1]))}


def _ppl(asked: Asked) -> dict[str, Estimate]:
    assert asked.extractor is not None
    found = path_length(
        asked.experiment,
        asked.extractor,
        asked.gathered.of,
        asked.output,
        count=asked.gathered.count,
        epsilon=float(asked.call.arguments["epsilon"]),
        fields=asked.fields,
        averaged=asked.averaged,
    )
    return {"ppl": found}


SCORES: Mapping[str, Callable[[Asked], dict[str, Estimate]]] = {
    "fid": _fid,
    "kid": _kid,
    "inception_score": _inception_score,
    "precision_recall": _precision_recall,
    "density_coverage": _density_coverage,
    "memorized": _memorized,
    "diversity": _diversity,
    "modes": _modes,
    "sliced_wasserstein": _sliced_wasserstein,
    "classification_accuracy": _classification_accuracy,
    "gan_test": _gan_test,
    "class_balance": _class_balance,
    "ppl": _ppl,
    **TOKEN_SCORES,
    **table_scores.SCORES,
}

# What is drawn beside a score: precision and recall (n, 2).
CURVES: Mapping[str, Callable[[Asked], NDArray[np.float64]]] = {
    "precision_recall": lambda asked: precision_recall_curve(asked.rows, asked.real_rows),
}


def most_kept(calls: Sequence[Call], count: int) -> int:
    """How many of so many samples these scores look at themselves, rather than at their features."""
    most = 2
    for call in calls:
        if call.word in ("modes", "classification_accuracy", *TOKEN_SCORES, *table_scores.SCORES):
            return count
        if call.word == "diversity":
            most = max(most, MOST_EXAMPLES)
        elif call.word == "sliced_wasserstein":
            most = max(most, most_pictures(int(call.arguments["patches"])))
    return min(most, count)


def concerns(call: Call, of: Field, plan: Plan) -> bool:
    """Whether a score is of samples that are like a field: some are of text, of music, others of all but these."""
    if of.kind != "text":
        return call.word not in TOKEN_SCORES
    music = any(source.name == of.source and source.call.word == "midi" for source in plan.data.sources)
    return call.word in TOKEN_SCORES and (music or call.word not in OF_MUSIC)


def mixture_of(plan: Plan) -> tuple[NDArray[np.float64], float] | None:
    """The modes (m, 2) of a plan's data and their standard deviation, where they are known."""
    call = plan.data.sources[0].call
    centres = modes_of(call)
    return None if centres is None else (np.asarray(centres, np.float64), float(call.arguments["std"]))


def refuse_impossible(call: Call, plan: Plan, splits: Mapping[str, int | None], chosen: str) -> None:
    """Raises UserError for a score that this data can never have: before training starts."""
    if call.word == "modes" and mixture_of(plan) is None:
        source = plan.data.sources[0].call.word
        raise UserError(
            f"`modes` needs a mixture whose modes are known, and `{source}` is none",
            "score `diversity` instead, or use `source gaussians(…)`",
        )
    if chosen not in splits:
        there = ", ".join(f"`{name}`" for name in splits)
        raise UserError(f"`{call.word}` compares with the split `{chosen}`; there are {there}", "write `split: test`")
    if call.word in ("memorized", *table_scores.HELD_OUT) and chosen == "train":
        raise UserError(
            f"`{call.word}` needs examples that were not trained on, and there is no other split than `train`",
            "keep some: `split train: 90%, test: 10%` in `data`",
        )
