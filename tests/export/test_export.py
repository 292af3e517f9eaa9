"""The exported model: loaded as TF Serving loads it, it gives what `gendsl sample` gives."""

import subprocess
from pathlib import Path
from shutil import which
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from gendsl.evaluate.sampler import CHUNK, Sampler
from gendsl.export.command import export
from gendsl.run.rebuild import rebuilt


def samples(folder: Path, count: int, seed: int) -> np.ndarray:
    return Sampler(rebuilt(folder).experiment).samples(count, seed=seed)["image"]


def exported(folder: Path, **options: Any) -> Path:
    """The folder of the only model that an export writes."""
    (found,) = export(folder, replace=True, **options)
    return found.path


def signature(model: Path, name: str) -> tuple[dict[str, str], dict[str, str]]:
    """The names of the tensors that an endpoint takes and gives."""
    saved = saved_model_pb2.SavedModel()
    saved.ParseFromString((model / "saved_model.pb").read_bytes())
    found = saved.meta_graphs[0].signature_def[name]
    return (
        {key: value.name for key, value in found.inputs.items()},
        {key: value.name for key, value in found.outputs.items()},
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A C program against the libraries in TensorFlow's wheel."""
    if which("gcc") is None:
        pytest.skip("there is no C compiler")
    home, program = Path(tf.__file__).parent, tmp_path_factory.mktemp("serve") / "serve"
    command = ["gcc", str(Path(__file__).with_name("serve.c")), "-o", str(program), f"-I{home}/include", f"-L{home}"]
    command += ["-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2", f"-Wl,-rpath,{home}"]
    subprocess.run(command, check=True, timeout=300)
    return program


def served(server: Path, *arguments: object) -> np.ndarray:
    done = subprocess.run([str(server), *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return np.array([float(line) for line in done.stdout.split()], np.float32)


def test_the_cpp_loader_gives_what_sample_gives(plain: Path, server: Path) -> None:
    model = exported(plain)
    assert model == plain / "export" / "small" / "1"
    inputs, outputs = signature(model, "serving_default")
    assert set(inputs) == {"n", "seed"} and set(outputs) == {"image"}
    count = CHUNK + 7
    found = served(server, model, outputs["image"], inputs["n"], count, inputs["seed"], 3).reshape(count, 8, 8, 1)
    np.testing.assert_allclose(found, samples(plain, count, 3), atol=1e-5)
    inputs, outputs = signature(model, "from_prior")
    assert set(inputs) == {"z"}
    assert served(server, model, outputs["image"], inputs["z"], 5, 8).size == 5 * 64


def test_a_conditional_model_has_labels_and_a_name(conditional: Path) -> None:
    path = exported(conditional)
    assert path == conditional / "export" / "served" / "1"
    signatures = tf.saved_model.load(str(path)).signatures
    assert set(signatures) == {"serving_default", "labelled", "from_prior"}
    drawn = signatures["serving_default"](n=tf.constant(70), seed=tf.constant(5, tf.int64))["image"].numpy()
    np.testing.assert_allclose(drawn, samples(conditional, 70, 5), atol=1e-5)
    labels = tf.range(70, dtype=tf.int32) % 10
    labelled = signatures["labelled"](label=labels, seed=tf.constant(5, tf.int64))["image"].numpy()
    of_labels = Sampler(rebuilt(conditional).experiment).samples(70, seed=5, fields={"label": labels.numpy()})
    np.testing.assert_allclose(labelled, of_labels["image"], atol=1e-5)
    shown = signatures["from_prior"](z=tf.zeros((4, 8)), label=tf.constant([0, 1, 1, 2]))["image"].numpy()
    assert (shown[1] == shown[2]).all() and (shown[0] != shown[1]).any()


def test_a_sampling_loop_is_served_as_it_samples(guided: Path, server: Path) -> None:
    model = exported(guided)
    inputs, outputs = signature(model, "serving_default")
    assert set(inputs) == {"n", "seed"}
    count = CHUNK + 7
    found = served(server, model, outputs["image"], inputs["n"], count, inputs["seed"], 3).reshape(count, 8, 8, 1)
    np.testing.assert_allclose(found, samples(guided, count, 3), atol=1e-4)
    signatures = tf.saved_model.load(str(model)).signatures
    assert set(signatures) == {"serving_default", "labelled"}
    labels = tf.range(9, dtype=tf.int32)
    of_labels = Sampler(rebuilt(guided).experiment).samples(9, seed=5, fields={"label": labels.numpy()})["image"]
    labelled = signatures["labelled"](label=labels, seed=tf.constant(5, tf.int64))["image"].numpy()
    np.testing.assert_allclose(labelled, of_labels, atol=1e-4)
    others = Sampler(rebuilt(guided).experiment).samples(9, seed=5, fields={"label": labels.numpy()[::-1].copy()})
    assert (others["image"] != of_labels).any(), "the labels guide"
    assert np.abs(found).max() <= 1


def test_nothing_and_a_second_export(plain: Path) -> None:
    path = exported(plain)
    again = exported(plain)
    assert path == again and [found.name for found in path.parent.iterdir()] == ["1"]
    serve = tf.saved_model.load(str(again)).signatures["serving_default"]
    assert serve(n=tf.constant(0), seed=tf.constant(5, tf.int64))["image"].shape == (0, 8, 8, 1)


def test_a_text_is_served_as_it_is_sampled(text: Path, server: Path) -> None:
    model = exported(text)
    signatures = tf.saved_model.load(str(model)).signatures
    assert set(signatures) == {"serving_default", "prompted"}
    count = CHUNK + 3
    expected = Sampler(rebuilt(text).experiment).samples(count, seed=3)["text"]
    found = signatures["serving_default"](n=tf.constant(count), seed=tf.constant(3, tf.int64))["text"]
    np.testing.assert_array_equal(found, expected)
    prompts = np.tile(expected[:1, :4], (count, 1))
    prompted = signatures["prompted"]
    given = {"prompt": tf.constant(prompts), "seed": tf.constant(3, tf.int64), "temperature": tf.constant(0.9)}
    np.testing.assert_array_equal(prompted(**given)["text"], expected)
    greedy = prompted(**given | {"temperature": tf.constant(0.0)})["text"].numpy()
    np.testing.assert_array_equal(greedy, np.tile(greedy[:1], (count, 1)))
    nothing = prompted(**given | {"prompt": tf.zeros([2, 0], tf.int32)})["text"].numpy()
    assert nothing.shape == (2, 30) and (nothing[0] != nothing[1]).any() and nothing.min() >= 0

    inputs, outputs = signature(model, "serving_default")
    same = served(server, model, outputs["text"], inputs["n"], count, inputs["seed"], 3)
    np.testing.assert_array_equal(same.astype(int).reshape(count, 30), expected)
    inputs, outputs = signature(model, "prompted")
    arguments = (inputs["prompt"], 2, 3, 4, inputs["seed"], 3, inputs["temperature"], 0.0)
    same = served(server, model, outputs["text"], *arguments).astype(int).reshape(2, 30)
    wanted = prompted(prompt=tf.fill([2, 3], 4), seed=tf.constant(3, tf.int64), temperature=tf.constant(0.0))["text"]
    np.testing.assert_array_equal(same, wanted)
