"""The folder of a run in, a SavedModel for TF Serving in `export/<name>/1/` out: what `gendsl export` does.

`serving_default` takes `n` and `seed` and gives what `gendsl sample` draws for that seed; `from_prior` takes the
prior's draws (and labels) by the names of the network's inputs; `labelled`, with labels or conditions, takes `seed` and
them; `prompted`, where samples call `generate`, takes `prompt`, `seed` and `temperature`.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gendsl.lower.errors import UserError
from gendsl.run.folder import open_run, sync_folder
from gendsl.run.loading import load_tensorflow

if TYPE_CHECKING:
    from gendsl.run.rebuild import Rebuilt


def export(
    run_folder: str | Path, *, checkpoint: str = "last", told: Callable[[str], None] = lambda _: None
) -> list[Path]:
    """Exports a run with the averaged weights of a checkpoint; gives the folders `export/<name>/1`.

    Loaded by TF Serving as it is. A model that was exported before is replaced. `checkpoint` is `last`, `best` or a
    step; `told` is given which damaged ones were passed over. Raises UserError.
    """
    open_run(Path(run_folder))  # a wrong path is answered before TensorFlow is loaded
    load_tensorflow()
    from gendsl.run.rebuild import rebuilt

    run = rebuilt(Path(run_folder), checkpoint, told=told)
    calls = [call for call in run.plan.export if call.word == "saved_model"]
    names = [call.arguments.get("name") or run.plan.experiment for call in calls] or [run.plan.experiment]
    folders = []
    for name in dict.fromkeys(str(name) for name in names):
        if name in (".", "..") or set(name) & set("/\\\0"):
            raise UserError(f"`{name}` cannot be the name of an exported model", "use letters, digits, `_` and `-`")
        folder = run.folder.path / "export" / name / "1"
        _write(run, folder)
        folders.append(folder)
    return folders


def _write(run: "Rebuilt", folder: Path) -> None:
    """Writes the archive beside its place and then moves it there: a server that watches sees it whole."""
    import keras

    from gendsl.export.signatures import signatures_of

    signatures = signatures_of(run)
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    archive = keras.export.ExportArchive()
    for network in run.experiment.networks.values():
        archive.track(network)
    for signature in signatures:
        archive.add_endpoint(signature.name, signature.endpoint, input_signature=[dict(signature.inputs)])
    archive.write_out(str(temporary), verbose=False)
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(temporary, folder)
    sync_folder(folder.parent)
