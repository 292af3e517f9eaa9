"""TensorBoard's files: a run that was killed and went on is one curve, for each of its readers, watching or not."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator
from tensorboard.context import RequestContext
from tensorboard.data import server_ingester
from tensorboard.data.provider import RunTagFilter
from tensorboard.util.grpc_util import ChannelCredsType
from tensorboard.util.tensor_util import make_ndarray

from gendsl.lower.errors import UserError
from gendsl.run.folder import RunFolder, append_line, read_lines
from gendsl.run.logs import Logs, cut, files, lengths

GREY = np.zeros([4, 4, 1], np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    (tmp_path / "run").mkdir()
    return RunFolder(tmp_path / "run")


def steps(folder: RunFolder, logs: Logs, first: int, last: int) -> None:
    """What a run logs at steps first…last: a loss each, a picture and a score every ten."""
    for step in range(first, last + 1):
        logs.scalars(step, {"fit/loss": 1 / step})
        append_line(folder.metrics, {"step": step, "fit/loss": 1 / step})
        if step % 10 == 0:
            logs.pictures(step, {"point": GREY})
            logs.scalars(step, {"scores/modes": float(step)})
    logs.flush()


class Watcher:
    """Reads a folder as TensorBoard does without its data server; what has been read stays."""

    def __init__(self, folder: Path) -> None:
        self._reader = EventAccumulator(str(folder), size_guidance={"tensors": 0})

    def __call__(self, tag: str) -> list[int]:
        self._reader.Reload()
        return [event.step for event in self._reader.Tensors(tag)]

    def close(self) -> None:
        pass


class Server:
    """Reads a folder with TensorBoard's data server, which TensorBoard takes where it is installed."""

    def __init__(self, folder: Path) -> None:
        self._server = server_ingester.SubprocessServerDataIngester(
            server_binary=server_ingester.get_server_binary(),
            logdir=str(folder),
            reload_interval=1,
            channel_creds_type=ChannelCredsType.LOCAL,
            samples_per_plugin={"scalars": 10_000, "images": 10_000},
        )
        self._server.start()

    def __call__(self, tag: str) -> list[int]:
        time.sleep(2.5)  # it reads anew every second
        provider, of = self._server.data_provider, {"experiment_id": "", "downsample": 10_000}
        read = provider.read_blob_sequences if tag.startswith("samples/") else provider.read_scalars
        plugin = "images" if tag.startswith("samples/") else "scalars"
        found = read(RequestContext(), plugin_name=plugin, run_tag_filter=RunTagFilter(tags=[tag]), **of)
        return [datum.step for datum in found["."][tag]]

    def close(self) -> None:
        self._server._stdin_handle.close()  # it ends with its parent


@pytest.fixture(params=[Watcher, Server])
def reader(request: pytest.FixtureRequest, folder: RunFolder) -> Iterator[Callable[[], Watcher | Server]]:
    """Opens a reader of the run's logs."""
    opened: list[Watcher | Server] = []

    def open_reader() -> Watcher | Server:
        opened.append(request.param(folder.logs))
        return opened[-1]

    yield open_reader
    for one in opened:
        one.close()


EVERY = list(range(1, 81))
TENTH = list(range(10, 81, 10))


def test_a_killed_run_that_went_on_is_one_curve(folder: RunFolder, reader: Callable[[], Watcher | Server]) -> None:
    logs = Logs(folder.logs, first=0)
    steps(folder, logs, 1, 59)
    there = lengths(folder)  # those that the checkpoint of step 60 knows
    steps(folder, logs, 60, 75)
    watching = reader()
    assert watching("fit/loss") == list(range(1, 76))
    for last in (70, 80):  # killed, and killed once more before the next checkpoint
        cut(folder, there)
        logs = Logs(folder.logs, first=60)
        steps(folder, logs, 60, last)
    for reading in (watching, reader()):
        assert reading("fit/loss") == EVERY
        assert reading("scores/modes") == TENTH
        assert reading("samples/point") == TENTH
    assert [record["step"] for record in read_lines(folder.metrics)] == EVERY


def test_a_torn_record_is_cut_off(folder: RunFolder) -> None:
    logs = Logs(folder.logs, first=0)
    steps(folder, logs, 1, 20)
    there = lengths(folder)
    logs.close()
    for path in (folder.metrics, *files(folder.logs)):
        path.write_bytes(path.read_bytes() + b"\x13\x00\x00\x00{")
    cut(folder, there)
    steps(folder, Logs(folder.logs, first=21), 21, 80)
    assert Watcher(folder.logs)("fit/loss") == EVERY
    assert [record["step"] for record in read_lines(folder.metrics)] == EVERY


def test_files_are_read_in_the_order_of_their_writing_whatever_the_clock_says(
    folder: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    for number in range(12):
        monkeypatch.setattr("time.time", lambda moved=now - 86_400 * number: moved)
        steps(folder, Logs(folder.logs, first=5 * number + 1), 5 * number + 1, 5 * number + 5)
    assert Watcher(folder.logs)("fit/loss") == EVERY[:60]


def test_files_of_other_tools_are_left_alone(folder: RunFolder) -> None:
    steps(folder, Logs(folder.logs, first=0), 1, 3)
    profile = folder.logs / "events.out.tfevents.1700000000.host.profile-empty"
    profile.write_bytes(b"mine")
    cut(folder, {})
    assert profile.read_bytes() == b"mine" and lengths(folder) == {
        "metrics.jsonl": 0,
        "logs/events.out.tfevents.000001": 0,
    }


def test_a_full_disk_is_said_so(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.logs.mkdir()
    (folder.logs / "events.out.tfevents.000001").symlink_to("/dev/full")
    monkeypatch.setattr("gendsl.run.logs.files", lambda _: [])
    with pytest.raises(UserError, match=r"events\.out\.tfevents\.000001 cannot be written: No space left on device"):
        Logs(folder.logs, first=0)


def test_a_curve_is_precision_over_falling_recall(folder: RunFolder) -> None:
    logs = Logs(folder.logs, first=0)
    curve = np.stack([np.linspace(0, 1, 7), np.linspace(1, 0.5, 7)], axis=1)
    logs.curves(3, {"scores/curve": curve})
    logs.close()
    reader = EventAccumulator(str(folder.logs), size_guidance={"tensors": 0})
    reader.Reload()
    (event,) = reader.Tensors("scores/curve")
    assert event.step == 3 and list(reader.PluginTagToContent("pr_curves")) == ["scores/curve"]
    rows = make_ndarray(event.tensor_proto)  # TensorBoard draws the fifth over the sixth
    np.testing.assert_allclose(rows[4:], curve.T, rtol=1e-6)


def test_pictures_and_sounds_of_the_same_music_have_tags_of_their_own(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    logs = Logs(tmp_path, first=0)
    logs.sounds(0, "samples/music", [b"RIFF one", b"RIFF two"])
    logs.pictures(0, {"music": np.zeros((8, 8, 3), np.uint8)})
    read = EventAccumulator(str(tmp_path))
    read.Reload()
    kinds = {tag: read.SummaryMetadata(tag).plugin_data.plugin_name for tag in read.Tags()["tensors"]}
    assert kinds == {"samples/music": "images", "samples/music_sound": "audio"}
    assert list(read.Tensors("samples/music_sound")[0].tensor_proto.string_val)[::2] == [b"RIFF one", b"RIFF two"]
