"""The page of a run: whatever stands in its folder, it tells what can be told, and nothing in it does anything."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import gendsl
from gendsl.cli import main
from gendsl.plan.record import record_of
from gendsl.report.curves import axis_of, chart, figure, running_mean, thinned
from gendsl.report.marking import listing, safe
from gendsl.report.page import duration, page_of
from gendsl.report.story import Series, story_of
from gendsl.run.folder import RunFolder

SPEC = Path(__file__).parents[2] / "specs" / "digits_gan.gen"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c6360000000020001e221bc330000000049454e44ae426082"
)
VOID = {"meta", "link", "img", "br"}


class Reader(HTMLParser):
    """Reads a page strictly: each tag that opens closes, and what it may not hold is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.said: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "data", "action", "xlink:href")]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.said.append(data)


def read(page: str) -> tuple[Reader, str]:
    """A page that was read, and its text; nothing in it asks for anything or does anything."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open and not reader.handlers
    assert not reader.tags & {"script", "iframe", "object", "embed", "form", "base"}
    assert all(link.startswith(("#", "data:")) for link in reader.links), reader.links
    assert "default-src 'none'" in page
    return reader, "".join(reader.said)


def lines(path: Path, *records: dict[str, Any]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run of the first spec that finished, as `gendsl run` leaves it."""
    folder = RunFolder(tmp_path / "run")
    folder.samples.mkdir(parents=True)
    folder.spec.write_text(SPEC.read_text())
    folder.plan.write_text(json.dumps(record_of(gendsl.load(SPEC))))
    folder.data.write_text(json.dumps({"sizes": {"train": 1617, "test": 180}, "class_counts": [3, 4]}))
    folder.environment.write_text(json.dumps({"python": "3.11", "options": {"steps": 600}}))
    lines(
        folder.metrics,
        *({"step": step, "generator/loss": step / 100, "learning_rate/a": 0.1} for step in range(10, 601, 10)),
        {"step": 300, "evaluation": 0, "fid_classifier#3fa9c1d2": 40.0, "seconds": 1.0},
        {"step": 600, "evaluation": 0, "fid_classifier#3fa9c1d2": 44.0, "seconds": 1.0},
    )
    lines(
        folder.events,
        {"step": 0, "event": "started", "time": "2026-01-01T00:00:00Z"},
        {"step": 450, "event": "monitor", "monitor": "overfit", "did": "warn"},
        {"step": 600, "event": "finished", "time": "2026-01-01T01:05:00Z"},
    )
    for name in ("step-0000000", "step-0000300", "grid-final"):
        (folder.samples / f"{name}.png").write_bytes(PNG)
    (folder.path / "scores.json").write_text(
        json.dumps({"contracts": {"3fa9c1d2": {"extractor": "classifier_a", "samples": 1234}}})
    )
    return folder


def test_a_run_that_finished_is_told_from_its_state_to_its_environment(folder: RunFolder) -> None:
    page = page_of(story_of(folder))
    reader, text = read(page)
    for told in ("digits_gan", "finished", "1 h 5 min", "fid_classifier", "3fa9c1d2", "1,617", "overfit", "3.11"):
        assert told in text, told
    assert "steps600" in text and "of 600" not in text
    assert "4040" not in text and "40 at 300" in text, "the best is the lowest"
    assert "classifier_a1,234" in text and "objective gan(loss: nonsaturating)" in text and "in all" in text
    assert [link.partition(",")[0] for link in reader.links if "png" in link] == ["data:image/png;base64"] * 3
    assert text.index("at the end") < text.index("step 300") < text.index("step 0")
    assert 'class="mark alarm"' in page


def test_scores_that_were_taken_later_are_told_with_their_intervals(folder: RunFolder) -> None:
    lines(
        folder.path / "evaluations.jsonl",
        {"step": 300, "evaluation": 0, "kid#aa": 0.5, "intervals": {"kid#aa": [0.25, 0.75]}, "seconds": 1.0},
        {"step": 600, STRANGE: 1.0, "intervals": {STRANGE: [None, "x"]}},
        {"step": 600, "a": 1.0, "intervals": 3},
    )
    _, text = read(page_of(story_of(folder)))
    assert "kid3000.50.25 to 0.75aa" in text


def test_the_command_writes_the_page_and_says_where(folder: RunFolder, capsys: Any) -> None:
    assert main(["report", str(folder.path)]) == 0
    assert f"{folder.shown}/report.html" in capsys.readouterr().out.splitlines()
    read(folder.report.read_text())
    assert main(["report", str(folder.path / "nowhere")]) == 3
    assert "there is no folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "unfinished"),
        (["started"], "unfinished"),
        (["started", "interrupted"], "interrupted"),
        (["started", "interrupted", "resumed", "phase"], "unfinished"),
        (["started", "diverged"], "diverged"),
        (["started", "finished"], "finished"),
        (["started", "finished", "resumed"], "unfinished"),
    ],
)
def test_what_became_of_a_run_is_the_last_that_was_told(folder: RunFolder, events: list[str], state: str) -> None:
    lines(folder.events, *({"step": 0, "event": event} for event in events))
    story = story_of(folder)
    assert story.state == state
    read(page_of(story))


def test_a_run_at_work_says_so(folder: RunFolder) -> None:
    from gendsl.run.folder import Lock

    lines(folder.events, {"step": 0, "event": "started"})
    lock = Lock(folder)
    assert story_of(folder).state == "running"
    lock.release()
    assert story_of(folder).state == "unfinished"


@pytest.mark.parametrize("missing", ["spec", "plan", "environment", "data", "metrics", "events"])
@pytest.mark.parametrize("content", [None, b"", b"[1]", b"\xff\xfe{", b'{"step": 1, "a": '])
def test_no_file_is_needed_and_none_is_believed(folder: RunFolder, missing: str, content: bytes | None) -> None:
    path: Path = getattr(folder, missing)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    read(page_of(story_of(folder)))


def test_metrics_that_were_cut_keep_all_that_was_whole(folder: RunFolder) -> None:
    content = folder.metrics.read_bytes()
    for end in range(len(content) - 300, len(content), 7):
        folder.metrics.write_bytes(content[:end])
        curve = next(one for one in story_of(folder).curves if one.name == "generator/loss")
        whole = [line for line in content[:end].split(b"\n") if line.endswith(b"}") and b"loss" in line]
        assert len(curve.points) == len(whole) >= 55
    folder.metrics.write_bytes(content[:2000] + b"\x00\xff" + content[2100:])  # and one torn in the middle
    assert len(story_of(folder).curves[0].points) in (57, 58, 59)


STRANGE = "</style><script>alert(1)</script><img src=http://x/y onerror=alert(1)>\"'&\x1b[31m\u202e"


def test_nothing_of_a_stranger_becomes_markup(folder: RunFolder) -> None:
    folder.spec.write_text(f'# {STRANGE}\nexperiment {STRANGE} "{STRANGE}\n{STRANGE} {{\n')
    folder.data.write_text(
        json.dumps(
            {
                "sizes": {STRANGE: STRANGE, "train": None},
                "class_names": [STRANGE, STRANGE],
                "class_counts": [1, 2],
                "sources": [{STRANGE: {STRANGE: [STRANGE]}}, 3, None],
            }
        )
    )
    folder.environment.write_text(json.dumps({STRANGE: STRANGE, "options": STRANGE}))
    lines(
        folder.metrics,
        {"step": 1, STRANGE: 1.0, f"learning_rate/{STRANGE}": 2, f"{STRANGE}/loss": 3},
        {"step": 2, STRANGE: 2.0},
        {"step": 1, "evaluation": 0, f"{STRANGE}#{STRANGE}": 3.0},
        {"step": 2, "evaluation": 0, f"{STRANGE}#{STRANGE}": 3.0},
    )
    lines(folder.events, {"step": 1, "event": STRANGE, "time": STRANGE, STRANGE: {STRANGE: STRANGE}})
    (folder.path / "scores.json").write_text(
        json.dumps({"contracts": {STRANGE: {STRANGE: STRANGE, "extractor": STRANGE}, "b": STRANGE}})
    )
    (folder.samples / "step-0000001-<b>.png").write_bytes(PNG)
    (folder.samples / "step-0000002.txt").write_text(STRANGE)
    (folder.samples / "step-0000003.png").write_bytes(b"<svg onload=alert(1)>")
    page = page_of(story_of(folder))
    reader, text = read(page)
    assert "\x1b" not in page and "\u202e" not in page
    assert text.count("<script>alert(1)</script>") > 10, "it is told, as text"
    assert not any("svg" in link.lower() for link in reader.links)


@pytest.mark.parametrize(
    "value", [10**400, -(10**400), 1e308, -1e308, 5e-324, 0, -0.0, True, None, "x", [1], {"a": 1}, float("nan")]
)
def test_any_value_and_any_step_of_a_metric_can_stand_there(folder: RunFolder, value: Any) -> None:
    folder.metrics.write_text(
        json.dumps({"step": 1, "a": value, "b": 1.5})
        + "\n"
        + json.dumps({"step": 2, "a": 1.0, "b": value, "c": value})
        + "\n"
        + json.dumps({"step": value, "a": 2.0})
        + "\n"
        + json.dumps({"step": 3, "evaluation": 0, "fid": value})
        + "\n"
    )
    read(page_of(story_of(folder)))


def test_a_folder_without_anything_but_a_plan_is_told(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text("{}")
    assert main(["report", str(tmp_path)]) == 0
    _, text = read((tmp_path / "report.html").read_text())
    assert "cannot be read" in text


def test_of_many_pictures_some_are_shown_and_the_first_and_last_always(folder: RunFolder) -> None:
    for step in range(1, 100):
        (folder.samples / f"step-{step:07}.png").write_bytes(PNG)
    (folder.samples / "step-0000050.png").write_bytes(PNG + b"\0" * 30_000_000)
    reader, text = read(page_of(story_of(folder)))
    assert 10 <= sum("png" in link for link in reader.links) <= 12
    assert "step 0" in text and "at the end" in text


def test_axes_have_round_marks_around_their_values() -> None:
    axis = axis_of([0.31, 0.9, 0.55])
    assert not axis.logarithmic and axis.low < 0.31 and axis.high > 0.9
    assert [round(mark, 9) for mark in axis.marks] == [0.4, 0.6, 0.8] or len(axis.marks) >= 3
    for values in ([5.0], [0.0, 0.0], [-3.0], [], [1e-300, 1e299], [-1e299, 1e299], [2.0, 2.0 + 1e-12]):
        axis = axis_of(values)
        assert axis.low < axis.high and 1 <= len(axis.marks) <= 12
    assert axis_of([10.0**-power for power in range(6)]).logarithmic
    assert axis_of([0.0, 600.0], whole=True, tight=True).marks[-1] == 600


def test_a_spike_does_not_flatten_a_curve_and_is_told() -> None:
    values = [1 + (step % 7) / 10 for step in range(500)]
    values[3] = 1e9
    series = Series("loss", tuple(enumerate(values)))
    assert axis_of(values).high < 3
    assert "1 value lies outside" in chart("loss", [series], (), steps=500)


def test_a_long_curve_is_thinned_to_its_lows_and_highs_and_keeps_its_gaps() -> None:
    points = [(step, None if step == 5_000 else float(step % 100)) for step in range(10_000)]
    found = thinned(points)
    assert len(found) <= 420 and None in [value for _, value in found]
    assert {0.0, 99.0} <= {value for _, value in found}
    assert [step for step, _ in found] == sorted(step for step, _ in found)


def test_a_running_mean_is_level_where_its_series_is_and_forgets_a_spike() -> None:
    points = [(step, 1e30 if step == 400 else 1.0) for step in range(1_000)]
    assert all(value == 1.0 for step, value in running_mean(points) if abs(step - 400) > 15)


def test_one_line_stands_for_curves_that_are_the_same() -> None:
    same = tuple((step, 0.1) for step in range(5))
    drawn = chart("learning rate", [Series("a", same), Series("b", same)], (), steps=5, legend=True)
    assert drawn.count('class="line') == 1 and "a, b" in drawn


def test_figures_are_short() -> None:
    told = {0: "0", 0.0002: "0.0002", 12.5: "12.5", -1234: "-1,234", 1.2e-7: "1.2e-7", 3e9: "3e9", 0.123456: "0.1235"}
    assert {value: figure(value) for value in told} == told
    assert [duration(seconds) for seconds in (42, 200, 18_420, 187_200)] == [
        "42 s",
        "3 min 20 s",
        "5 h 7 min",
        "2 d 4 h",
    ]


def test_a_listing_is_the_text_with_marks_around_parts_of_it() -> None:
    text = SPEC.read_text() + 'source text("a<b")  # <i>\n'
    marked = listing(text)
    assert re.sub(r"</?span[^>]*>", "", marked) == safe(text)
    assert '<span class="comment"># &lt;i&gt;</span>' in marked and '<span class="number">2_000</span>' in marked
