"""The values of a field in, part by part, what a report tells of it out: one class a kind of field."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np

from gendsl.lower.augment import span_of
from gendsl.lower.data.dataset import Dataset
from gendsl.lower.tables.statistics import statistics_of
from gendsl.plan.plan import Field
from gendsl.vocabulary.dimensions import shown

_CLASSES_SHOWN = 12


class FieldReport(ABC):
    """What a report tells of a field: it is given all values, and then asked."""

    def __init__(self, field: Field, dataset: Dataset) -> None:
        self.field, self.dataset = field, dataset

    @abstractmethod
    def add(self, values: np.ndarray) -> None:
        """Takes more values (n, …), as training sees them before augmentation."""

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """The statistics, for JSON."""

    @abstractmethod
    def told(self) -> str:
        """The statistics in a line, for people."""

    def details(self) -> list[tuple[str, str]]:
        """More lines, each of a name and what it says."""
        return []


class Moments:
    """Means and standard deviations of columns (n, c), in one pass.

    Source: Chan, Golub & LeVeque 1983, Algorithms for Computing the Sample Variance, equation 2.1.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean: Any = 0.0
        self._squares: Any = 0.0

    def add(self, columns: np.ndarray) -> None:
        """Takes more rows."""
        count = len(columns)
        if not count:
            return
        mean = columns.mean(axis=0, dtype=np.float64)
        squares = columns.var(axis=0, dtype=np.float64) * count
        step, total = mean - self.mean, self.count + count
        self._squares = self._squares + squares + step**2 * (self.count * count / total)
        self.mean = self.mean + step * (count / total)
        self.count = total

    @property
    def std(self) -> Any:
        """The standard deviations (c,), of the population."""
        return np.sqrt(self._squares / max(self.count, 1))

    def record(self) -> dict[str, Any]:
        """Both, for JSON."""
        return {"mean": _figures(self.mean), "std": _figures(self.std)}


class PictureReport(FieldReport):
    """Means and standard deviations of the channels, in the field's range."""

    def __init__(self, field: Field, dataset: Dataset) -> None:
        super().__init__(field, dataset)
        self._moments = Moments()

    def add(self, values: np.ndarray) -> None:
        self._moments.add(values.reshape(-1, values.shape[-1]))

    def record(self) -> dict[str, Any]:
        return {"range": list(span_of(self.field)), **self._moments.record()}

    def told(self) -> str:
        low, high = span_of(self.field)
        return f"{shown(self.field.shape)} in {low:g}..{high:g}: {_spread(self._moments)}"


class ClassReport(FieldReport):
    """How many examples each class has."""

    def __init__(self, field: Field, dataset: Dataset) -> None:
        super().__init__(field, dataset)
        self._counts = np.zeros(0, np.int64)

    def add(self, values: np.ndarray) -> None:
        counts = np.bincount(values, minlength=len(self._counts))
        counts[: len(self._counts)] += self._counts
        self._counts = counts

    def record(self) -> dict[str, Any]:
        sources = self.dataset.manifest["sources"]
        known = next((tuple(one.get("classes", ())) for one in sources if one["name"] == self.field.source), ())
        names = (*known, *map(str, range(len(known), len(self._counts))))
        counts = (*map(int, self._counts), *[0] * (len(known) - len(self._counts)))
        return {"classes": dict(zip(names, counts, strict=True))}

    def told(self) -> str:
        counts = self.record()["classes"]
        each = [f"{name} {count:,}" for name, count in counts.items()]
        if len(each) > _CLASSES_SHOWN:
            each = [*each[:_CLASSES_SHOWN], f"… ({min(counts.values()):,} to {max(counts.values()):,} each)"]
        return f"{len(counts):,} classes: {', '.join(each)}"


class PointReport(FieldReport):
    """Means and standard deviations of the coordinates."""

    def __init__(self, field: Field, dataset: Dataset) -> None:
        super().__init__(field, dataset)
        self._moments = Moments()

    def add(self, values: np.ndarray) -> None:
        self._moments.add(values.reshape(len(values), -1))

    def record(self) -> dict[str, Any]:
        return {"looked_at": self._moments.count, **self._moments.record()}

    def told(self) -> str:
        return f"{shown(self.field.shape)} coordinates, of {self._moments.count:,}: {_spread(self._moments)}"


class TextReport(FieldReport):
    """Its tokens, which were counted when they were made."""

    def __init__(self, field: Field, dataset: Dataset) -> None:
        super().__init__(field, dataset)
        sources = dataset.manifest["sources"]
        self._source = next(source for source in sources if source["name"] == field.source)

    def add(self, values: Any) -> None:
        pass

    def record(self) -> dict[str, Any]:
        told = {name: self._source[name] for name in ("vocabulary", "tokens")}
        return {"window": self.field.shape[0], **told}

    def told(self) -> str:
        train = self._source["tokens"]["train"]
        unknown = f", {train['unknown']:,} unknown" if train["unknown"] else ""
        return (
            f"windows of {self.field.shape[0]} tokens; {train['tokens']:,} tokens in {train['sequences']:,} sequences "
            f"of {train['shortest']:,} to {train['longest']:,}, {train['different']:,} of the vocabulary of "
            f"{self._source['vocabulary']:,}{unknown}, {train['bits_per_token']:.3g} bits each by their frequency"
        )

    def details(self) -> list[tuple[str, str]]:
        frequent = self._source["tokens"]["train"]["most_frequent"]
        return [("frequent", ", ".join(f"{token!r} {count:,}" for token, count in frequent))]


class RowReport(FieldReport):
    """The columns of a table, as they stand in its cells; of sound, the mean and standard deviation of its samples."""

    def __init__(self, field: Field, dataset: Dataset) -> None:
        super().__init__(field, dataset)
        self._table = dataset.tables.get(field.name)
        self._codes: list[np.ndarray] = []
        self._moments = Moments()

    def add(self, values: np.ndarray) -> None:
        if self._table is None:
            self._moments.add(values.reshape(-1, 1))
        else:
            self._codes.append(self._table.decode(values))

    def record(self) -> dict[str, Any]:
        if self._table is None:
            return self._moments.record()
        return {"width": self._table.width, "columns": statistics_of(self._table.columns, np.concatenate(self._codes))}

    def told(self) -> str:
        if self._table is None:
            return f"{shown(self.field.shape)}: {_spread(self._moments)}"
        return f"{len(self._table.columns):,} columns, encoded as {self._table.width:,} numbers"

    def details(self) -> list[tuple[str, str]]:
        if self._table is None:
            return []
        return [(column["name"], _column_told(column)) for column in self.record()["columns"]]


class ConditionReport(FieldReport):
    """The columns of a condition, and how many of its numbers are theirs."""

    def __init__(self, field: Field, dataset: Dataset) -> None:
        super().__init__(field, dataset)
        sources = dataset.manifest["sources"]
        self._widths = next(source["condition"] for source in sources if source["name"] == field.source)

    def add(self, values: np.ndarray) -> None:
        pass

    def record(self) -> dict[str, Any]:
        return {"width": sum(self._widths.values()), "columns": dict(self._widths)}

    def told(self) -> str:
        parts = ", ".join(f"{name} {width:,}" for name, width in self._widths.items())
        return f"{sum(self._widths.values()):,} numbers, one for each category: {parts}"


# Another kind of field is a class here; `run/survey.py` draws those that can be seen.
KINDS: Mapping[str, type[FieldReport]] = {
    "image": PictureReport,
    "label": ClassReport,
    "point": PointReport,
    "text": TextReport,
    "row": RowReport,
    "condition": ConditionReport,
}


def _column_told(column: Mapping[str, Any]) -> str:
    parts = [f"{column['kind']}, {column['different']:,} different"]
    if column["missing"]:
        parts.append(f"{column['missing']:,} missing")
    if "least" in column:
        parts.append(f"{column['least']} to {column['most']}, quartiles {', '.join(column['quartiles'])}")
    if "mean" in column:
        parts.append(f"mean {column['mean']:.4g}, standard deviation {column['std']:.4g}")
    if "counts" in column:
        counts = list(column["counts"].items())
        more = ", …" if len(counts) > _CLASSES_SHOWN else ""
        parts.append(", ".join(f"{name} {count:,}" for name, count in counts[:_CLASSES_SHOWN]) + more)
    return "; ".join(parts)


def _spread(moments: Moments) -> str:
    means, deviations = (", ".join(f"{value:.3g}" for value in _figures(each)) for each in (moments.mean, moments.std))
    return f"mean {means}; standard deviation {deviations}"


def _figures(values: Any) -> list[float]:
    """Numbers with six digits: the last bits of a sum are no news."""
    return [float(f"{value:.6g}") if math.isfinite(value) else float(value) for value in np.atleast_1d(values)]
