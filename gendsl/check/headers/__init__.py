"""A source's call and the spec's folder in, what its headers say out; with a field's statement, the field it makes.

Neither TensorFlow nor NumPy, and no file is read whole (but for small arrays of labels). What the user can mend comes
back as values: `Header.problem`, `Header.warning`, `FieldProblem`.
"""

import os
from collections.abc import Callable, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from gendsl.check.headers.fields import FieldProblem, field_of, output_channels
from gendsl.check.headers.header import Header, HeaderField
from gendsl.check.headers.paths import Refused, files, inside
from gendsl.frozen import replace
from gendsl.plan.plan import Call
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.word import Choice, WordOf

if TYPE_CHECKING:  # the readers of a format are imported when a spec names one
    from gendsl.check.headers.archives import Parts

__all__ = [
    "FieldProblem",
    "Header",
    "HeaderField",
    "field_of",
    "header_of",
    "output_channels",
    "split_sizes",
    "with_options",
]

MOST_FILES: Final = 50_000  # of a glob, counted when checking; beyond, their number stays unknown

_UNKNOWN_IMAGE = HeaderField("image", "image", (None, None, None))
_UNKNOWN_LABEL = HeaderField("label", "label", ())


def header_of(call: Call, folder: str) -> Header:
    """What a source gives. `call` holds every parameter of the source's word, those that stand behind `source`
    (`label: folder`, `tokenizer: …`) among them: see `with_options`. `folder` is that of the spec."""
    try:
        return _READERS[call.word](call.arguments, call.statements, folder)
    except Refused as refused:
        return Header(_fields_of(call), known=False, problem=refused.message, help=refused.help)
    except OSError as error:
        told = f"the data cannot be read: {error.strerror or error} ({error.filename})"
        return Header(_fields_of(call), known=False, problem=told, help="make the file readable, or fetch it again")


def with_options(call: Call, options: Mapping[str, Any]) -> tuple[Call, tuple[str, ...]]:
    """A source's call with the options of its `source` statement put in, and those it does not take."""
    given = {name: value for name, value in options.items() if value is not None}
    taken = {name: value for name, value in given.items() if _takes(call.word, name, value)}
    left = tuple(name for name in given if name not in taken)
    return Call(call.word, {**call.arguments, **taken}, call.statements), left


def _takes(word: str, name: str, value: Any) -> bool:
    """Whether a source has an option of the name, and for a value like this: what is named by a text is named there."""
    parameter = WORDS["source"][word].parameter(name)
    kinds = () if parameter is None else getattr(parameter.kind, "kinds", (parameter.kind,))
    wanted = WordOf if isinstance(value, Call) else Choice
    return any(isinstance(kind, wanted) for kind in kinds)


def split_sizes(examples: int, shares: Mapping[str, float]) -> dict[str, int]:
    """How many of `examples` each split gets: bounds at the rounded running sums, so shares of 1 in all use all."""
    sizes, total, before = {}, 0.0, 0
    for name, share in shares.items():
        total += float(share)
        bound = min(examples, int(total * examples + 0.5 + 1e-9))
        sizes[name] = bound - before
        before = bound
    return sizes


def _fields_of(call: Call) -> tuple[HeaderField, ...]:
    """The fields of a source whose data cannot be read."""
    match call.word:
        case "gaussians" | "ring" | "swiss_roll":
            return (HeaderField("point", "point", (2,)),)
        case "text" | "midi":
            return (HeaderField("text", "text", (None,)),)
        case "csv" | "parquet" | "audio":
            return (HeaderField("row", "row", (None,)),)
        case "images" | "npy" | "tfrecord" if call.arguments.get("label") is None:
            return (_UNKNOWN_IMAGE,)
        case _:
            return (_UNKNOWN_IMAGE, _UNKNOWN_LABEL)


def _digits(arguments: Mapping[str, Any], statements: Any, folder: str) -> Header:
    fields = (HeaderField("image", "image", (8, 8, 1)), HeaderField("label", "label", (), 10))
    return Header(fields, examples=1797, looked="scikit-learn's `load_digits`")


def _image_fields(shape: tuple[int | None, ...], labelled: bool, classes: int | None) -> tuple[HeaderField, ...]:
    size = (*shape, 1) if len(shape) == 2 else shape
    image = HeaderField("image", "image", size)
    return (image, HeaderField("label", "label", (), classes)) if labelled else (image,)


def _idx(arguments: Mapping[str, Any], statements: Any, folder: str) -> Header:
    from gendsl.check.headers import archives

    path = str(arguments["folder"])
    place = inside(folder, path)
    try:
        parts = archives.idx_parts(place, path)
    except (FileNotFoundError, NotADirectoryError):
        return _absent(
            (_UNKNOWN_IMAGE, _UNKNOWN_LABEL),
            f'no `train-images-idx3-ubyte` or `train-images-idx3-ubyte.gz` in "{path}"',
            f"put the files of the MNIST family into {path}, beside the spec",
            place,
        )
    return _of_parts(parts, place)


def _of_parts(parts: "Parts", place: str) -> Header:
    shapes = {part.shape[1:] for part in parts.splits.values()}
    if len(shapes) > 1:
        told = ", ".join(f"{name} {'x'.join(map(str, part.shape[1:]))}" for name, part in parts.splits.items())
        raise Refused(f"the splits hold pictures of different sizes: {told}", "write them anew in one size")
    fields = _image_fields(next(iter(shapes)), parts.labelled, parts.classes)
    sizes = {name: part.shape[0] for name, part in parts.splits.items()}
    if tuple(sizes) == ("",):
        return Header(fields, examples=sizes[""], looked=place)
    return Header(fields, splits=sizes, looked=place)


def _npz(arguments: Mapping[str, Any], statements: Any, folder: str) -> Header:
    from gendsl.check.headers import archives

    path = str(arguments["file"])
    place = inside(folder, path)
    if not os.path.isfile(place):
        return _absent((_UNKNOWN_IMAGE, _UNKNOWN_LABEL), f'there is no file "{path}"', "", place)
    return _of_parts(archives.npz_parts(place, path, arguments.get("image"), arguments.get("label")), place)


def _npy(arguments: Mapping[str, Any], statements: Any, folder: str) -> Header:
    from gendsl.check.headers import archives

    path, label = str(arguments["file"]), arguments.get("label")
    place = inside(folder, path)
    for name in (path, label) if label is not None else (path,):
        if not os.path.isfile(inside(folder, name)):
            fields = (_UNKNOWN_IMAGE,) if label is None else (_UNKNOWN_IMAGE, _UNKNOWN_LABEL)
            return _absent(fields, f'there is no file "{name}"', "", inside(folder, name))
    beside = None if label is None else (inside(folder, label), label)
    return _of_parts(archives.npy_parts((place, path), beside), place)


def _images(arguments: Mapping[str, Any], statements: Any, folder: str) -> Header:
    from gendsl.check.headers import labels, pictures

    pattern, label = str(arguments["glob"]), arguments.get("label")
    paths = list(islice(files(folder, pattern), MOST_FILES + 1))
    place = os.path.join(os.path.realpath(folder or "."), pattern)
    unknown = (_UNKNOWN_IMAGE,) if label is None else (_UNKNOWN_IMAGE, _UNKNOWN_LABEL)
    if not paths:
        return _absent(unknown, f'no file matches "{pattern}"', "", place)
    size = pictures.first_size(os.path.realpath(folder or "."), paths)
    if len(paths) > MOST_FILES or label is None:
        count = len(paths) if len(paths) <= MOST_FILES else None
        return Header(_image_fields(size, label is not None, None), examples=count, looked=place)
    try:
        found = labels.labels_of(label, paths, folder)
    except FileNotFoundError as error:
        return _absent(unknown, f'there is no file "{label.arguments["path"]}"', "", str(error))
    fields = _image_fields(size, True, len(found.names))
    told = labels.unlabelled(label, found, len(paths))
    return Header(fields, examples=len(paths), looked=place, unlabelled=told)


def _tfds(arguments: Mapping[str, Any], statements: Any, folder: str) -> Header:
    from gendsl.check.headers import tfds

    name = str(arguments["name"])
    prepared = tfds.prepared_of(name, image=arguments.get("image"), label=arguments.get("label"))
    looked = os.path.join(tfds.data_directory(), name.partition(":")[0])
    prepare = "`gendsl run` downloads it where you add `--download`; or say where it is in TFDS_DATA_DIR"
    if prepared is None:
        return _absent(
            (_UNKNOWN_IMAGE, _UNKNOWN_LABEL), f'TFDS\'s "{name}" is not prepared in {looked}', prepare, looked
        )
    fields = _image_fields(prepared.size, prepared.label is not None, prepared.classes)
    if prepared.directory is None:
        told = f'TFDS\'s "{name}" is not prepared in {looked}; its sizes are from a table'
        return Header(fields, splits=prepared.splits, warning=told, help=prepare, looked=looked)
    return Header(fields, splits=prepared.splits, looked=prepared.directory)


def _points(arguments: Mapping[str, Any], statements: Any, folder: str) -> Header:
    if "grid" in arguments and (arguments.get("grid") is None) == (arguments.get("ring") is None):
        raise Refused("gaussians lie on a grid or on a ring", "write `gaussians(grid: 5x5)` or `gaussians(ring: 8)`")
    return Header((HeaderField("point", "point", (2,)),), unlimited=True)


def _csv(arguments: Mapping[str, Any], statements: tuple[Call, ...], folder: str) -> Header:
    from gendsl.check.headers import tables

    return tables.csv_header(Call("csv", arguments, statements), folder)


def _tokens(word: str, arguments: Mapping[str, Any], folder: str) -> HeaderField:
    from gendsl.check.headers import sequences

    return HeaderField("text", "text", (None,), sequences.vocabulary_of(word, arguments.get("tokenizer"), folder))


def _text(arguments: Mapping[str, Any], statements: Any, folder: str) -> Header:
    from gendsl.check.headers import sequences

    header = _globbed((_tokens("text", arguments, folder),), arguments, folder)
    if not header.known:
        return header
    tokenizer = arguments.get("tokenizer")
    sequences.refuse_other_tokenizer("text", tokenizer)
    places = [os.path.join(os.path.realpath(folder or "."), path) for path in files(folder, str(arguments["glob"]))]
    sizes = [os.path.getsize(place) for place in places[:MOST_FILES]]
    if len(places) > MOST_FILES:
        return header
    sequences.refuse_small_text(tokenizer, sum(sizes))
    if tokenizer is not None and tokenizer.word == "characters":
        different = sequences.characters_in(places, sum(sizes), lowercase=bool(tokenizer.arguments.get("lowercase")))
        header = replace(header, fields=(HeaderField("text", "text", (None,), different),))
    return replace(header, longest=sequences.most_tokens(tokenizer, max(sizes)))


def _midi(arguments: Mapping[str, Any], statements: Any, folder: str) -> Header:
    from gendsl.check.headers import music, sequences

    header = _globbed((_tokens("midi", arguments, folder),), arguments, folder)
    if not header.known:
        return header
    sequences.refuse_other_tokenizer("midi", arguments.get("tokenizer"))
    pattern, root = str(arguments["glob"]), os.path.realpath(folder or ".")
    places = [os.path.join(root, path) for path in islice(files(folder, pattern), MOST_FILES)]
    if music.silent(places):
        raise Refused(f'no file that matches "{pattern}" holds a note', "name files of music; tracks of tempo are none")
    return header


def _sounds(arguments: Mapping[str, Any], statements: Any, folder: str) -> Header:
    from gendsl.check.headers import sequences

    shape = sequences.sound_shape(int(arguments["rate"]), float(arguments["seconds"]), arguments.get("mel"))
    kind = "row" if len(shape) == 1 else "image"
    field = HeaderField(kind, kind, shape)
    if arguments.get("label") is None:
        return _globbed((field,), arguments, folder)
    folders = {path.rpartition("/")[0].rpartition("/")[2] for path in files(folder, str(arguments["glob"]))}
    return _globbed((field, HeaderField("label", "label", (), len(folders) or None)), arguments, folder)


def _records(arguments: Mapping[str, Any], statements: Any, folder: str) -> Header:
    from gendsl.check.headers import records

    pattern, label = str(arguments["glob"]), arguments.get("label")
    paths = list(files(folder, pattern))
    root = os.path.realpath(folder or ".")
    if not paths:
        unknown = (_UNKNOWN_IMAGE,) if label is None else (_UNKNOWN_IMAGE, _UNKNOWN_LABEL)
        return _absent(unknown, f'no file matches "{pattern}"', "", os.path.join(root, pattern))
    size = records.size_of(os.path.join(root, paths[0]), paths[0], str(arguments["image"]), label)
    fields = _image_fields(size, label is not None, None)
    return Header(fields, looked=os.path.join(root, pattern))


def _parquet(arguments: Mapping[str, Any], statements: tuple[Call, ...], folder: str) -> Header:
    from gendsl.check.headers import tables

    return tables.parquet_header(Call("parquet", arguments, statements), folder)


def _globbed(fields: tuple[HeaderField, ...], arguments: Mapping[str, Any], folder: str) -> Header:
    pattern = str(arguments["glob"])
    place = os.path.join(os.path.realpath(folder or "."), pattern)
    if next(files(folder, pattern), None) is None:
        return _absent(fields, f'no file matches "{pattern}"', "", place)
    return Header(fields, looked=place)


def _absent(fields: tuple[HeaderField, ...], warning: str, help: str, looked: str) -> Header:
    return Header(fields, known=False, warning=warning, help=help or f"looked in {looked}", looked=looked)


_READERS: Final[dict[str, Callable[[Mapping[str, Any], tuple[Call, ...], str], Header]]] = {
    "digits": _digits,
    "idx": _idx,
    "npz": _npz,
    "npy": _npy,
    "images": _images,
    "gaussians": _points,
    "ring": _points,
    "swiss_roll": _points,
    "tfds": _tfds,
    "csv": _csv,
    "parquet": _parquet,
    "text": _text,
    "midi": _midi,
    "audio": _sounds,
    "tfrecord": _records,
}
