"""Text and music from the files to a trained network and back to files, through what the commands call."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
import symusic
from PIL import Image
from rich.console import Console

from gendsl.lower.data.sounds import waveform
from gendsl.lower.data.tokenizers import Bytes, tokenizer_of
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Call, Field
from gendsl.run.command import run
from gendsl.run.folder import RunFolder
from gendsl.run.order import Order, Where
from gendsl.run.sample import sample
from gendsl.run.sample_files import SampleFiles
from gendsl.run.tokens import TokenFiles, reader_of_field
from gendsl.run.tones import RATE
from tests.lower.test_data_music import NOTES, midi
from tests.run.tiny_runs import planned

# A network that gives all tokens at once: what is done with tokens does not depend on how they were drawn.
SPEC = """experiment told
data { source SOURCE; window 16; split train: 75%, test: 25%; batch 4 }
network writer(z: normal(4)) -> categorical(text.vocabulary) {
  dense 16 * text.vocabulary | reshape 16, text.vocabulary
}
train { update writer, with: adam(1e-2) { minimize mean(nll(writer(), text)) }; steps 3 }
sample { drawn = mode(writer()) }
"""
SOURCES = {"text": 'text("*.txt"), tokenizer: bytes()', "midi": 'midi("*.mid"), tokenizer: remi(vocabulary: 380)'}
FIELD = Field("text", "text", (16,), "")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spec of text and one of music, trained."""
    place = tmp_path_factory.mktemp("told")
    (place / "a.txt").write_text("In the beginning there was a <b>word</b>.\n" * 40, encoding="utf-8")
    for number in range(8):
        midi(place / f"{number}.mid", *NOTES, (48, 50, 52, 53), (36, 38, 40, 41), shift=number)
    patch = pytest.MonkeyPatch()
    patch.chdir(place)
    for kind, source in SOURCES.items():
        text = SPEC.replace("SOURCE", source)
        order = Order(planned(text), text, "told.gen", ".")
        outcome = run(order, Where(place / kind), console=Console(file=io.StringIO()))
        assert outcome.finished
    patch.undo()
    return place


def test_texts_are_files_the_same_for_the_same_seed(folder: Path) -> None:
    for out in ("one", "two"):
        sample(folder / "text", 12, 3, folder / out)
    names = {path.name for path in (folder / "one").iterdir()}
    assert names == {f"{number:03}.txt" for number in range(12)} | {"samples.txt", "samples.jsonl", "origin.json"}
    assert all((folder / "one" / name).read_bytes() == (folder / "two" / name).read_bytes() for name in names)
    lines = [json.loads(line) for line in (folder / "one" / "samples.jsonl").read_text("utf-8").splitlines()]
    assert [line["sample"] for line in lines] == list(range(12))
    for line in lines:
        assert bytes(line["tokens"]).decode(errors="replace") == line["text"] and len(line["tokens"]) == 16
        assert (folder / "one" / f"{line['sample']:03}.txt").read_text("utf-8") == line["text"] + "\n"
    assert len({line["text"] for line in lines}) > 1


def test_music_is_midi_and_a_picture(folder: Path) -> None:
    files = sample(folder / "midi", 3, 1, folder / "music")
    assert [path.name for path in files] == ["000.mid", "001.mid", "002.mid", "grid.png"]
    again = sample(folder / "midi", 5, 1, folder / "more")
    assert [path.read_bytes() for path in files[:3]] == [path.read_bytes() for path in again[:3]], (
        "whatever their number"
    )
    for path in files[:3]:
        symusic.Score.from_midi(path.read_bytes())
    with Image.open(files[3]) as picture:
        assert picture.width == 768


def test_music_is_heard_as_waves(folder: Path) -> None:
    files = sample(folder / "midi", 2, 1, folder / "heard", format="wav")
    assert [path.name for path in files] == ["000.wav", "001.wav", "grid.png"]
    pieces = sample(folder / "midi", 2, 1, folder / "pieces")
    assert files[2].read_bytes() == pieces[2].read_bytes(), "the same music"
    rate, samples = waveform(files[0].read_bytes())
    assert rate == RATE and len(samples) and np.abs(samples).max() <= 1
    with pytest.raises(UserError, match="are music: they cannot be written as png"):
        sample(folder / "midi", 2, 1, folder / "never", format="png")


def test_a_run_shows_what_it_draws_beside_real_ones(folder: Path) -> None:
    samples = {path.name for path in (folder / "text" / "samples").iterdir()}
    assert {"step-0000000.txt", "grid-final.txt", "real_and_generated-final.txt"} <= samples
    text = (folder / "text" / "samples" / "real_and_generated-final.txt").read_text("utf-8")
    real, _, generated = text.partition("\ngenerated\n")
    assert real.startswith("real\n") and "beginning" in real and generated
    music = {path.name for path in (folder / "midi" / "samples").iterdir()}
    assert {"step-0000000.png", "grid-final.png", "real_and_generated-final.png"} <= music


def test_a_tokenizer_in_data_json_that_was_changed(tmp_path: Path) -> None:
    run_folder = RunFolder(tmp_path)
    record = tokenizer_of(Call("characters", {}), [b"ab"]).record()
    for tokenizer, told in (
        (record, ""),
        ({"word": "morse"}, "no tokenizer of text: morse"),
        ({"word": "remi", "base": "{", "model": ""}, ""),
        ({"word": "bpe", "model": "[]"}, ""),
        (None, ""),
    ):
        run_folder.data.write_text(json.dumps({"sources": [{"name": "", "tokenizer": tokenizer}]}))
        if tokenizer is record:
            reader_of_field(run_folder, FIELD)
            continue
        with pytest.raises(UserError, match=f"data.json cannot be read: .*{told}"):
            reader_of_field(run_folder, FIELD)


def test_sequences_that_end_are_cut_there(tmp_path: Path) -> None:
    values = np.array([[104, 105, -1, -1], [255, 104, 105, 33], [-1, -1, -1, -1]], np.int32)
    kept = SampleFiles(tmp_path)
    kept.admit(3, 3)
    writer = TokenFiles(kept, "", 3, Bytes())
    writer.add(values[:2])
    writer.add(values[2:])
    writer.end()
    kept.finish()
    files = {path.name: path.read_bytes() for path in kept.written}
    assert files["samples.txt"].decode().split("-" * 40) == ["hi\n", "\n\ufffdhi!\n", "\n\n"]
    assert files["000.txt"] == b"hi\n" and files["001.txt"].decode() == "\ufffdhi!\n" and files["002.txt"] == b"\n"
    assert json.loads(files["samples.jsonl"].splitlines()[0])["tokens"] == [104, 105]
