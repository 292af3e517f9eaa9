"""mixup of pictures: with whom, by how much, and that neither depends on anything but (seed, epoch, index)."""

from pathlib import Path
from typing import Any

import numpy as np
import scipy.stats
import tensorflow as tf

from gendsl.lower.augment.mixing import mixed
from gendsl.lower.data import Dataset, dataset_of
from tests.lower.data_plans import call_of, plan_of

DIGITS = call_of("source", "digits")
MIXUP = call_of("augment", "mixup", alpha=0.4)
RANGE = {"image": {"range": (0, 255)}}


def fetched(data: Dataset, step: int) -> Any:
    batch = data.fetch(tf.constant(data.addresses(step, 1)[0]))
    return {name: value.numpy() for name, value in batch.items()}


def signed(folder: Path, count: int) -> Any:
    """A source whose picture of number n is 8x8, and n in its first channel, 255 - n in its second."""
    numbers = np.arange(count, dtype=np.uint8)
    images = np.stack([numbers, 255 - numbers, 0 * numbers], -1)[:, None, None, :] * np.ones([1, 8, 8, 1], np.uint8)
    np.savez(folder / "signed.npz", x=images)
    return call_of("source", "npz", file="signed.npz", image="x")


def test_shares_are_of_the_beta_distribution() -> None:
    uniform = tf.random.stateless_uniform([4000, 4], [1, 2])
    ones = tf.ones([4000, 1, 1, 1])
    for alpha in (0.2, 1.0, 5.0):
        shares = mixed({"alpha": alpha}, ones, 0 * ones, uniform).numpy().ravel()
        assert scipy.stats.kstest(shares, scipy.stats.beta(alpha, alpha).cdf).pvalue > 1e-3, alpha


def test_a_mixture_is_of_two_training_pictures(tmp_path: Path) -> None:
    plan = plan_of(
        signed(tmp_path, 120),
        str(tmp_path),
        batch=30,
        fields=RANGE,
        split={"train": 0.5, "test": 0.5},
        augment=(MIXUP,),
    )
    data = dataset_of(plan, str(tmp_path))
    train = data.split("train")["image"][:, 0, 0, 0]
    epochs = [fetched(data, step)["image"][0, :, 0, 0] for step in range(20)]
    pixels = np.concatenate(epochs)
    np.testing.assert_allclose(pixels[:, 0] + pixels[:, 1], 255, rtol=1e-5, err_msg="shares add up to 1")
    assert train.min() <= pixels[:, 0].min() and pixels[:, 0].max() <= train.max()
    assert np.abs(pixels[:, 0] - pixels[:, 0].round()).max() > 0.1, "most are no picture of the data"
    # With alpha near 0 the share is 0 or 1: what comes out is the picture itself, or its partner.
    sure = dataset_of(
        plan_of(
            signed(tmp_path, 120),
            str(tmp_path),
            batch=60,
            fields=RANGE,
            split={"train": 0.5, "test": 0.5},
            augment=(call_of("augment", "mixup", alpha=1e-4),),
        ),
        str(tmp_path),
    )
    plain = dataset_of(
        plan_of(signed(tmp_path, 120), str(tmp_path), batch=60, fields=RANGE, split={"train": 0.5, "test": 0.5}),
        str(tmp_path),
    )
    given = np.stack([fetched(sure, epoch)["image"][0, :, 0, 0, 0] for epoch in range(60)])
    own = np.stack([fetched(plain, epoch)["image"][0, :, 0, 0, 0] for epoch in range(60)])
    partners = given[np.abs(given - own) > 0.5].round()
    assert 0.45 < len(partners) / given.size < 0.53
    counts = np.array([(partners == number).sum() for number in train])
    assert counts.sum() == len(partners), "no partner stands in the test split"
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 98.3  # chi-square, 59 degrees, p = 0.001


def test_a_mixture_is_the_examples_however_it_is_batched() -> None:
    augment = (call_of("augment", "flip"), MIXUP, call_of("augment", "noise"), MIXUP)
    small = dataset_of(plan_of(DIGITS, batch=10, augment=augment, seed=1))
    large = dataset_of(plan_of(DIGITS, batch=15, times=2, augment=augment, seed=1))
    in_small = np.concatenate([fetched(small, step)["image"][0] for step in (0, 1, 2)])
    np.testing.assert_array_equal(in_small, fetched(large, 0)["image"].reshape(30, 8, 8, 1))
    again = small.addresses(0, 1)[0]
    again[..., 0] = 7
    assert (small.fetch(tf.constant(again))["image"].numpy()[0] != in_small[:10]).any(), "another epoch, other partners"


def test_what_stands_before_is_done_to_the_partner_by_a_draw_of_its_own(tmp_path: Path) -> None:
    """Pictures are alike: left is 0, right is 200. Half flipped each, a quarter of the mixtures has both sides even."""
    images = np.zeros([40, 4, 4, 1], np.uint8)
    images[:, :, 2:] = 200
    np.savez(tmp_path / "halves.npz", x=images)
    source = call_of("source", "npz", file="halves.npz", image="x")
    augment = (call_of("augment", "flip"), call_of("augment", "mixup", alpha=1e4))  # as good as half of each
    data = dataset_of(plan_of(source, str(tmp_path), batch=40, fields=RANGE, augment=augment), str(tmp_path))
    left = np.concatenate([fetched(data, step)["image"][0, :, 0, 0, 0] for step in range(50)])
    shares = [(left < 50).mean(), (np.abs(left - 100) < 50).mean(), (left > 150).mean()]
    np.testing.assert_allclose(shares, [0.25, 0.5, 0.25], atol=0.05)


def test_pairs_are_mixed_alike(tmp_path: Path) -> None:
    source = signed(tmp_path, 60)
    plan = plan_of({"a": source, "b": source}, str(tmp_path), batch=20, pairs="order", fields=RANGE, augment=(MIXUP,))
    batch = fetched(dataset_of(plan, str(tmp_path)), 0)
    np.testing.assert_array_equal(batch["a"], batch["b"])
