"""A plan, its data and its scores in, the metadata of a model card out, as the Hugging Face Hub defines it.

https://github.com/huggingface/hub-docs/blob/main/modelcard.md
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from gendsl.export.card.scoring import Taken
from gendsl.plan.plan import Plan

_LICENCES = (
    "apache-2.0",
    "mit",
    "bsd-2-clause",
    "bsd-3-clause",
    "bsd-3-clause-clear",
    "cc0-1.0",
    "cc-by-4.0",
    "cc-by-3.0",
    "cc-by-2.0",
    "cc-by-sa-4.0",
    "cc-by-sa-3.0",
    "cc-by-nc-4.0",
    "cc-by-nd-4.0",
    "cc-by-nc-sa-4.0",
    "cc-by-nc-nd-4.0",
    "gpl-2.0",
    "gpl-3.0",
    "lgpl-2.1",
    "lgpl-3.0",
    "agpl-3.0",
    "mpl-2.0",
    "epl-2.0",
    "isc",
    "unlicense",
    "wtfpl",
    "zlib",
    "openrail",
    "bigscience-openrail-m",
    "creativeml-openrail-m",
    "ms-pl",
    "pddl",
    "odc-by",
)
_PIPELINES = {"image": "unconditional-image-generation", "text": "text-generation"}
_DATASET = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,95}")
_NAMED = ("tfds", "digits")  # sources whose name is that of a data set others know


def family_of(plan: Plan) -> str:
    """What a plan's samples are: image, text, music, table, points or array."""
    kinds = [field.kind for field in plan.data.fields if not field.drawn]
    music = any(source.call.word in ("midi", "music") for source in plan.data.sources)
    found = {"image": "image", "text": "music" if music else "text", "row": "table", "point": "points"}
    return next((found[kind] for kind in kinds if kind in found), "array")


def metadata_of(
    plan: Plan, data: Mapping[str, Any], taken: Sequence[Taken], said: Mapping[str, str]
) -> Mapping[str, Any]:
    """The block of metadata; what is not known has no entry, as the Hub has it."""
    family = family_of(plan)
    task = _PIPELINES.get(family)
    named = _data_sets(plan)
    known = {
        **_licence(said.get("licence", "")),
        "library_name": "gendsl",
        "tags": ["gendsl", "tensorflow", "keras", "generative", family],
        **({"pipeline_tag": task} if task else {}),
        **({"datasets": named} if named else {}),
    }
    if not taken:
        return known
    metrics = list(dict.fromkeys(one.name for one in taken))
    data_set = {"type": named[0] if named else "other", "name": _data_name(plan, named)}
    results = {
        "task": {"type": task or "other"},
        "dataset": data_set,
        "metrics": [
            {"type": one.name, "name": one.key, "value": one.value}
            | ({"args": {"interval_95": list(one.interval)}} if one.interval is not None else {})
            for one in taken
        ],
    }
    return {**known, "metrics": metrics, "model-index": [{"name": plan.experiment, "results": [results]}]}


def _licence(text: str) -> Mapping[str, str]:
    """`license` by the Hub's own names, which are SPDX's in small letters; else `other` with the name as it is said."""
    if not text:
        return {}
    name = "-".join(text.lower().split())
    return {"license": name} if name in _LICENCES else {"license": "other", "license_name": text}


def _data_sets(plan: Plan) -> list[str]:
    """Data sets by names that others know; files of one's own have none."""
    found = []
    for source in plan.data.sources:
        if source.call.word in _NAMED:
            name = str(source.call.arguments.get("name") or source.call.word).partition(":")[0].partition("/")[0]
            found += [name] if _DATASET.fullmatch(name) else []
    return list(dict.fromkeys(found))


def _data_name(plan: Plan, named: Sequence[str]) -> str:
    return named[0] if named else ", ".join(dict.fromkeys(source.call.word for source in plan.data.sources))
