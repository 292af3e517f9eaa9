"""An export's chain and the files of its samples in, the same files marked as made by that model out."""

from collections.abc import Mapping
from pathlib import Path

from gendsl import __version__
from gendsl.export.chain import PARTS, Origin, links_of
from gendsl.export.marks import beside, marked


def origin_in(folder: Path, experiment: str) -> Origin:
    """What the chain beside a model says it came from; of one without a chain no more than the experiment's name."""
    links = links_of(folder)
    hashes = {part: str(links.get(part, {}).get("sha256") or "") for part in PARTS}
    name = links.get("spec", {}).get("experiment")
    step = links.get("checkpoint", {}).get("step")
    return Origin(
        experiment=name if isinstance(name, str) else experiment,
        gendsl=__version__,
        step=step if type(step) is int else 0,
        **hashes,
    )


def all_marked(files: Mapping[str, bytes], origin: Origin) -> dict[str, bytes]:
    """Files by name with their marks, and those that mark some of them from beside."""
    found = {name: marked(name, content, origin) for name, content in files.items()}
    return found | dict(more for name in files if (more := beside(name, origin)) is not None)
