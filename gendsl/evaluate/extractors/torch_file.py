"""A file of PyTorch's first format in, its tensors by name out: read without PyTorch, and nothing in it is run.

The file is four pickles (a magic number, a version, the system, the tensors), a fifth with the order of the storages,
then each storage: its length as int64 and its numbers, little-endian. A pickle can name any function to be called; here
only the three that make tensors are known, anything else ends the reading.
"""

import collections
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0x1950A86A20F9469CFC6C
_KINDS: dict[str, np.dtype[Any]] = {
    "FloatStorage": np.dtype("<f4"),
    "LongStorage": np.dtype("<i8"),
    "DoubleStorage": np.dtype("<f8"),
}
_Part = tuple[str, int, tuple[int, ...], tuple[int, ...]]  # a tensor: its storage, where in it, shape and strides


class _Reader(pickle.Unpickler):
    def __init__(self, file: BinaryIO, storages: dict[str, tuple[np.dtype[Any], int]]) -> None:
        super().__init__(file)
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        known: dict[tuple[str, str], Callable[..., Any] | str] = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
            **{("torch", kind): kind for kind in _KINDS},
        }
        if (module, name) not in known:
            raise ValueError(f"it asks for {module}.{name}")
        return known[module, name]

    def persistent_load(self, pid: Any) -> str:
        kind, key, length = str(pid[1]), str(pid[2]), int(pid[4])
        self._storages[key] = (_KINDS[kind], length)
        return key


def _tensor(storage: str, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> _Part:
    return storage, offset, tuple(shape), tuple(strides)


def tensors_in(path: Path) -> dict[str, NDArray[Any]]:
    """The tensors of a file, in C order whatever their strides were. Raises ValueError where it is no such file."""
    storages: dict[str, tuple[np.dtype[Any], int]] = {}
    try:
        with open(path, "rb") as file:
            if _Reader(file, {}).load() != _MAGIC:
                raise ValueError("its first number is another")
            _Reader(file, {}).load(), _Reader(file, {}).load()
            parts: dict[str, _Part] = dict(_Reader(file, storages).load())
            numbers: dict[str, NDArray[Any]] = {}
            for key in _Reader(file, {}).load():
                kind, length = storages[str(key)]
                if int(np.fromfile(file, "<i8", 1)[0]) != length:
                    raise ValueError("a storage has another length than its tensors say")
                numbers[str(key)] = np.fromfile(file, kind, length)
                if len(numbers[str(key)]) < length:
                    raise ValueError("it is cut off")
    except (pickle.UnpicklingError, EOFError, KeyError, IndexError, TypeError) as error:
        raise ValueError(str(error) or type(error).__name__) from error
    return {name: _strided(numbers[part[0]], *part[1:]) for name, part in parts.items()}


def _strided(numbers: NDArray[Any], offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> NDArray[Any]:
    """A tensor of a storage. Its strides are checked: NumPy would read beyond the storage."""
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    if min((offset, *strides, *shape)) < 0 or last >= len(numbers):
        raise ValueError("a tensor reaches beyond its storage")
    width = numbers.itemsize
    view = np.lib.stride_tricks.as_strided(
        numbers[offset:], shape, [stride * width for stride in strides], writeable=False
    )
    return np.array(view, order="C")
