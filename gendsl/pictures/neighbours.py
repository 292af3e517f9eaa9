"""Samples and training examples in, the examples that are nearest to each sample out."""

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits


def nearest(
    samples: NDArray[np.floating], examples: NDArray[np.floating], count: int, *, part: int = 4_096
) -> NDArray[np.int64]:
    """The numbers (n, count) of the examples (m, …) nearest to samples (n, …), by Euclidean distance, nearest first.

    Examples are gone through in parts of bounded memory. A sample that is no finite number is taken as zero."""
    count = min(count, len(examples))
    wanted = np.nan_to_num(np.asarray(samples, np.float32).reshape(len(samples), -1), posinf=0, neginf=0)
    best = np.full((len(wanted), 0), np.inf, np.float32)
    which = np.zeros((len(wanted), 0), np.int64)
    with threadpool_limits(1):  # a run's own threads wait for work meanwhile
        for first in range(0, len(examples), part):
            known = np.asarray(examples[first : first + part], np.float32).reshape(-1, wanted.shape[1])
            # |s - e|^2 without |s|^2, which is the same for all
            distance = np.sum(known**2, axis=1) - 2 * (wanted @ known.T)
            best = np.concatenate([best, distance], axis=1)
            which = np.concatenate([which, np.broadcast_to(np.arange(first, first + len(known)), distance.shape)], 1)
            order = np.argsort(best, axis=1, kind="stable")[:, :count]
            best, which = np.take_along_axis(best, order, 1), np.take_along_axis(which, order, 1)
    return which
