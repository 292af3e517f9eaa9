"""Data sets of TFDS that are prepared on disk: their own splits, order and classes, and what is told of others."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow_datasets

from gendsl.check.headers import header_of
from gendsl.lower.data import dataset_of
from gendsl.lower.errors import DataError
from gendsl.run import download
from tests.lower.data_plans import call_of, plan_of

TINY = call_of("source", "tfds", name="tiny_shapes")


def pictures(split: str) -> np.ndarray:
    count = {"train": 20, "test": 6}[split]
    return np.random.default_rng(count).integers(0, 256, (count, 8, 8, 3), np.uint8)


class TinyShapes(tensorflow_datasets.core.GeneratorBasedBuilder):
    """Noise in three classes."""

    VERSION = tensorflow_datasets.core.Version("1.2.0")
    SHAPE: tuple[int | None, ...] = (8, 8, 3)

    def _info(self) -> Any:
        image = tensorflow_datasets.features.Image(shape=self.SHAPE)
        label = tensorflow_datasets.features.ClassLabel(names=["square", "disc", "star"])
        features = tensorflow_datasets.features.FeaturesDict({"image": image, "label": label})
        return tensorflow_datasets.core.DatasetInfo(builder=self, features=features, license="CC0")

    def _split_generators(self, manager: Any) -> Any:
        return {split: self._generate_examples(split) for split in ("train", "test")}

    def _generate_examples(self, split: str) -> Any:
        for number, image in enumerate(pictures(split)):
            yield number, {"image": image[: 8 if self.SHAPE[0] else 4 + number % 4], "label": number % 3}


class TinyMixed(TinyShapes):
    """Noise of different heights."""

    SHAPE = (None, None, 3)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tfds")
    for builder in (TinyShapes, TinyMixed):
        builder(data_dir=folder).download_and_prepare()
    return folder


@pytest.fixture(autouse=True)
def directory(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))


def test_header_and_data_agree() -> None:
    header = header_of(TINY, ".")
    assert header.splits == {"train": 20, "test": 6} and not header.warning
    plan = plan_of(TINY, fields={"image": {"range": (0, 255)}})
    assert plan.data.fields[0].shape == (8, 8, 3) and plan.data.fields[1].classes == 3
    data = dataset_of(plan)
    assert data.sizes == {"train": 20, "test": 6} and data.class_names == ("square", "disc", "star")
    for split in ("train", "test"):
        rows = data.split(split)
        expected = sorted((image.tobytes(), number % 3) for number, image in enumerate(pictures(split)))
        images = rows["image"].round().astype(np.uint8)
        assert sorted(zip((image.tobytes() for image in images), rows["label"].tolist(), strict=True)) == expected
    assert data.manifest["sources"][0]["licence"] == "CC0"
    again = dataset_of(plan)
    np.testing.assert_array_equal(again.split("train")["image"], data.split("train")["image"])
    assert again.manifest == data.manifest


def test_pictures_of_different_sizes() -> None:
    mixed = call_of("source", "tfds", name="tiny_mixed")
    with pytest.raises(DataError, match="differ in size") as caught:
        dataset_of(plan_of(mixed))
    assert "resize" in caught.value.help
    data = dataset_of(plan_of(mixed, fields={"image": {"resize": (8, 8), "fit": "stretch"}}))
    assert data.split("train")["image"].shape == (20, 8, 8, 3)


def test_what_is_not_prepared_is_told_without_a_download(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="not prepared on this machine") as caught:
        dataset_of(plan_of(call_of("source", "tfds", name="cifar10")))
    assert "`gendsl run` with `--download`" in caught.value.help


SPEC = """experiment shapes
data { source tfds("tiny_shapes"); image range: -1..1; batch 4 }
network generator(z: normal(4)) -> image { dense 192 | tanh | reshape 8, 8, 3 }
train { update generator, with: adam(1e-3) { minimize l2(generator(), image) }; steps 1 }
"""


def test_a_run_downloads_where_it_is_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from gendsl.cli import main

    def prepare(name: str) -> None:  # TFDS's own ones come from the web
        tensorflow_datasets.builder(name, data_dir=tmp_path / "tfds").download_and_prepare()

    monkeypatch.setattr(download, "download", prepare)
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.chdir(tmp_path)
    Path("shapes.gen").write_text(SPEC)
    assert main(["run", "shapes.gen", "--out", "run"]) != 0
    assert "`--download`" in capfd.readouterr().err
    assert not (tmp_path / "tfds").exists()
    assert main(["run", "shapes.gen", "--out", "run", "--download"]) == 0
    said = capfd.readouterr().out
    assert "downloading TFDS's tiny_shapes" in said and "26 pictures" in said
    assert main(["run", "shapes.gen", "--out", "again", "--download"]) == 0
    assert "downloading" not in capfd.readouterr().out


def test_a_download_that_fails_is_told() -> None:
    with pytest.raises(DataError, match='TFDS\'s "nothing_like_it" cannot be downloaded') as caught:
        download.download("nothing_like_it")
    assert "catalog" in caught.value.help


def test_a_scratch_file_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    held, scratch = (dataset_of(plan_of(TINY, cache=cache)) for cache in (True, False))
    assert scratch.on_disk and held.manifest == scratch.manifest
    np.testing.assert_array_equal(held.split("train")["image"], scratch.split("train")["image"])


def test_damaged_records_are_told(prepared: Path) -> None:
    place = prepared / "tiny_shapes/1.2.0"
    shard = next(place.glob("*test*tfrecord*"))
    whole = shard.read_bytes()
    try:
        shard.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(DataError, match="cannot be read") as caught:
            dataset_of(plan_of(TINY))
        assert "prepare it again" in caught.value.help
    finally:
        shard.write_bytes(whole)
