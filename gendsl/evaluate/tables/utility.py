"""Cells of samples and of real rows in, how well models that are trained on either predict a column of unseen rows out.

Source: Esteban et al. 2017, https://arxiv.org/abs/1706.02633, section 4 (train on synthetic, test on real); the scores
by Xu et al. 2019, section 5.1: macro-averaged F1 of categories, R² of numbers.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.tables.cells import Cells, is_category, places_of
from gendsl.evaluate.tables.features import space_of

MOST_ROWS = 20_000  # that a model is trained or tested on
_SEED = 0


def utility(samples: Cells, train: Cells, test: Cells, target: str) -> dict[str, float]:
    """`utility`: the mean score, on `test`, of three models trained on the samples; `utility_real`: of the same ones
    trained on as many training rows.

    Of a category a logistic regression, a random forest and a boosted forest, and the macro-averaged F1 over the
    categories that the test rows have; of a number or a time the same with a ridge regression, and R², 0 where a model
    does worse than the mean. Rows whose target is missing are left out. NaN without rows."""
    place = [column.name for column in train.columns].index(target)
    space, column = space_of(train), train.columns[place]
    count = min(len(samples), len(train), MOST_ROWS)
    held_out = _known(test.of(np.arange(min(len(test), MOST_ROWS))), place)
    found = {}
    for name, cells in (("utility", samples), ("utility_real", train)):
        learnt = _known(cells.of(_some(len(cells), count)), place)
        if not len(learnt) or not len(held_out):
            found[name] = float("nan")
            continue
        x, unseen = (space.rows(one, without=(target,)) for one in (learnt, held_out))
        if is_category(column):
            classes, right = (places_of(column, one.codes[:, place]) for one in (learnt, held_out))
            found[name] = float(np.mean([f1(right, model(x, classes, unseen)) for model in _CLASSIFIERS]))
        else:
            middle, spread = space.means[place], space.spreads[place]
            values, truth = ((one.codes[:, place] - middle) / spread for one in (learnt, held_out))
            found[name] = float(np.mean([explained(truth, model(x, values, unseen)) for model in _REGRESSORS]))
    return found


def f1(right: NDArray[Any], told: NDArray[Any]) -> float:
    """The mean over the categories in `right` of 2·hits / (2·hits + false alarms + misses)."""
    scores = []
    for one in np.unique(right):
        hits = float(((right == one) & (told == one)).sum())
        wrong = float(((right == one) != (told == one)).sum())
        scores.append(2 * hits / (2 * hits + wrong))
    return float(np.mean(scores))


def explained(right: NDArray[Any], told: NDArray[Any]) -> float:
    """R², the share of the variance that is explained; 0 where it would be negative, or there is no variance."""
    total = float(np.square(right - right.mean()).sum())
    left = float(np.square(right - told).sum())
    return max(0.0, 1 - left / total) if total > 0 else 0.0


def _known(cells: Cells, place: int) -> Cells:
    return cells.of(np.flatnonzero(~np.isnan(cells.codes[:, place])))


def _some(many: int, count: int) -> NDArray[np.int64]:
    return np.sort(np.random.Generator(np.random.Philox(key=_SEED)).permutation(many)[:count])


def _fitted(model: Any, x: NDArray[Any], y: NDArray[Any], unseen: NDArray[Any]) -> NDArray[Any]:
    if len(np.unique(y)) == 1:
        return np.full(len(unseen), y[0])  # there is nothing to tell apart
    from threadpoolctl import threadpool_limits

    # one thread: on a busy machine many wait for each other; that a fit has not converged is its score's matter
    with threadpool_limits(1), warnings.catch_warnings(action="ignore"):
        model.fit(x, y)
        told: NDArray[Any] = model.predict(unseen)
    return told


def _logistic(x: NDArray[Any], y: NDArray[Any], unseen: NDArray[Any]) -> NDArray[Any]:
    from sklearn.linear_model import LogisticRegression

    return _fitted(LogisticRegression(max_iter=200), x, y, unseen)


def _ridge(x: NDArray[Any], y: NDArray[Any], unseen: NDArray[Any]) -> NDArray[Any]:
    from sklearn.linear_model import Ridge

    return _fitted(Ridge(), x, y, unseen)


def _forest(x: NDArray[Any], y: NDArray[Any], unseen: NDArray[Any]) -> NDArray[Any]:
    from sklearn.ensemble import RandomForestClassifier

    return _fitted(RandomForestClassifier(50, min_samples_leaf=2, random_state=_SEED), x, y, unseen)


def _regression_forest(x: NDArray[Any], y: NDArray[Any], unseen: NDArray[Any]) -> NDArray[Any]:
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(50, min_samples_leaf=2, max_features=0.5, random_state=_SEED)
    return _fitted(forest, x, y, unseen)


def _boosted(x: NDArray[Any], y: NDArray[Any], unseen: NDArray[Any]) -> NDArray[Any]:
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(max_iter=50, early_stopping=False, random_state=_SEED)
    return _fitted(model, x, y, unseen)


def _boosted_regression(x: NDArray[Any], y: NDArray[Any], unseen: NDArray[Any]) -> NDArray[Any]:
    from sklearn.ensemble import HistGradientBoostingRegressor

    model = HistGradientBoostingRegressor(max_iter=100, early_stopping=False, random_state=_SEED)
    return _fitted(model, x, y, unseen)


_CLASSIFIERS = (_logistic, _forest, _boosted)
_REGRESSORS = (_ridge, _regression_forest, _boosted_regression)
