"""The name of a file that a template reads in, its text out: real data that is installed along with gendsl."""

import csv
import io
from collections.abc import Callable, Mapping


def wine() -> str:
    """178 wines of three cultivars by 13 measures, as CSV (Aeberhard & Forina 1992, UCI; scikit-learn has it)."""
    from sklearn.datasets import load_wine

    found = load_wine()
    names = [name.partition("/")[0] for name in found.feature_names]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*names, "cultivar"])
    for row, cultivar in zip(found.data, found.target, strict=True):
        writer.writerow([*(format(value, "g") for value in row), "ABC"[cultivar]])
    return stream.getvalue()


BESIDE: Mapping[str, tuple[str, Callable[[], str]]] = {"table": ("wine.csv", wine)}
