"""What a person names in, the folder of one SavedModel out: a version, a model's versions, `RUN/export`, or a run."""

from pathlib import Path

from gendsl.frozen import dataclass
from gendsl.lower.errors import UserError

_GRAPH = "saved_model.pb"


@dataclass(frozen=True, slots=True)
class Found:
    """A SavedModel and how TensorFlow Serving would name it."""

    name: str
    version: int
    folder: Path


def found(export: str | Path) -> Found:
    """The SavedModel that `export` names: the folder of a version, that of a model (its highest version counts, as with
    TensorFlow Serving), a run's `export` folder with one model in it, or a run. Raises UserError."""
    path = Path(export)
    if not path.is_dir():
        raise _none(path)
    if _is_model(path):
        return _of_version(path)
    if versions := _versions(path):
        return _of_version(versions[-1])
    if (path / "plan.json").is_file() and not _models(path / "export"):
        raise UserError(f"the run in {path} has not been exported", f"first `gendsl export {path}`")
    inside = path / "export" if (path / "plan.json").is_file() else path
    models = _models(inside)
    if not models:
        raise UserError(
            f"{path} holds no exported model",
            "name a run that was exported, its `export` folder, or a SavedModel in it",
        )
    if len(models) > 1:
        listed = ", ".join(model.name for model in models)
        raise UserError(f"{inside} holds {len(models)} models: {listed}", f"name one: `gendsl serve {models[0]}`")
    return _of_version(_versions(models[0])[-1])


def _none(path: Path) -> UserError:
    if path.suffix in (".tflite", ".onnx"):
        return UserError(
            f"{path} is no SavedModel",
            "serve the model's folder beside it; this file is for the libraries of its format",
        )
    if path.exists():
        return UserError(f"{path} is a file", "name the folder of a run that was exported, or of a SavedModel")
    return UserError(
        f"there is no folder {path}", "name a run that was exported, or a SavedModel in its `export` folder"
    )


def _is_model(folder: Path) -> bool:
    return (folder / _GRAPH).is_file()


def _is_version(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) < 19


def _versions(folder: Path) -> list[Path]:
    """The versions of a model, the highest last; a folder without a graph is being written, or is none."""
    inside = [path for path in folder.iterdir() if _is_version(path.name) and _is_model(path)]
    return sorted(inside, key=lambda path: int(path.name))


def _models(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and path.name[0] != "." and _versions(path))


def _of_version(folder: Path) -> Found:
    """A SavedModel that does not lie as TensorFlow Serving wants it is version 1 of its folder's name."""
    whole = folder.resolve()
    if _is_version(whole.name) and whole.parent.name:
        return Found(whole.parent.name, int(whole.name), folder)
    return Found(whole.name or "model", 1, folder)
