"""What shows the data: sheets with `both`, sheets by class, piano rolls, waves, text before and after `augment`."""

from pathlib import Path

import numpy as np
import pytest
import symusic
from scipy.io import wavfile

from gendsl.lower.data import dataset_of
from gendsl.lower.data.music import Music
from gendsl.run.exhibits import Exhibit, excerpts_of, exhibits_of
from gendsl.run.pictures import pixels_of
from gendsl.run.sounding import piano_rolls, waves
from tests.run.tiny_runs import planned

PICTURES = """experiment look
data { source npz("s.npz"); image range: -1..1; batch 4 }
AUGMENT
network generator(z: normal(4)) -> image { dense 64 | tanh | reshape 8, 8, 1 }
network discriminator(x: image) -> logits(1) { flatten | dense 1 }
train { objective gan(loss: hinge); optimizer adam(1e-3); steps 4 }
"""
WORDS = """experiment look
data { source SOURCE; window 16; batch 2 }
augment { AUGMENT }
network model(tokens: text) -> categorical(text.vocabulary) { embed text.vocabulary, 4 | dense text.vocabulary }
train { update model, with: adam(1e-2) { minimize mean(nll(model(text), text)) }; steps 2 }
sample { text = mode(model(text)) }
"""
SOUND = """experiment look
data { source audio("*.wav", rate: 8000, seconds: 0.5); batch 1 }
network generator(z: normal(4)) -> row { dense row.width }
network discriminator(x: row) -> logits(1) { dense 1 }
train { objective gan(loss: hinge); optimizer adam(1e-3); steps 4 }
"""
FLIP = "flip horizontal, probability: 1.0"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def shown(text: str) -> tuple[dict[str, Exhibit], dict[str, str]]:
    plan = planned(text)
    dataset = dataset_of(plan)
    return exhibits_of(plan, dataset), excerpts_of(plan, dataset)


def cells(sheet: np.ndarray, columns: int, count: int, side: int = 8) -> list[np.ndarray]:
    """The pictures of a sheet, at their own size."""
    step = (sheet.shape[1] - 2) // columns
    scale = (step - 2) // side
    corners = [(2 + number // columns * step, 2 + number % columns * step) for number in range(count)]
    return [sheet[top : top + side * scale : scale, left : left + side * scale : scale] for top, left in corners]


def write_pictures(folder: Path, labels: list[int]) -> np.ndarray:
    images = np.random.default_rng(0).integers(0, 255, (len(labels), 8, 8), np.uint8)
    np.savez(folder / "s.npz", x_train=images, y_train=np.array(labels))
    return images


@pytest.mark.parametrize(
    ("augment", "caption"),
    [
        (f"augment {{ both {{ {FLIP} }} }}", "as a discriminator is given them, real and generated"),
        (f"augment {{ both ada(target: 0.6) {{ {FLIP} }} }}", "where ADA's p is 1; a run begins with p = 0"),
        (f"augment {{ flip vertical, probability: 1.0; both {{ {FLIP} }} }}", "drawn anew each time"),
    ],
)
def test_both_is_done_to_what_is_augmented(project: Path, augment: str, caption: str) -> None:
    write_pictures(project, [0] * 9)
    found, _ = shown(PICTURES.replace("AUGMENT", augment))
    assert caption in found["image_both"].told
    before = found["image_augmented" if "vertical" in augment else "image"].pixels
    for plain, both in zip(cells(before, 3, 9), cells(found["image_both"].pixels, 3, 9), strict=True):
        np.testing.assert_array_equal(plain[:, ::-1], both)


def test_adas_own_pipeline_is_shown(project: Path) -> None:
    write_pictures(project, [0] * 4)
    found, _ = shown(PICTURES.replace("AUGMENT", "augment { both ada(target: 0.6) }"))
    assert found["image_both"].pixels.shape == found["image"].pixels.shape
    assert (found["image_both"].pixels != found["image"].pixels).any()


def test_classes_have_a_row_each(project: Path) -> None:
    labels = [0, 2, 0, 2, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]  # of class 1 there is none, of class 0 more than a row holds
    images = write_pictures(project, labels)
    found, _ = shown(PICTURES.replace("AUGMENT", ""))
    assert set(found) == {"image", "image_classes"}
    assert found["image_classes"].told == "a row each from the top: 0, 2"
    rows = cells(found["image_classes"].pixels, 10, 20)
    expected = [number for number, label in enumerate(labels) if label == 0][:10]
    for cell, number in zip(rows, [*expected, 1, 3, 4], strict=False):
        np.testing.assert_array_equal(cell[..., 0], images[number])
    assert all((cell == 64).all() for cell in rows[13:])


def test_more_classes_than_rows(project: Path) -> None:
    write_pictures(project, list(range(30)))
    told = shown(PICTURES.replace("AUGMENT", ""))[0]["image_classes"].told
    assert told.startswith("the first 20 classes, a row each from the top: 0, 1, 2") and told.endswith("18, 19")


def test_a_roll_has_a_bar_for_each_note() -> None:
    notes = np.array([[0, 2, 60, 0], [2, 4, 64, 1]], float)
    sheet = piano_rolls([Music(notes, np.zeros(0)), Music(notes[:1], np.zeros(0))])
    assert sheet.shape == (6 + 2 * (4 * 7 + 6), 768, 3)  # pitches 59 to 65, four pixels each
    ink = (sheet.max(axis=2) > sheet.min(axis=2)).any(axis=1)
    high, low, again = (6 + 4, 6 + 20, 6 + 34 + 20)
    assert {int(row) for row in np.flatnonzero(ink)} == {top + row for top in (high, low, again) for row in range(3)}
    assert (sheet[low, :383] == sheet[low, 0]).all() and (sheet[low, 384:] == 255).all()
    assert (sheet[high, 384:767] == sheet[high, 384]).all() and (sheet[high, 384] != sheet[low, 0]).any()
    assert piano_rolls([Music(np.zeros((0, 4)), np.zeros(0))]).shape[1] == 768  # a window may hold no note


def test_rolls_that_stand_beside_others_have_their_measure() -> None:
    short, long = (Music(np.array([[0, end, pitch, 0]], float), np.zeros(0)) for end, pitch in ((1, 60), (4, 72)))
    alone, beside = piano_rolls([short]), piano_rolls([short], beside=[long])
    assert beside.shape == piano_rolls([long], beside=[short]).shape and beside.shape[0] > alone.shape[0]
    assert (beside[-6 - 4 - 4, :191] == beside[-6 - 4 - 4, 0]).all() and (beside[-6 - 4 - 4, 192:] == 255).all()


def test_bars_are_marked_and_drums_are_grey() -> None:
    notes = np.array([[0, 1, 60, 0], [3, 4, 61, -1]], float)
    sheet = piano_rolls([Music(notes, np.array([0.0, 2.0]))])
    bare = piano_rolls([Music(notes, np.zeros(0))])
    assert set(np.flatnonzero((sheet != bare).any(axis=(0, 2)))) == {0, 384}
    assert (sheet[6:-6, 384] == (205, 205, 205)).any() and (sheet[6 + 4, 600] == (120, 120, 120)).all()


def test_music_is_shown_as_rolls_in_its_keys(project: Path) -> None:
    for number in range(3):
        score = symusic.Score(480)
        track = symusic.Track("part", 0)
        track.notes.extend(symusic.Note(480 * beat, 480, 60 + number, 90) for beat in range(24))
        score.tracks.append(track)
        (project / f"{number}.mid").write_bytes(score.dumps_midi())
    text = WORDS.replace("SOURCE", 'midi("*.mid"), tokenizer: remi(vocabulary: 360)')
    found, texts = shown(text.replace("AUGMENT", "transpose 3..6"))
    assert set(found) == {"text", "text_augmented"} and not texts
    assert "a colour for each part" in found["text"].told
    assert found["text"].pixels.shape[1] == found["text_augmented"].pixels.shape[1] == 768
    plain, moved = (found[name].pixels for name in ("text", "text_augmented"))
    assert plain.shape[0] == 6 + 8 * (4 * 5 + 6)  # "before" is the key of the file: 60 to 62, with a semitone around
    assert moved.shape != plain.shape or (moved != plain).any()
    alone, _ = shown(text.replace("augment { AUGMENT }", ""))
    assert set(alone) == {"text"}


def test_a_wave_stands_above_its_spectrum() -> None:
    samples = np.zeros((2, 768), np.float32)
    samples[0, 100], samples[0, 200] = 1, -1
    spectra = np.zeros((2, 4, 3, 1), np.float32)
    spectra[0, 0, 2] = 1
    sheet = waves(samples, spectra)
    assert sheet.shape == (6 + 2 * (64 + 4 + 6), 768, 3)
    assert (sheet[6, 100] == (31, 90, 200)).all() and (sheet[6 + 63, 200] == (31, 90, 200)).all()
    assert (sheet[6:70, 300] == (31, 90, 200)).all(axis=1).sum() == 1
    assert (sheet[73, 512:] == 255).all() and (sheet[70:73] == 0).all() and (sheet[73, :512] == 0).all()


def test_sound_is_shown_as_waves(project: Path) -> None:
    tone = np.sin(2 * np.pi * 300 * np.arange(8_000) / 8_000)
    wavfile.write(project / "a.wav", 8_000, (tone * 2**14).astype(np.int16))
    found, _ = shown(SOUND)
    assert set(found) == {"row"} and "64 bands" in found["row"].told
    spectrum = found["row"].pixels[6 + 64 : 6 + 128, 300, 0]
    assert spectrum.argmax() > 40  # low, and so in the lower half


def test_text_is_shown_before_and_after(project: Path) -> None:
    (project / "a.txt").write_text("abcdefghijklmnopqrstuvwxyz" * 20)
    text = WORDS.replace("SOURCE", 'text("*.txt"), tokenizer: bytes()').replace("AUGMENT", "token_dropout 50%")
    found, texts = shown(text)
    assert not found and set(texts) == {"text.txt", "text_augmented.txt"}
    whole = "abcdefghijklmnopqrstuvwxyz" * 2
    assert all(part.strip() in whole for part in texts["text.txt"].split("-" * 40))
    assert not any(part.strip() in whole for part in texts["text_augmented.txt"].split("-" * 40))


def test_pixels_of_a_range() -> None:
    np.testing.assert_array_equal(pixels_of(np.array([-1.0, 0.0, 1.0]), (-1, 1)), [0, 128, 255])
