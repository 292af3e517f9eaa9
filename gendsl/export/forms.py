"""The word of a form of export in, how it is written out."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gendsl.export.order import Order
    from gendsl.run.rebuild import Rebuilt


@dataclass(frozen=True, slots=True)
class Form:
    """A form of export. `module` has the function `write(run, order, folder)`, which fills an empty folder.

    If `versioned`, that folder becomes `export/<name>/<version>/`; else what is in it is put into `export/`."""

    module: str
    versioned: bool = False

    @property
    def write(self) -> "Callable[[Rebuilt, Order, Path], None]":
        """Writes what is ordered of a run into an empty folder. Raises UserError where the model does not allow it."""
        found: Callable[[Rebuilt, Order, Path], None] = import_module(self.module).write
        return found


FORMS: dict[str, Form] = {
    "saved_model": Form("gendsl.export.saved_model", versioned=True),
    "litert": Form("gendsl.export.litert"),
    "onnx": Form("gendsl.export.onnx"),
}
