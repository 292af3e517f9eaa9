"""LiteRT and ONNX: the files answer as TensorFlow does, say what they are, and are refused where they would not."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.evaluate.sampler import CHUNK, Sampler, moment_of
from gendsl.export import command, litert, onnx
from gendsl.export.draws import draws_of
from gendsl.export.order import Order
from gendsl.export.parity import parity
from gendsl.export.portable import Portable, portable_of, turns_in
from gendsl.lower.errors import UserError
from gendsl.parts.keys import Key
from gendsl.run.rebuild import Rebuilt, rebuilt

Answers = Callable[[dict[str, Any]], dict[str, Any]]


def written(folder: Path, form: str, out: Path, **options: Any) -> tuple[Path, dict[str, Any]]:
    """The file of a form of export of a run, and what stands beside it."""
    out.mkdir(parents=True, exist_ok=True)
    write = litert.write if form == "litert" else onnx.write
    write(rebuilt(folder), Order(form, "tiny", {"quantize": None} | options), out)
    (file,) = (path for path in out.iterdir() if path.suffix != ".json")
    assert file.name == ("tiny.tflite" if form == "litert" else "tiny.onnx")
    return file, json.loads(file.with_name(f"{file.name}.json").read_text())


def loaded(file: Path) -> Answers:
    """As a program of somebody else's would load it."""
    if file.suffix == ".tflite":
        runner = tf.lite.Interpreter(str(file)).get_signature_runner("from_prior")
        return lambda given: runner(**given)
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_outputs()]
    return lambda given: dict(zip(names, session.run(None, given), strict=True))


@pytest.fixture(params=["litert", "onnx"])
def form(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "onnx":
        pytest.importorskip("tf2onnx")
    yield request.param


def averaged(experiment: Any, z: Any, label: Any) -> Any:
    """What the Keras network makes of its inputs, called by hand, with the averaged weights in it."""
    generator = experiment.networks["generator"]
    for average in experiment._averages.value.values():
        for variable, value in average.values:
            variable.assign(value)
    return generator([z, label], training=False).numpy()


def drawn_as_sampled(run: Rebuilt, seed: int, portable: Portable) -> dict[str, Any]:
    """The numbers that the first chunk of a seed draws, by the name of the input that takes them."""
    assert run.plan.sample is not None
    key = Key(run.experiment.seed, "sample", moment_of(seed, 0))
    found: dict[str, Any] = {}
    for entry, draw in zip(
        [entry for entry in portable.entries if entry.name.startswith("ddim")],
        draws_of(
            lambda key: run.experiment.sample(2, key, fields={"label": tf.zeros([2], tf.int32)}),
            run.experiment.seed,
            "sample",
            turns_in(run.plan.sample),
        ),
        strict=True,
    ):
        at = Key(key.seed, draw.path, key.moment)
        shape = [CHUNK, *draw.shape]
        each = [at.turn(turn).normal(shape) for turn in range(draw.turns)] if draw.turns else None
        found[entry.name] = (at.normal(shape) if each is None else tf.stack(each, 1)).numpy()
    return found


def test_a_file_answers_as_the_network_does(conditional: Path, tmp_path: Path, form: str) -> None:
    file, told = written(conditional, form, tmp_path)
    answers, served = loaded(file), rebuilt(conditional).experiment
    assert set(told["signatures"]["from_prior"]["inputs"]) == {"label", "z"}
    for n in (1, 2, 5, 64):
        z = np.random.default_rng(n).standard_normal((n, 8)).astype(np.float32)
        label = np.arange(n, dtype=np.int32) % 10
        found = answers({"z": z, "label": label})["image"]
        assert found.shape == (n, 8, 8, 1)
        expected = averaged(served, z, label)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert n == 1 or np.abs(found[0] - found[1]).max() > 0


def test_a_loop_makes_of_the_same_numbers_what_sample_makes(guided: Path, tmp_path: Path, form: str) -> None:
    file, told = written(guided, form, tmp_path)
    inputs = told["signatures"]["from_prior"]["inputs"]
    assert {name: one["shape"] for name, one in inputs.items()} == {
        "label": [None],
        "ddim_start": [None, 8, 8, 1],
        "ddim": [None, 5, 8, 8, 1],
    }
    run = rebuilt(guided)
    labels = (np.arange(CHUNK) % 10).astype(np.int32)
    numbers = drawn_as_sampled(run, 3, portable_of(run))
    found = loaded(file)({"label": labels, **numbers})["image"]
    expected = Sampler(run.experiment).samples(CHUNK, seed=3, fields={"label": labels})["image"]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    numbers["ddim"] = numbers["ddim"][:, ::-1].copy()
    other = loaded(file)({"label": labels, **numbers})["image"]
    assert np.abs(other - expected).max() > 1e-3, "each step has noise of its own"


def test_of_texts_it_is_the_network(text: Path, tmp_path: Path, form: str) -> None:
    file, told = written(text, form, tmp_path)
    (tokens,) = told["signatures"]["from_prior"]["inputs"].values()
    assert (tokens["kind"], tokens["shape"], tokens["dtype"]) == ("prompt", [None, 12], "int32")
    given = np.random.default_rng(0).integers(0, tokens["range"][1] + 1, (3, 12)).astype(np.int32)
    found = loaded(file)({"tokens": given})["logits"]
    assert found.shape == (3, 12, tokens["range"][1] + 1)
    np.testing.assert_allclose(found, portable_of(rebuilt(text)).answers({"tokens": given})["logits"], atol=1e-4)
    changed = given.copy()
    changed[:, 6:] = 0
    again = loaded(file)({"tokens": changed})["logits"]
    np.testing.assert_allclose(again[:, :6], found[:, :6], atol=1e-5)  # what comes later is not seen
    assert np.abs(again[:, 6:] - found[:, 6:]).max() > 1e-3


@pytest.mark.slow
def test_the_same_twice(guided: Path, tmp_path: Path) -> None:
    first, told = written(guided, "litert", tmp_path / "a")
    second, again = written(guided, "litert", tmp_path / "b")
    assert first.read_bytes() == second.read_bytes() and told == again


def test_the_command_writes_what_the_spec_asks_for(
    conditional: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    order = Order(form, "tiny", {"quantize": None})  # the plan's own are those of another test
    monkeypatch.setattr(command, "orders_of", lambda plan, asked: [order])
    found = [one.path for one in command.export(conditional)]
    ending = {"litert": "tflite", "onnx": "onnx"}[form]
    assert {path.name for path in found} == {f"tiny.{ending}", f"tiny.{ending}.json"}
    assert all(path.parent == conditional / "export" for path in found)
    told = json.loads((conditional / "export" / f"tiny.{ending}.json").read_text())
    assert told["model"] == "tiny" and told["family"] == "image"
    assert told["made"]["parity"]["batches"] == [1, 3, 64]
    assert told["made"]["parity"]["difference"] <= told["made"]["parity"]["allowed"] == 1e-4
    assert len(told["origin"]["chain"]) == 64 and told["origin"]["step"] == 3


def test_several_forms_are_written_whole_or_not_at_all(conditional: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refusing(run: Any, order: Order, folder: Path) -> None:
        (folder / "half").write_text("half")
        raise UserError("it does not convert", "leave it out")

    orders = [Order("saved_model", "whole", {"images": "float32", "also": ()}), Order("litert", "whole", {})]
    monkeypatch.setattr(command, "orders_of", lambda plan, asked: orders)
    monkeypatch.setattr(litert, "write", refusing)
    before = sorted((conditional / "export").rglob("*"))
    with pytest.raises(UserError, match="it does not convert"):
        command.export(conditional)
    assert sorted((conditional / "export").rglob("*")) == before


def test_quantized_models_are_smaller_and_near(conditional: Path, tmp_path: Path) -> None:
    sizes = {}
    given = {
        "z": np.random.default_rng(1).standard_normal((4, 8)).astype(np.float32),
        "label": np.arange(4, dtype=np.int32),
    }
    whole = None
    for quantize, near in ((None, 1e-6), ("float16", 2e-2), ("int8", 0.2)):
        file, told = written(conditional, "litert", tmp_path / str(quantize), quantize=quantize)
        assert told["made"]["quantize"] == quantize
        sizes[quantize] = file.stat().st_size
        found = loaded(file)(given)["image"]
        whole = found if whole is None else whole
        np.testing.assert_allclose(found, whole, atol=near)
        assert quantize is None or (found != whole).any(), "smaller weights are others"
    assert sizes["int8"] < sizes["float16"] < sizes[None]


def test_an_onnx_model_says_what_it_is(conditional: Path, tmp_path: Path) -> None:
    package = pytest.importorskip("onnx")
    file, told = written(conditional, "onnx", tmp_path)
    model = package.load(str(file))
    package.checker.check_model(model, full_check=True)
    metadata = {one.key: one.value for one in model.metadata_props}
    assert metadata["experiment"] == "small" and metadata["chain"] == told["origin"]["chain"]
    assert metadata["digital_source_type"].endswith("trainedAlgorithmicMedia")
    assert [(one.domain, one.version) for one in model.opset_import if not one.domain] == [("", onnx.OPSET)]
    assert model.producer_name == "gendsl"
    for value in (*model.graph.input, *model.graph.output):
        assert value.type.tensor_type.shape.dim[0].dim_param == "batch"
    assert {value.name: value.doc_string for value in model.graph.input}["z"] == "Draws of the standard normal prior."


def _portable(call: Callable[[Any], Any]) -> Portable:
    """A graph of one input (batch, 4)."""
    from gendsl.export.plainer import plainer
    from gendsl.export.portable import Entry

    def function(z: Any) -> dict[str, Any]:
        return {"out": tf.identity(call(z), name="out")}

    spec = tf.TensorSpec([None, 4], tf.float32, name="z")
    traced = tf.function(function).get_concrete_function(z=spec)
    entry = Entry("z", "prior", (None, 4), tf.float32, "Numbers.", "normal")
    return Portable((entry,), ("out",), plainer(traced), traced, False)


def test_an_operation_that_a_runtime_has_not_is_named() -> None:
    portable = _portable(lambda z: tf.math.betainc(tf.abs(z) + 1, tf.abs(z) + 1, tf.sigmoid(z)))
    with pytest.raises(UserError, match=r"LiteRT has no operation of its own .*: Betainc"):
        litert._converted(portable, None)
    pytest.importorskip("tf2onnx")
    with pytest.raises(UserError, match=r"tf2onnx has nothing .*: Betainc"):
        onnx._converted(portable)


def test_gelu_is_converted() -> None:
    """TensorFlow makes it of an operation that ONNX has not."""
    portable = _portable(lambda z: tf.nn.gelu(tf.cast(z, tf.float32)))
    parity(portable, lambda: litert._interpreter(litert._converted(portable, None)), "LiteRT", None)
    pytest.importorskip("tf2onnx")
    parity(portable, lambda: onnx._session(onnx._converted(portable).SerializeToString()), "ONNX Runtime", None)


def test_other_answers_are_refused() -> None:
    portable = _portable(tf.nn.relu)
    parity(portable, lambda: lambda given: {"out": np.maximum(given["z"], 0)}, "R", None)
    with pytest.raises(UserError, match="R does not answer as TensorFlow does"):
        parity(portable, lambda: lambda given: {"out": np.maximum(given["z"], 0) + 0.01}, "R", None)
    with pytest.raises(UserError, match="has the shape"):
        parity(portable, lambda: lambda given: {"out": given["z"][:1]}, "R", None)
    with pytest.raises(UserError, match="not finite"):
        parity(portable, lambda: lambda given: {"out": given["z"] * np.float32("nan")}, "R", None)

    def broken(given: Any) -> dict[str, Any]:
        raise RuntimeError("no kernel")

    with pytest.raises(UserError, match="R cannot compute the model: no kernel"):
        parity(portable, lambda: broken, "R", None)


def test_a_missing_package_is_told(conditional: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    monkeypatch.setattr(onnx, "find_spec", lambda name: None if name == "tf2onnx" else object())
    with pytest.raises(UserError, match="`onnx` needs tf2onnx"):
        onnx.write(rebuilt(conditional), Order("onnx", "tiny", {}), tmp_path)
    assert not list(tmp_path.iterdir())
