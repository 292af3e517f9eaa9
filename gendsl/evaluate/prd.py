"""Features of samples and of data in, the curve of precision against recall out."""

import numpy as np
from numpy.typing import NDArray

_CLUSTERS, _RUNS, _SLOPES = 20, 10, 201


def precision_recall_curve(
    samples: NDArray[np.floating],
    data: NDArray[np.floating],
    *,
    clusters: int = _CLUSTERS,
    runs: int = _RUNS,
    slopes: int = _SLOPES,
) -> NDArray[np.float64]:
    """Precision and recall (slopes, 2), recall falling, from features (n, width) and (m, width).

    Both sides are sorted into the clusters of their union, as many rows of one as of the other, and their histograms
    compared: a recall below 1 at full precision is a part of the data that no sample comes from (Sajjadi et al. 2018,
    theorem 1 and section 4.2; the mean over several clusterings). Empty with fewer than two rows of a side.
    """
    from sklearn.cluster import MiniBatchKMeans

    many = min(len(samples), len(data))
    if many < 2:
        return np.empty((0, 2))
    both = np.concatenate([samples[:many], data[:many]]).astype(np.float64)
    angles = np.arange(1, slopes + 1) / (slopes + 1) * np.pi / 2
    slope = np.tan(angles)[:, None]  # rising: precision rises with it, and recall falls
    found = np.zeros((slopes, 2))
    for run in range(runs):
        places = MiniBatchKMeans(min(clusters, len(both)), n_init=3, random_state=run).fit_predict(both)
        made, real = (np.bincount(part, minlength=clusters) / many for part in (places[:many], places[many:]))
        found[:, 0] += np.minimum(slope * real, made).sum(axis=1)
        found[:, 1] += np.minimum(real, made / slope).sum(axis=1)
    return np.clip(found / runs, 0, 1)
