"""Sound as data: samples of every kind of WAV file, exact rates, pieces, labels, log-mel pictures, damaged files."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from scipy.io import wavfile

from gendsl.lower.data import Dataset, dataset_of
from gendsl.lower.data.sounds import cut_pieces, resampled, spectrograms, waveform
from gendsl.lower.errors import DataError
from tests.lower.data_plans import call_of, plan_of

RATE = 8_000


def wav(samples: np.ndarray, rate: int = RATE) -> bytes:
    buffer = io.BytesIO()
    wavfile.write(buffer, rate, samples)
    return buffer.getvalue()


def sine(hertz: float, seconds: float = 1.0, rate: int = RATE, amplitude: float = 1.0) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def data_of(folder: Path, **options: Any) -> Dataset:
    plan = {name: options.pop(name) for name in ("split", "curate", "batch", "fields") if name in options}
    source = call_of("source", "audio", glob="**/*.wav", rate=RATE, **options)
    return dataset_of(plan_of(source, str(folder), **{"batch": 1, "shuffle": False, **plan}), str(folder))


def write(folder: Path, **files: bytes) -> None:
    for name, content in files.items():
        path = folder / (name.replace("__", "/") + ".wav")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


@pytest.mark.parametrize(
    ("kind", "least"), [(np.uint8, 1 / 128), (np.int16, 2**-15), (np.int32, 2**-31), (np.float32, 0)]
)
def test_every_kind_of_sample_is_in_minus_one_to_one(kind: Any, least: float) -> None:
    wanted = sine(100, 0.1)
    samples = wanted.astype(kind)
    if kind == np.uint8:
        samples = np.clip(np.rint(wanted * 128 + 128), 0, 255).astype(kind)
    elif kind != np.float32:
        samples = np.clip(np.rint(wanted.astype(np.float64) * -float(np.iinfo(kind).min)), -np.inf, np.iinfo(kind).max)
        samples = samples.astype(kind)
    rate, found = waveform(wav(samples))
    assert rate == RATE and found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, atol=1.01 * least + 1e-7)


def test_24_bits_and_channels() -> None:
    values = np.array([0, 1 << 22, -(1 << 23), (1 << 23) - 1])
    body = b"".join(int(value & 0xFFFFFF).to_bytes(3, "little") * 2 for value in values)
    head = b"WAVEfmt " + (16).to_bytes(4, "little") + bytes([1, 0, 2, 0]) + RATE.to_bytes(4, "little")
    head += (RATE * 6).to_bytes(4, "little") + bytes([6, 0, 24, 0]) + b"data" + len(body).to_bytes(4, "little")
    _, found = waveform(b"RIFF" + (len(head) + len(body)).to_bytes(4, "little") + head + body)
    np.testing.assert_allclose(found, [0, 0.5, -1, 1 - 2**-23], atol=1e-7)
    _, mono = waveform(wav(np.stack([sine(100), -sine(100)], axis=1)))
    np.testing.assert_allclose(mono, 0, atol=1e-7)


@pytest.mark.parametrize(("have", "want"), [(44_100, 16_000), (8_000, 16_000), (16_000, 16_000), (22_050, 8_000)])
def test_resampling_keeps_a_tone(have: int, want: int) -> None:
    found = resampled(sine(440, 1.0, have, 0.5), have, want)
    assert len(found) == want
    middle = slice(want // 10, -want // 10)
    np.testing.assert_allclose(found[middle], sine(440, 1.0, want, 0.5)[middle], atol=5e-3)


def test_pieces() -> None:
    pieces = cut_pieces(np.arange(1, 26, dtype=np.float32), 10)
    np.testing.assert_array_equal(pieces, np.append(np.arange(1, 26), [0] * 5).reshape(3, 10))
    assert cut_pieces(np.ones(14, np.float32), 10).shape == (1, 10)
    assert cut_pieces(np.ones(4, np.float32), 10).shape == (0, 10)


def test_rows_with_labels_split_by_file(tmp_path: Path) -> None:
    for number in range(10):
        write(
            tmp_path,
            **{f"{'kick' if number % 2 else 'snare'}__{number}": wav(sine(100 + number, 0.25, 2 * RATE), 2 * RATE)},
        )
    data = data_of(tmp_path, seconds=0.1, label="folder", split={"train": 0.7, "test": 0.3}, batch=4)
    assert data.class_names == ("kick", "snare") and data.sizes == {"train": 21, "test": 9}
    rows = {split: data.split(split) for split in ("train", "test")}
    assert rows["train"]["row"].shape == (21, 800) and rows["train"]["row"].dtype == np.float32
    np.testing.assert_array_equal(rows["test"]["label"].reshape(3, 3), rows["test"]["label"][::3, None].repeat(3, 1))
    batch = data.fetch(tf.constant(data.addresses(0, 1)[0]))
    np.testing.assert_array_equal(batch["row"][0], rows["train"]["row"][:4])
    assert data.manifest["sources"][0]["files"] == 10


def test_log_mel_pictures(tmp_path: Path) -> None:
    """A tone lights its band: bands are even on the mel scale, 2595 log10(1 + f / 700)."""
    write(tmp_path, tone=wav(sine(1_000)), quiet=wav(sine(1_000, amplitude=0.01)), none=wav(np.zeros(RATE, np.float32)))
    data = data_of(tmp_path, mel=32, fields={"image": {"range": (-1, 1)}})
    pictures = (data.split("train")["image"] + 1) / 2
    assert pictures.shape == (3, 32, 63, 1)
    none, quiet, tone = pictures[..., 0]  # in the order of the names
    assert none.max() == 0

    def mel(hertz: float) -> float:
        return 2595 * np.log10(1 + hertz / 700)

    band = tone[:, 30].argmax()
    assert abs((band + 1) * mel(RATE / 2) / 33 - mel(1_000)) < mel(RATE / 2) / 33
    assert 0.97 < tone[band, 30] <= 1
    np.testing.assert_allclose(tone[band, 30] - quiet[band, 30], 0.5, atol=0.03)  # 40 of 80 dB
    np.testing.assert_allclose(tone[band, 5:-5], tone[band, 30], atol=0.01)
    assert spectrograms(np.zeros((2, 100), np.float32), RATE, 8).shape == (2, 8, 1, 1)


DAMAGED = [
    b"",
    b"RIFF",
    b"nonsense" * 20,
    wav(sine(100))[:50],
    b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0" + bytes(16) + b"data\0\0\0\0",
]


def test_damaged_files_are_counted(tmp_path: Path) -> None:
    for number in range(8):
        write(tmp_path, **{f"good{number}": wav(sine(100 + number))})
    for number, content in enumerate(DAMAGED[:3]):
        write(tmp_path, **{f"bad{number}": content})
    write(tmp_path, short=wav(sine(100, 0.1)), again=wav(sine(100)))
    data = data_of(tmp_path, curate=(call_of("curate", "drop", what=("duplicates",)),))
    source = data.manifest["sources"][0]
    assert data.sizes == {"train": 8}
    assert source["dropped"] == {"damaged": 3, "too short": 1, "duplicates": 1}
    damaged = [one.example for _, one in data.findings.left_out if one.reason == "damaged"]
    assert damaged == ["bad0.wav", "bad1.wav", "bad2.wav"]


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    write(tmp_path, bad=content)
    with pytest.raises(DataError, match=r'are no WAV files, or damaged: "bad\.wav"|is left: 1 too short'):
        data_of(tmp_path)


def test_bytes_of_a_file_may_be_anything() -> None:
    """Cut off or flipped anywhere, a file is read or refused, never anything else."""
    whole = wav((sine(100, 0.02) * 30_000).astype(np.int16))
    random = np.random.default_rng(0)
    for _ in range(300):
        body = bytearray(whole[: random.integers(1, len(whole) + 1)])
        for place in random.integers(0, min(60, len(body)), 2):
            body[place] = random.integers(0, 256)
        try:
            _, samples = waveform(bytes(body))
        except ValueError:
            continue
        assert samples.ndim == 1 and np.isfinite(samples).all() and np.abs(samples).max(initial=0) <= 1
