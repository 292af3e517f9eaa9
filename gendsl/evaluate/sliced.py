"""Pictures of samples and of data in, the sliced Wasserstein distance of their patches out, by resolution."""

import numpy as np
import scipy.ndimage
from numpy.typing import NDArray

from gendsl.evaluate.estimate import Estimate, mean_of

_MOST_PATCHES = 1 << 17  # a resolution and side: 77 MB of 7x7x3
_SMALLEST = 16
_BINOMIAL = np.array([1, 4, 6, 4, 1], np.float32) / 16
Pictures = NDArray[np.floating]


def most_pictures(patches: int) -> int:
    """How many pictures of a side are looked at."""
    return max(2, _MOST_PATCHES // patches)


def sliced_wasserstein(
    samples: Pictures, data: Pictures, *, patches: int, patch: int, directions: int, seed: int = 0
) -> Estimate:
    """The mean over resolutions of 1,000 times the sliced Wasserstein distance of patches; NaN below two pictures.

    Karras et al. 2018, section 5: each resolution of a Laplacian pyramid (Burt & Adelson 1983) gives `patches` of
    patch x patch a picture, normalised by mean and deviation of each channel; the distance is the mean over random
    directions of the mean distance of the sorted projections (Rabin et al. 2011). Pictures (n, h, w, c) are in 0..1,
    the resolutions halve down to 16 pixels, or are one where pictures are smaller.
    """
    count = min(len(samples), len(data), most_pictures(patches))
    if count < 2:
        return Estimate(float("nan"))
    random = np.random.Generator(np.random.Philox(key=seed))
    found = []
    for ours, theirs in zip(_pyramid(samples[:count]), _pyramid(data[:count]), strict=True):
        side = min(patch, *ours.shape[1:3])
        a = _normed(_patches(ours, patches, side, random))
        b = _normed(_patches(theirs, patches, side, random))
        found.append(_distances(a, b, directions, random))
    return mean_of(1_000 * np.mean(found, axis=0), how="directions")


def _pyramid(pictures: Pictures) -> list[NDArray[np.float32]]:
    """The band-pass pictures from fine to coarse; the last is what is left."""
    levels, now = [], np.asarray(pictures, np.float32)
    while min(now.shape[1:3]) >= 2 * _SMALLEST:
        smaller = _blurred(now)[:, ::2, ::2]
        larger = np.zeros_like(now)
        larger[:, ::2, ::2] = smaller
        levels.append(now - 4 * _blurred(larger))
        now = smaller
    return [*levels, now]


def _blurred(pictures: NDArray[np.float32]) -> NDArray[np.float32]:
    for axis in (1, 2):
        pictures = scipy.ndimage.correlate1d(pictures, _BINOMIAL, axis=axis, mode="mirror")
    return pictures


def _patches(pictures: NDArray[np.float32], many: int, side: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Patches (n * many, side, side, c) from places of pictures (n, h, w, c) drawn evenly."""
    count, height, width, _ = pictures.shape
    rows = random.integers(0, height - side + 1, (count, many))
    columns = random.integers(0, width - side + 1, (count, many))
    within = np.arange(side)
    found = pictures[
        np.arange(count)[:, None, None, None],
        (rows[..., None] + within)[..., :, None],
        (columns[..., None] + within)[..., None, :],
    ]
    return np.asarray(found.reshape(count * many, side, side, -1))


def _normed(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Patches as rows, each channel of all with mean 0 and deviation 1; one that is constant stays 0."""
    mean, std = patches.mean(axis=(0, 1, 2)), patches.std(axis=(0, 1, 2))
    return np.asarray(((patches - mean) / np.where(std > 0, std, 1)).reshape(len(patches), -1), np.float32)


def _distances(
    a: NDArray[np.float32], b: NDArray[np.float32], directions: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """The Wasserstein distance along each direction (directions)."""
    found = np.empty(directions)
    for number in range(directions):
        direction: NDArray[np.float32] = np.asarray(random.normal(size=a.shape[1]), np.float32)
        direction /= np.linalg.norm(direction)
        found[number] = np.abs(np.sort(a @ direction) - np.sort(b @ direction)).mean()
    return found
