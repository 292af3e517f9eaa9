"""What `gendsl sample` can be asked: cut priors, steps, classes, ways between samples, formats; and what it answers."""

import errno
import io
import json
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.stats
from PIL import Image
from scipy.io import wavfile

from gendsl.check.checker import check
from gendsl.commands.options import COMMANDS
from gendsl.commands.parsing import parser_of
from gendsl.diagnostics import Problems
from gendsl.evaluate import sampler as sampling
from gendsl.evaluate.sampler import CHUNK, Sampler
from gendsl.lower.data.sounds import waveform
from gendsl.lower.errors import UserError
from gendsl.pictures.walks import between, interpolated
from gendsl.plan.rewritten import latents, samplers, with_arguments, with_truncation
from gendsl.run import sample as sample_module
from gendsl.run import sample_files
from gendsl.run.folder import RunFolder
from gendsl.run.instead import Instead, sample_instead
from gendsl.run.rebuild import rebuilt
from gendsl.run.sample import sample
from gendsl.run.sample_files import SampleFiles, numbered, size_text
from gendsl.run.sample_writers import FORMATS, writer_of
from gendsl.source import Source
from tests.cli.processes import gendsl


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("kind", ["plain", "conditional", "guided", "text"])
def test_few_samples_are_the_first_of_many_to_the_bit(kind: str, request: pytest.FixtureRequest) -> None:
    drawing = Sampler(rebuilt(request.getfixturevalue(kind)).experiment)
    (many,) = drawing.samples(CHUNK + 3, seed=3).values()
    for few in (1, 17):
        (found,) = drawing.samples(few, seed=3).values()
        np.testing.assert_array_equal(found, many[:few])


def test_few_samples_cost_few_rows(plain: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    experiment = rebuilt(plain).experiment
    rows: list[Any] = []
    drawn = experiment.sample
    monkeypatch.setattr(experiment, "sample", lambda n, *rest, **more: (rows.append(n), drawn(n, *rest, **more))[1])
    Sampler(experiment).samples(3, seed=0)
    Sampler(experiment).samples(9, seed=0)
    Sampler(experiment).samples(100, seed=0)
    assert rows == [4, 16, CHUNK]


def test_a_truncated_prior_keeps_what_is_within_and_is_truncated_normal(plain: Path) -> None:
    run = rebuilt(plain)
    ((prior, _),) = latents(run.plan.sample).items()

    def points(limit: float | None, count: int = 2_000) -> np.ndarray:
        drawn = run.plan.sample if limit is None else with_truncation(run.plan.sample, limit)
        place = prior + (limit is not None)
        return Sampler(run.experiment, sample=replace(drawn, outputs=(("z", place),))).samples(count, seed=3)["z"]

    whole, cut = points(None), points(0.5)
    assert np.abs(whole).max() > 3 and np.abs(cut).max() <= 0.5
    inside = np.abs(whole) <= 0.5
    np.testing.assert_array_equal(cut[inside], whole[inside])
    assert scipy.stats.kstest(cut.ravel(), scipy.stats.truncnorm(-0.5, 0.5).cdf).pvalue > 1e-3
    again = cut[~inside]
    assert scipy.stats.kstest(again, scipy.stats.truncnorm(-0.5, 0.5).cdf).pvalue > 1e-3
    np.testing.assert_array_equal(points(0.5, 5), cut[:5])
    np.testing.assert_array_equal(points(9.0, 5), whole[:5])


def test_truncation_makes_samples_more_alike(plain: Path, tmp_path: Path) -> None:
    spread = []
    for name, limit in (("whole", None), ("cut", 0.05)):
        sample(plain, 40, 1, tmp_path / name, instead=Instead(truncation=limit), format="npy")
        spread.append(np.load(tmp_path / name / "samples.npy").std(axis=0).mean())
    assert spread[1] < 0.7 * spread[0]


def test_w_is_drawn_towards_its_mean(mapped: Path) -> None:
    run = rebuilt(mapped)

    def images(psi: float | None) -> np.ndarray:
        drawn, fields = sample_instead(run, Instead(psi=psi))
        return Sampler(run.experiment, sample=drawn).samples(40, seed=3, fields=fields)["image"]

    plain, whole, half, none = images(None), images(1.0), images(0.5), images(0.0)
    np.testing.assert_allclose(whole, plain, atol=1e-5)
    assert 0 < half.std(axis=0).mean() < 0.8 * plain.std(axis=0).mean()
    np.testing.assert_allclose(none, np.broadcast_to(none[:1], none.shape), atol=1e-6)


def test_steps_and_guidance_are_those_asked_for(guided: Path, tmp_path: Path) -> None:
    run = rebuilt(guided)
    found = {}
    for name, instead in {
        "spec": Instead(),
        "same": Instead(steps=5, guidance=2.0),
        "more": Instead(steps=10),
        "led": Instead(guidance=4.0),
    }.items():
        drawn, fields = sample_instead(run, instead)
        found[name] = Sampler(run.experiment, sample=drawn).samples(3, seed=3, fields=fields)["image"]
    np.testing.assert_array_equal(found["spec"], found["same"])
    assert (found["more"] != found["spec"]).any() and (found["led"] != found["spec"]).any()
    for folder, asked, told in (
        (guided, Instead(steps=21), "the process has 20 steps"),
        (guided, Instead(truncation=0.5), "made from no prior"),
        (guided, Instead(psi=0.5), "--psi needs a network that maps the prior to w"),
    ):
        with pytest.raises(UserError, match=told):
            sample(folder, 2, 0, tmp_path / "never", instead=asked)
    with pytest.raises(UserError, match="`ddim` adds fresh noise on its way"):
        sample(guided, 2, 0, tmp_path / "never", interpolate=3)
    assert not (tmp_path / "never").exists()


def test_labels_are_taken_in_turn_and_each_class_gets_the_same_noise(conditional: Path, tmp_path: Path) -> None:
    sample(conditional, 4, 3, tmp_path / "turns", instead=Instead(labels=("7", "2")))
    sample(conditional, 4, 3, tmp_path / "sevens", instead=Instead(labels=("7",)))
    sample(conditional, 4, 3, tmp_path / "each", each_label=True)
    turns, sevens, each = (contents(tmp_path / name) for name in ("turns", "sevens", "each"))
    assert len(each) == 41 and {name.split("/")[0] for name in each} == {*map(str, range(10)), "grid.png"}
    for number in range(4):
        one = f"{number:03}.png"
        assert each[f"7/{one}"] == sevens[one] and turns[one] == each[f"{(7, 2)[number % 2]}/{one}"]
    assert len({each[f"{label}/000.png"] for label in range(10)}) == 10, "classes differ"
    with Image.open(io.BytesIO(each["grid.png"])) as picture:
        assert picture.size[1] / picture.size[0] == pytest.approx(10 / 4, rel=0.05), "classes are rows"
    sample(conditional, 2, 3, tmp_path / "two", instead=Instead(labels=("7", "2")), each_label=True)
    assert {name.split("/")[0] for name in contents(tmp_path / "two")} == {"7", "2", "grid.png"}


@pytest.mark.parametrize("kind", ["plain", "conditional"])
def test_ways_lead_from_sample_to_sample(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    folder = request.getfixturevalue(kind)
    sample(folder, 3, 3, tmp_path / "ends", instead=Instead())
    files = sample(folder, 3, 3, tmp_path / "ways", interpolate=5)
    assert len(files) == 11
    ends, ways = contents(tmp_path / "ends"), contents(tmp_path / "ways")
    pairs = {"000.png": "000.png", "005.png": "001.png"}  # of each way the first
    if kind == "plain":  # a class stays what it is along a way
        pairs |= {"004.png": "001.png", "009.png": "002.png"}
    for way, end in pairs.items():
        assert ways[way] == ends[end]
    assert len({ways[f"{number:03}.png"] for number in range(5)}) == 5
    with Image.open(io.BytesIO(ways["grid.png"])) as picture:
        assert picture.size[0] / picture.size[1] == pytest.approx(5 / 2, rel=0.05), "a way is a row"
    sample(folder, 3, 3, tmp_path / "again", interpolate=5)
    assert contents(tmp_path / "again") == ways


def test_the_way_of_a_sampler_without_noise_begins_with_its_noise(guided: Path) -> None:
    run = rebuilt(guided)
    drawn, _ = sample_instead(run, Instead())
    assert drawn is not None
    still = with_arguments(drawn, samplers(drawn), {"eta": 0})
    labels = {"label": np.array([3], np.int32)}
    ends = Sampler(run.experiment, sample=still).samples(3, seed=3, fields=labels)["image"]
    chunks = interpolated(run.experiment, still, 3, 4, seed=3, fields=labels, drawn=("label",))
    assert chunks is not None
    found = np.concatenate([chunk["image"] for chunk in chunks])
    assert found.shape == (8, 8, 8, 1)
    np.testing.assert_array_equal(found[[0, 3, 4, 7]], ends[[0, 1, 1, 2]])


def test_points_between_are_on_the_great_circle_or_straight_on() -> None:
    random = np.random.default_rng(0)
    first, last = random.standard_normal((2, 50, 64))
    middle = between("normal", first, last, np.full(50, 0.5))
    lengths = [np.linalg.norm(one, axis=1) for one in (first, middle, last)]
    assert (lengths[1] > 0.9 * np.minimum(lengths[0], lengths[2])).all()
    np.testing.assert_array_equal(between("normal", first, last, np.ones(50)), last.astype(np.float32))
    np.testing.assert_allclose(
        between("uniform", first, last, np.full(50, 0.25)), 0.75 * first + 0.25 * last, atol=1e-6
    )
    np.testing.assert_array_equal(between("normal", first, first, np.full(50, 0.3)), first.astype(np.float32))


def test_an_array_holds_the_pixels_of_the_pictures(plain: Path, tmp_path: Path) -> None:
    sample(plain, 70, 3, tmp_path / "png")
    sample(plain, 70, 3, tmp_path / "npy", format="npy")
    assert sorted(contents(tmp_path / "npy")) == ["grid.png", "origin.json", "samples.npy"]
    array = np.load(tmp_path / "npy" / "samples.npy")
    assert array.shape == (70, 8, 8, 1) and array.dtype == np.uint8
    for number in (0, 5, 69):
        with Image.open(tmp_path / "png" / f"{number:03}.png") as picture:
            np.testing.assert_array_equal(np.asarray(picture), array[number, ..., 0])


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"format": "parquet"}, "samples of `small` are images: they cannot be written as parquet"),
        ({"instead": Instead(labels=("3",))}, "takes no label"),
        ({"each_label": True}, "takes no label"),
        ({"instead": Instead(steps=5)}, "--steps is of a sampler such as `ddim`"),
        ({"instead": Instead(truncation=0.0)}, "a truncation of 0 leaves nothing"),
        ({"instead": Instead(psi=0.5)}, "--psi needs a network"),
        ({"interpolate": 1}, "no way from one to another"),
        ({"interpolate": 3, "each_label": True}, "--interpolate and --each-label cannot be had together"),
        ({"seed": 2**39}, "549,755,813,888 is no seed of samples"),
        ({"n": 2**30 + 1}, "a seed has 1,073,741,824 samples"),
        ({"checkpoint": "77"}, "77"),
    ],
)
def test_what_cannot_be_asked_is_said_and_nothing_is_written(
    plain: Path, tmp_path: Path, asked: dict[str, Any], told: str
) -> None:
    n, seed = asked.pop("n", 4), asked.pop("seed", 0)
    with pytest.raises(UserError, match=told):
        sample(plain, n, seed, tmp_path / "out", **asked)
    assert not (tmp_path / "out").exists()


def test_a_text_has_no_way_to_another(text: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="begin from no prior of numbers"):
        sample(text, 2, 0, tmp_path / "out", interpolate=3)
    sample(text, 3, 0, tmp_path / "lines", format="jsonl")
    assert sorted(contents(tmp_path / "lines")) == ["origin.json", "samples.jsonl"]
    assert len((tmp_path / "lines" / "samples.jsonl").read_text("utf-8").splitlines()) == 3


def test_a_seed_has_as_many_samples_as_the_sampler_says() -> None:
    assert sample_module.MOST == sampling.MOST


def test_a_disk_without_room_is_told_before_anything_is_written(
    plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(sample_files.shutil, "disk_usage", lambda path: usage(10**12, 0, 10**9))
    with pytest.raises(UserError, match=r"1,000,000,000 samples need about 4.* TB in .*, which has 1 GB free") as error:
        sample(plain, 10**9, 0, tmp_path / "out")
    assert "--format npy" in error.value.help and not (tmp_path / "out").exists()
    with pytest.raises(UserError, match=r"need about 6\d GB"):
        sample(plain, 10**9, 0, tmp_path / "out", format="npy")
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_whole_files_and_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = SampleFiles(tmp_path / "out")
    files.admit(1, 100)
    replaced = os.replace

    def full(source: Any, target: Any) -> None:
        if str(target).endswith("003.png"):
            raise OSError(errno.ENOSPC, "No space left on device")
        replaced(source, target)

    monkeypatch.setattr(sample_files.os, "replace", full)
    files.append("samples.txt", b"half")
    with pytest.raises(UserError, match=r"003.png cannot be written: No space left on device") as error:
        for number in range(5):
            files.write(numbered(number, 100, "png"), b"x")
    assert "3 files are whole" in error.value.help
    assert list(contents(tmp_path / "out")) == ["000.png", "001.png", "002.png"]


def test_where_a_file_stands_there_is_no_folder_of_samples(plain: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        done = gendsl("sample", plain, "-n", "3", "-o", out)
        assert done.code == 3 and "file is a file: no samples can be written into it" in done.err
    assert (tmp_path / "file").read_text() == "mine"


def test_the_command_line_draws_what_python_draws(conditional: Path, tmp_path: Path) -> None:
    asked = ("-n", "5", "--seed", "3", "--label", "7", "--truncation", "0.5", "--checkpoint", "last")
    done = gendsl("sample", conditional, *asked, "-o", tmp_path / "out")
    assert done.code == 0 and done.out.startswith(f"5 samples in {tmp_path / 'out'}; at a glance"), done.err
    sample(conditional, 5, 3, tmp_path / "same", instead=Instead(labels=("7",), truncation=0.5))
    assert contents(tmp_path / "out") == contents(tmp_path / "same")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    told: list[str] = []
    sample(conditional, 3, 3, tmp_path / "out", told=told.append)
    assert told == [f"{tmp_path / 'out'} holds 3 other files, which are not of these samples"]


def test_the_command_line_takes_the_formats_that_there_are() -> None:
    parser = parser_of(COMMANDS["sample"])
    (option,) = (one for one in parser._actions if "--format" in one.option_strings)
    assert set(option.choices or ()) == {format for formats in FORMATS.values() for format in formats}


def test_very_many_files_are_shared_out_over_folders() -> None:
    assert numbered(7, 100, "png") == "007.png" and numbered(7, 50_000, "png") == "00007.png"
    assert numbered(999_999, 1_000_000, "png") == "999/999999.png" and numbered(1, 50_001, "png") == "00/00001.png"
    names = {numbered(number, 60_000, "png") for number in range(60_000)}
    assert len(names) == 60_000 and len({name.split("/")[0] for name in names}) == 60
    assert [size_text(size) for size in (12, 4_300, 64e9, 4.1e12)] == ["12 bytes", "4.3 kB", "64 GB", "4.1 TB"]


def test_sounds_are_waves_at_the_rate_of_the_spec(tmp_path: Path) -> None:
    wavfile.write(tmp_path / "a.wav", 8000, np.zeros(8000, np.int16))
    text = """experiment t
data { source audio("*.wav", rate: 8_000, seconds: 0.5); batch 1 }
network generator(z: normal(4)) -> row { dense 4_000 | tanh }
network discriminator(x: row) -> logits(1) { dense 1 }
train { objective gan(); optimizer adam(1e-3); steps 1 }
"""
    problems = Problems()
    plan = check(Source("t.gen", text), problems, folder=str(tmp_path))
    assert plan is not None, [problem.message for problem in problems]
    values = np.sin(np.arange(8_000, dtype=np.float32)).reshape(2, 4_000)
    run: Any = SimpleNamespace(plan=plan, folder=RunFolder(tmp_path))
    files = SampleFiles(tmp_path / "out")
    writer = writer_of(run, "row", values, files, "", 2, None)
    files.admit(0, 2)
    writer.add(values)
    writer.end()
    files.finish()
    assert [path.name for path in files.written] == ["000.wav", "001.wav"]
    rate, samples = waveform(files.written[1].read_bytes())
    assert rate == 8_000
    np.testing.assert_allclose(samples, values[1], atol=1e-4)
    with pytest.raises(UserError, match="are sounds: they cannot be written as csv"):
        writer_of(run, "row", values, files, "", 2, "csv")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_number_of_samples(plain: Path, tmp_path: Path) -> None:
    code = (
        "import resource, sys; from gendsl.run.sample import sample;"
        "sample(sys.argv[1], int(sys.argv[2]), 0, sys.argv[3], format=sys.argv[4]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = []
    for count in (10_000, 100_000):
        arguments = [sys.executable, "-c", code, str(plain), str(count), str(tmp_path / str(count)), "npy"]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True, env={**os.environ})
        peaks.append(int(done.stdout.split()[-1]) / 1024)  # MiB
        assert np.load(tmp_path / str(count) / "samples.npy", mmap_mode="r").shape == (count, 8, 8, 1)
        shutil.rmtree(tmp_path / str(count))
    assert peaks[1] - peaks[0] < 60, json.dumps(peaks)
