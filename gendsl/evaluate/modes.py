"""Points and the modes of a mixture in, out: how many modes were found and how near to them the points lie."""

import numpy as np
from numpy.typing import NDArray


def modes(
    points: NDArray[np.floating], centres: NDArray[np.floating], std: float, *, within: float = 3
) -> dict[str, float]:
    """The scores of points (n, d) against equal Gaussians around centres (m, d).

    `modes`: those that have at least one point within `within` standard deviations of their centre.
    `high_quality`: the share of points within that distance of the nearest centre (Srivastava et al. 2017, §4.1).
    `reverse_kl`: from the shares of the high-quality points among the modes to even shares, in nats; 0 is even, and
    infinity stands where there are none (Lin et al. 2018, section 4.1).
    `spread`: the root mean square distance of high-quality points to their centre in a coordinate, over that of data
    cut at the same distance; 1 is right, below 1 each mode is too narrow.
    """
    points = np.asarray(points, np.float64)
    points = points[np.isfinite(points).all(axis=1)] if len(points) else points
    total = max(len(points), 1)
    squared = np.square(points[:, None] - np.asarray(centres, np.float64)[None]).sum(axis=2)
    nearest = squared.argmin(axis=1) if len(points) else np.zeros(0, int)
    least = squared.min(axis=1) if len(points) else np.zeros(0)
    near = least <= (within * std) ** 2
    counts = np.bincount(nearest[near], minlength=len(centres))
    share = counts[counts > 0] / max(counts.sum(), 1)
    dimensions = points.shape[1]
    found = float(near.sum())
    return {
        "modes": float((counts > 0).sum()),
        "high_quality": found / total,
        "reverse_kl": float((share * np.log(share * len(centres))).sum()) if found else float("inf"),
        "spread": float(np.sqrt(least[near].mean() / dimensions)) / _cut_std(std, within, dimensions) if found else 0.0,
    }


def _cut_std(std: float, within: float, dimensions: int) -> float:
    """The standard deviation in a coordinate of a Gaussian cut at `within` deviations from its centre.

    In two dimensions the squared distance is exponential: E[r² | r <= w] / 2 = 1 - h e^-h / (1 - e^-h), h = w²/2.
    """
    if dimensions != 2:
        return std
    half = within**2 / 2
    tail = float(np.exp(-half))
    return std * float(np.sqrt(1 - half * tail / (1 - tail)))
