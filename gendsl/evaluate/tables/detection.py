"""Cells of samples and of held-out rows in, how well a classifier tells them apart out.

Source: Lopez-Paz & Oquab 2017, https://arxiv.org/abs/1610.06545 (classifier two-sample tests).
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.tables.cells import Cells
from gendsl.evaluate.tables.features import Space

_FOLDS = 5
LEAST_ROWS = 2 * _FOLDS  # of a side
_MOST_ROWS = 10_000  # of a side
_SEED = 0


def detection(samples: Cells, held_out: Cells, space: Space) -> dict[str, float]:
    """The area under the ROC curve, averaged over 5 folds of as many rows of each side: `detection` of a boosted
    forest, `detection_linear` of a logistic regression. 0.5 is chance, 1 is told apart always; NaN for fewer than 10
    rows."""
    count = min(len(samples), len(held_out), _MOST_ROWS)
    if count < LEAST_ROWS:
        return {"detection": float("nan"), "detection_linear": float("nan")}
    sides = [space.rows(cells.of(_some(len(cells), count))) for cells in (samples, held_out)]
    rows, real = np.concatenate(sides), np.repeat([0, 1], count)
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

    forest = HistGradientBoostingClassifier(max_iter=50, early_stopping=False, random_state=_SEED)
    models = {"detection": forest, "detection_linear": LogisticRegression(max_iter=200)}
    return {name: _told_apart(model, rows, real) for name, model in models.items()}


def _told_apart(model: Any, rows: NDArray[Any], real: NDArray[np.int64]) -> float:
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold
    from threadpoolctl import threadpool_limits

    areas = []
    for train, test in StratifiedKFold(_FOLDS, shuffle=True, random_state=_SEED).split(rows, real):
        # one thread: on a busy machine many wait for each other; that a fit has not converged is its score's matter
        with threadpool_limits(1), warnings.catch_warnings(action="ignore"):
            model.fit(rows[train], real[train])
        areas.append(roc_auc_score(real[test], model.predict_proba(rows[test])[:, 1]))
    return float(np.mean(areas))


def _some(many: int, count: int) -> NDArray[np.int64]:
    return np.sort(np.random.Generator(np.random.Philox(key=_SEED)).permutation(many)[:count])
