"""The names under which a run, or another program, logged values in; the names that conditions read them by out."""

import re
from collections.abc import Collection, Iterable, Mapping

from gendsl.vocabulary.score_keys import plain

_NOT_THE_VALUE = {"best", "min", "max", "std", "stderr", "time", "seconds", "var", "err", "error", "delta", "target"}
_IS = {"is", "inception"}
_FULL = {
    "frechet_inception_distance": "fid",
    "kernel_inception_distance": "kid",
    "inception_score": "inception_score",
    "vendi": "diversity",
    "vendi_score": "diversity",
}
_SIDES = {
    "discriminator": {"d", "dis", "disc", "discriminator", "critic", "netd"},
    "generator": {"g", "gen", "generator", "netg"},
}
_OF_UPDATES = ("learning_rate", "loss_scale", "skipped", "held")  # what is logged of an update, by the word before it


def of_log(values: Mapping[str, float]) -> dict[str, float]:
    """What a run's log tells, by the names that conditions read: `critic/loss` is `critic_loss`."""
    found = {}
    for key, value in values.items():
        group, slash, name = key.partition("/")
        if not slash:
            continue
        found[f"{name}_{group}" if group in _OF_UPDATES else f"{group}_{name}"] = value
    return found


def of_scores(values: Mapping[str, float]) -> dict[str, float]:
    """Scores by their plain names; that of several outputs (`diversity/a`, `diversity/b`) is their mean."""
    parts: dict[str, list[float]] = {}
    for key, value in values.items():
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            parts.setdefault(plain(key).partition("/")[0], []).append(float(value))
    return {name: sum(several) / len(several) for name, several in parts.items()}


def words_in(column: str) -> list[str]:
    """The words that a column's name is made of, in small letters: `metrics/FID-50k` is metrics, fid, 50k."""
    parted = re.sub(r"([a-z])([A-Z])", r"\1_\2", column)
    return [word for word in re.split(r"[^a-z0-9]+", parted.lower()) if word]


def column_of(name: str, columns: Collection[str]) -> str | None:
    """The column that holds what conditions call by a name, in whatever way a program has called it."""
    exact = [column for column in columns if column == name]
    same = [column for column in columns if "_".join(words_in(column)) == name]
    alike = sorted(
        (column for column in columns if name in meanings(column)), key=lambda column: (len(words_in(column)), column)
    )
    return next(iter([*exact, *same, *alike]), None)


def meanings(column: str) -> set[str]:
    """What a column may mean: `fid50k_full` is `fid`, `D_loss` is `discriminator_loss`."""
    words = words_in(plain(column))
    if not words or _NOT_THE_VALUE & set(words):
        return set()
    found = {full for text, full in _FULL.items() if text in "_".join(words)}
    for word in words:
        for score in ("fid", "kid"):
            if re.fullmatch(rf"{score}(\d+k?)?", word) or re.fullmatch(rf"(clean|tf|pt)?{score}", word):
                found.add(score)
    if words[-1] in _IS or (len(words) > 1 and words[-2] in _IS and words[-1] in ("mean", "score", "avg")):
        found.add("inception_score")
    joined = set(words) | {word.removeprefix("loss").removesuffix("loss") for word in words if "loss" in word}
    if any("loss" in word for word in words):
        found |= {f"{side}_loss" for side, others in _SIDES.items() if others & joined}
    found |= {word for word in words[-1:] if word in ("diversity", "memorized", "precision", "recall", "elbo", "nll")}
    return found


def known_in(columns: Iterable[str]) -> tuple[str, ...]:
    """All names that the values of some columns can be read by."""
    names: dict[str, None] = {}
    for column in columns:
        names[column] = None
        names["_".join(words_in(column))] = None
        names.update(dict.fromkeys(sorted(meanings(column))))
    names.pop("", None)
    return tuple(names)
