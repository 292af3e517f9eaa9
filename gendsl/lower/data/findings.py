"""Loaded sources and their leaks in, what a person is to know of them out: warnings, and the lists beside data.json."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gendsl.lower.data.leaks import Leaks
from gendsl.lower.data.loaded import LeftOut, Loaded

DROPPED, LEAKS = "dropped.csv", "leaks.csv"
_SHOWN = 3

Listed = tuple[tuple[str, LeftOut], ...]  # each with the name of its source


@dataclass(frozen=True)
class Findings:
    """What was left out, which examples outside training stand in it too and are still there, and what to warn of."""

    left_out: Listed = ()
    leaked: Listed = ()
    warnings: tuple[str, ...] = ()

    @property
    def files(self) -> dict[str, str]:
        """CSV lists by the names of their files: dropped.csv and leaks.csv, where they hold anything."""
        found = {DROPPED: self.left_out, LEAKS: self.leaked}
        return {name: _table(listed) for name, listed in found.items() if listed}


def findings_of(sources: Mapping[str, Loaded], leaks: Mapping[str, Mapping[str, Leaks]], dropped: bool) -> Findings:
    """What was found in sources by name; their `leaks` by split are `dropped` already, or are to be warned of."""
    left_out = tuple((name, one) for name, loaded in sources.items() for one in loaded.left_out)
    warnings = [told for loaded in sources.values() for told in loaded.warnings]
    if dropped:
        return Findings(left_out, warnings=tuple(warnings))
    warnings += [_told(name, split, found) for name, own in leaks.items() for split, found in own.items()]
    leaked = tuple((name, one) for name, own in leaks.items() for found in own.values() for one in found.listed)
    return Findings(left_out, leaked, tuple(warnings))


def _told(source: str, split: str, found: Leaks) -> str:
    which = ", ".join(f"{one.example} as {one.repeats}" for one in found.listed[:_SHOWN])
    more = ", …" if len(found.listed) > _SHOWN else ""
    place = f"`{split}` of `{source}`" if source else f"`{split}`"
    stand = "stand in `train` too" if found.stretches is None else "hold a stretch that stands in `train` too"
    return (
        f"{len(found.listed):,} of the {found.among:,} examples of {place} {stand} ({found.told}): "
        f"{which}{more}. They make scores on `{split}` too good; `curate {{ drop leaks }}` leaves them out"
    )


def _table(listed: Iterable[tuple[str, LeftOut]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("source", *LeftOut._fields))
    writer.writerows((source, *one) for source, one in listed)
    return out.getvalue()
