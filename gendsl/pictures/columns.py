"""Cells of samples and of data in, pictures of their columns out: histograms over each other, maps of correlations."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gendsl.evaluate.tables.alike import column_pairs, column_shapes, correlation
from gendsl.evaluate.tables.cells import Cells, Codes, count_of, is_category, places_of
from gendsl.lower.tables.categories import Categories
from gendsl.lower.tables.table import Column
from gendsl.pictures.captions import with_captions
from gendsl.pictures.looks import Text, table_text
from gendsl.run.pictures import Pixels

MOST_COLUMNS = 36
_WIDTH, _HEIGHT, _GAP = 180, 90, 8
_BINS, _MOST_CATEGORIES = 30, 30
_REAL, _MADE, _BOTH = (205, 205, 205), (140, 175, 240), (31, 90, 200)
_NONE = 235  # the grey of what is not defined
_MAP = 300  # pixels of a map's side, about


def histograms(samples: Cells, data: Cells) -> Pixels:
    """A panel for each of the first 36 columns, under its name and how alike it is: the data in grey, samples in light
    blue, what both have in dark blue. Missing cells are the last bar, where there are any."""
    alike = column_shapes(samples, data)
    panels = []
    for place, column in enumerate(data.columns[:MOST_COLUMNS]):
        shares = [_shares(column, cells.codes[:, place], data.codes[:, place]) for cells in (samples, data)]
        value = alike[column.name]
        told = column.name if math.isnan(value) else f"{column.name}  {100 * value:.0f} %"
        panels.append(with_captions(_framed(_bars(*shares)), (told,)))
    return _sheet(panels, columns=min(len(panels), 4))


def maps(samples: Cells, data: Cells) -> Pixels | None:
    """Three maps of pairs of columns: the data's correlations, the samples', from blue (-1) over white to red (1), and
    how alike each pair is, from white (same) to red. Categories without an order have no correlation: they are grey.

    None for a table of one column."""
    if len(data.columns) < 2:
        return None
    found = [_correlations(cells) for cells in (data, samples)]
    different = 2 * (1 - column_pairs(samples, data))
    tiles = [
        with_captions(_framed(_heat(values)), (told,))
        for told, values in (("data", found[0]), ("samples", found[1]), ("difference of pairs", different))
    ]
    return np.concatenate(tiles, axis=1)


def figures(samples: Cells, data: Cells) -> Text:
    """A line for each column: what it is, how alike, and of numbers the mean and deviation of both, of categories the
    most frequent of each with its share."""
    alike = column_shapes(samples, data)
    rows = [
        [
            column.name,
            column.kind,
            f"{100 * alike[column.name]:.1f} %",
            _told(column, data.codes[:, place]),
            _told(column, samples.codes[:, place]),
        ]
        for place, column in enumerate(data.columns)
    ]
    return table_text(["column", "kind", "alike", "data", "samples"], rows)


def _told(column: Column, codes: Codes) -> str:
    known = codes[~np.isnan(codes)]
    missing = f", {100 * (1 - len(known) / len(codes)):.1f} % missing" if len(known) < len(codes) else ""
    if not len(known):
        return "all missing"
    if isinstance(column.cells, Categories):
        counts = np.bincount(known.astype(int))
        most = int(counts.argmax())
        return f"{column.cells.names[most]} {100 * counts[most] / len(codes):.1f} %{missing}"
    if column.kind == "datetime":
        return f"{column.cells.text(float(known.mean()))} on average{missing}"
    return f"{known.mean():.4g} ± {known.std():.4g}{missing}"


def _shares(column: Column, codes: Codes, data: Codes) -> NDArray[np.float64]:
    """The shares of the bins of a column, which the data sets."""
    if is_category(column):
        places = places_of(column, codes)
        order = np.argsort(-np.bincount(places_of(column, data), minlength=count_of(column)), kind="stable")
        counts = np.bincount(places, minlength=count_of(column))[order][:_MOST_CATEGORIES]
        return np.asarray(counts / max(1, len(codes)))
    known = data[~np.isnan(data)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    counts = np.histogram(codes[~np.isnan(codes)], bins=_BINS, range=(low, high if high > low else low + 1))[0]
    missing = [int(np.isnan(codes).sum())] if np.isnan(data).any() else []
    return np.asarray(np.array([*counts, *missing]) / max(1, len(codes)))


def _bars(made: NDArray[np.float64], real: NDArray[np.float64]) -> Pixels:
    """Bars of two lists of shares, over each other."""
    sheet = np.full((_HEIGHT, _WIDTH, 3), 255, np.uint8)
    most = max(float(made.max(initial=0)), float(real.max(initial=0)), 1e-9)
    edges = np.linspace(0, _WIDTH, len(real) + 1).round().astype(int)
    for number, pair in enumerate(zip(made, real, strict=True)):
        tops = [_HEIGHT - round(share / most * (_HEIGHT - 2)) for share in pair]
        where = slice(edges[number], max(edges[number] + 1, edges[number + 1] - 1))
        sheet[min(tops) :, where] = _MADE if tops[0] < tops[1] else _REAL
        sheet[max(tops) :, where] = _BOTH
    return sheet


def _correlations(cells: Cells) -> NDArray[np.float64]:
    many = len(cells.columns)
    found = np.full((many, many), np.nan)
    ordered = [place for place, column in enumerate(cells.columns) if column.kind != "categorical"]
    for one in ordered:
        for other in ordered:
            found[one, other] = correlation(cells.codes[:, one], cells.codes[:, other])
    return found


def _heat(values: NDArray[np.float64]) -> Pixels:
    """A matrix in -1..1 as squares: blue, white, red; grey where it is not defined."""
    side = max(1, _MAP // len(values))
    away = np.clip(np.nan_to_num(values), -1, 1)[..., None]
    red, blue = np.array([178, 24, 43]), np.array([33, 102, 172])
    colours = 255 + np.where(away > 0, away * (red - 255), -away * (blue - 255))
    colours = np.where(np.isnan(values)[..., None], _NONE, colours).round().astype(np.uint8)
    return np.asarray(colours.repeat(side, axis=0).repeat(side, axis=1))


def _framed(sheet: Pixels) -> Pixels:
    return np.pad(sheet, ((0, _GAP), (_GAP, _GAP), (0, 0)), constant_values=255)


def _sheet(panels: Sequence[Pixels], columns: int) -> Pixels:
    blank = np.full_like(panels[0], 255)
    padded = [*panels, *[blank] * (-len(panels) % columns)]
    rows = [np.concatenate(padded[start : start + columns], axis=1) for start in range(0, len(padded), columns)]
    return np.concatenate(rows)
