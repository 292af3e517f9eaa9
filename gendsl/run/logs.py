"""What happens in a run in, TensorBoard's event files out: scalars, pictures, texts, histograms, the graph.

A file is a sequence of records, each an `Event` of TensorBoard's; so a checkpoint need only know how long the files
were, and a resumed run cuts off what was written after it. Each process writes a file of its own, behind the others.
"""

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.graph_pb2 import GraphDef
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.plugins.audio.metadata import Encoding
from tensorboard.plugins.audio.metadata import create_summary_metadata as audio_metadata
from tensorboard.plugins.histogram.metadata import create_summary_metadata as histogram_metadata
from tensorboard.plugins.image.metadata import create_summary_metadata as image_metadata
from tensorboard.plugins.pr_curve.metadata import create_summary_metadata as curve_metadata
from tensorboard.plugins.scalar.metadata import create_summary_metadata as scalar_metadata
from tensorboard.plugins.text.metadata import create_summary_metadata as text_metadata

from gendsl.run.folder import RunFolder, unwritable
from gendsl.run.pictures import Pixels, png

_SECONDS_BETWEEN_FLUSHES = 2.0
_STEM = "events.out.tfevents."
_NAME = re.compile(re.escape(_STEM) + r"[0-9]{6}")
_SCALAR: SummaryMetadata = scalar_metadata("", "")
_SOUND: SummaryMetadata = audio_metadata("", "", Encoding.Value("WAV"))
_IMAGE: SummaryMetadata = image_metadata("", "")
_TEXT: SummaryMetadata = text_metadata("", "")
_HISTOGRAM: SummaryMetadata = histogram_metadata("", "")


class Logs:
    """Writes under a run's `logs/`; one process, one file. Raises UserError where the disk takes no more."""

    def __init__(self, folder: Path, *, first: int) -> None:
        """`first` is how many steps are done already."""
        folder.mkdir(parents=True, exist_ok=True)
        # Numbered, not dated: TensorBoard reads the files in the order of their names, and a clock may be moved.
        numbers = [int(path.name.removeprefix(_STEM)) for path in files(folder)]
        self._path = folder / f"{_STEM}{max(numbers, default=0) + 1:06}"
        self._writer = tf.io.TFRecordWriter(str(self._path))
        self._flushed = time.monotonic()
        self._add(Event(file_version="brain.Event:2"))
        # A TensorBoard that has shown what a killed process told from its last checkpoint on drops it here.
        self._add(Event(step=first, session_log=SessionLog(status=SessionLog.START)))
        self.flush()

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers by tag; the part before the last `/` groups them."""
        event = Event(step=step)
        for tag, number in values.items():
            value = event.summary.value.add(tag=tag, metadata=_SCALAR)
            value.tensor.dtype = tf.float32.as_datatype_enum
            value.tensor.float_val.append(number)
        self._add(event)
        if time.monotonic() - self._flushed > _SECONDS_BETWEEN_FLUSHES:
            self.flush()

    def pictures(self, step: int, pictures: Mapping[str, Pixels], *, group: str = "samples") -> None:
        """One picture a tag under `GROUP/`."""
        for tag, pixels in pictures.items():
            self.picture(step, f"{group}/{tag}", pixels, png(pixels))
        self.flush()

    def picture(self, step: int, tag: str, pixels: Pixels, encoded: bytes) -> None:
        """A picture that is encoded as PNG already."""
        height, width = (str(side).encode() for side in pixels.shape[:2])
        self._strings(step, tag, [width, height, encoded], _IMAGE)

    def sounds(self, step: int, tag: str, encoded: Sequence[bytes]) -> None:
        """Sounds as WAV files, under one tag, `TAG_sound`: a tag is of one kind, and `TAG` is of their pictures."""
        event = Event(step=step)
        value = event.summary.value.add(tag=f"{tag}_sound", metadata=_SOUND)
        value.tensor.dtype = tf.string.as_datatype_enum
        for size in (len(encoded), 2):
            value.tensor.tensor_shape.dim.add(size=size)
        value.tensor.string_val.extend(part for sound in encoded for part in (sound, b""))  # each with its label
        self._add(event)

    def histograms(self, step: int, histograms: Mapping[str, NDArray[np.float64]]) -> None:
        """Histograms (buckets, 3) by tag: from, to, how many."""
        event = Event(step=step)
        for tag, buckets in histograms.items():
            value = event.summary.value.add(tag=tag, metadata=_HISTOGRAM)
            value.tensor.dtype = tf.float64.as_datatype_enum
            for size in buckets.shape:
                value.tensor.tensor_shape.dim.add(size=size)
            value.tensor.double_val.extend(buckets.reshape(-1).tolist())
        self._add(event)

    def curves(self, step: int, curves: Mapping[str, NDArray[np.float64]]) -> None:
        """Curves of precision and recall (n, 2) by tag, recall falling."""
        event = Event(step=step)
        for tag, curve in curves.items():
            # The first four rows are the counts of a classifier's answers, of which there are none here.
            rows = np.concatenate([np.zeros((4, len(curve))), curve.T])
            value = event.summary.value.add(tag=tag, metadata=curve_metadata("", "", len(curve)))
            value.tensor.dtype = tf.float32.as_datatype_enum
            for size in rows.shape:
                value.tensor.tensor_shape.dim.add(size=size)
            value.tensor.float_val.extend(rows.reshape(-1).tolist())
        self._add(event)

    def graph(self, graph: GraphDef) -> None:
        """The graph of the networks, one a run."""
        self._add(Event(graph_def=graph.SerializeToString()))

    def summary(self, step: int, summary: Summary) -> None:
        """What a plugin of TensorBoard made itself."""
        self._add(Event(step=step, summary=summary))

    def texts(self, step: int, texts: Mapping[str, str]) -> None:
        """Texts by tag, shown as they are written."""
        for tag, text in texts.items():
            self.markdown(step, tag, "\n".join(f"    {line}" for line in text.splitlines()))
        self.flush()

    def markdown(self, step: int, tag: str, text: str) -> None:
        """A text of Markdown."""
        self._strings(step, tag, [text.encode()], _TEXT, scalar=True)

    def flush(self) -> None:
        """Hands everything to the system: another process sees it, and it outlasts this one."""
        self._told(self._writer.flush)
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Flushes and closes the file."""
        self._told(self._writer.close)

    def _strings(
        self, step: int, tag: str, content: list[bytes], metadata: SummaryMetadata, *, scalar: bool = False
    ) -> None:
        event = Event(step=step)
        value = event.summary.value.add(tag=tag, metadata=metadata)
        value.tensor.dtype = tf.string.as_datatype_enum
        value.tensor.string_val.extend(content)
        if not scalar:
            value.tensor.tensor_shape.dim.add(size=len(content))
        self._add(event)

    def _add(self, event: Event) -> None:
        event.wall_time = time.time()
        self._told(lambda: self._writer.write(event.SerializeToString()))

    def _told(self, action: Callable[[], None]) -> None:
        try:
            action()
        except tf.errors.OpError as error:
            raise unwritable(self._path, error) from error


def files(folder: Path) -> list[Path]:
    """The event files of a run in the order of their writing; those of other tools, such as a profiler, are not."""
    return [folder / name for name in sorted(_sizes(folder))]


def _sizes(folder: Path) -> dict[str, int]:
    """The sizes of a run's event files by name, in bytes."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.stat().st_size for entry in entries if _NAME.fullmatch(entry.name)}
    except FileNotFoundError:
        return {}


def lengths(folder: RunFolder) -> dict[str, int]:
    """How many bytes each log of a run has: its metrics and its event files."""
    found = {f"{folder.logs.name}/{name}": size for name, size in _sizes(folder.logs).items()}
    try:
        return {folder.metrics.name: folder.metrics.stat().st_size, **found}
    except FileNotFoundError:
        return found


def cut(folder: RunFolder, lengths: Mapping[str, int]) -> None:
    """Cuts each log to the length that it had, and to nothing if it was not there: a resumed run writes it anew.

    A file stays, if empty: a TensorBoard that watches would not notice another one of the same name.
    """
    for path in (folder.metrics, *files(folder.logs)):
        length = lengths.get(str(path.relative_to(folder.path)), 0)
        if path.is_file() and path.stat().st_size > length:
            os.truncate(path, length)
