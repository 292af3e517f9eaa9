"""The model card: what it tells and says not to know, as the Hub and as a browser read it, whatever a spec says."""

import json
from pathlib import Path

import pytest
import yaml
from carded import run_folder
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from gendsl.export.card.markdown import escaped
from gendsl.export.card.write import write_card
from gendsl.export.chain import origin_of
from gendsl.run.folder import RunFolder

CARD = 'summary "Small digits."; licence "Apache-2.0"; data_licence "CC BY 4.0"; require summary'
SCORES = {30: {"memorized_pixels#aa": 0.01, "diversity#bb": 0.5}}
EVIL = r"</title><script>alert(1)</script> ![x](http://e.example/p.png) [a](javascript:b) `c` <img src=x> | d | --- $e$"


def card(run: Path, step: int = 30, into: Path | None = None, notes: tuple[str, ...] = ()) -> str:
    folder = RunFolder(run)
    place = into or run
    place.mkdir(exist_ok=True)
    write_card(folder, place, origin=origin_of(run, folder.checkpoints / f"step-{step}"), notes=notes)
    return (place / "card.md").read_text()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return run_folder(tmp_path / "run", card=CARD, export="refuse when: memorized > 5%", scores=SCORES)


def test_the_hub_reads_its_metadata_and_results(run: Path) -> None:
    read = ModelCard(card(run))
    assert read.data.license == "apache-2.0" and read.data.library_name == "gendsl"
    assert read.data.pipeline_tag == "unconditional-image-generation" and read.data.datasets == ["digits"]
    results = {one.metric_type: one.metric_value for one in read.data.eval_results}
    assert read.data.model_name == "carded" and results == {"memorized": 0.01, "diversity": 0.5}


def test_what_is_known_is_told_and_what_is_not_is_said_to_be_unknown(run: Path) -> None:
    text = card(run)
    assert "**summary:** Small digits." in text
    assert "**contact:** not known: nobody said it" in text and "**copied:** not measured at step 30" in text
    assert "**SHA-256 of the content:** `" + "5" * 64 in text and "**left out:** damaged 2" in text
    assert "| memorized\\_pixels | 1.0 % | not estimated | pixels | 100 | test | `aa` |" in text
    assert "**not exported where:** `memorized > 5%`" in text and "**at step 30:** does not hold" in text
    assert (
        "**processor time of the whole run:** 1 min 40 s" in text
        and "**wall time of the whole run:** 1 min 10 s" in text
    )
    assert "**energy:** not known" in text and "](<samples/grid-final.png>)" in text
    assert origin_of(run, run / "checkpoints" / "step-30").head in text


def test_it_is_of_the_checkpoint_that_it_is_asked_for(run: Path) -> None:
    text = card(run, step=20)
    assert "No score was taken at step 20" in text and "--checkpoint 20`" in text
    assert "samples after 20 steps" in text and "](<samples/step-20.png>)" in text
    assert "model-index" not in text


def test_intervals_that_were_taken_later_are_told(run: Path) -> None:
    record = {"step": 30, "evaluation": 0, "memorized_pixels#aa": 0.01, "intervals": {"memorized_pixels#aa": [0, 0.02]}}
    (run / "evaluations.jsonl").write_text(json.dumps(record) + "\n")
    assert "| 1.0 % | 0.0 % to 2.0 % |" in card(run)


def test_an_export_tells_with_what_it_was_let_pass(run: Path, tmp_path: Path) -> None:
    text = card(run, into=tmp_path / "1", notes=("`x > 1` holds", "overridden: for *the* workshop"))
    assert "**exported against the gate:** overridden: for \\*the\\* workshop" in text
    assert "shown in `card.html`" in text and "samples/" not in text
    page = (tmp_path / "1" / "card.html").read_text()
    assert "overridden: for *the* workshop" in page and "data:image/png;base64," in page
    before = {path.name: path.read_bytes() for path in (tmp_path / "1").iterdir()}
    card(run, into=tmp_path / "1", notes=("`x > 1` holds", "overridden: for *the* workshop"))
    assert {path.name: path.read_bytes() for path in (tmp_path / "1").iterdir()} == before
    assert str(tmp_path) not in text.replace(str(run), "") + page.replace(str(run), "")


def test_no_text_of_a_spec_is_markup_or_metadata(tmp_path: Path) -> None:
    evil = EVIL.replace("\\", "\\\\").replace('"', '\\"')
    run = run_folder(
        tmp_path / "run",
        card=f'summary "{evil}"; licence "{evil}: [\\n---\\nlicense: mit"; contact "1. {evil}"; authors "# a"',
        class_names=[EVIL, "\x1b[31m"],
        sources=[{"word": EVIL, "licence": f"{EVIL}\n# heading\n---\n", "splits": {EVIL: 1}}],
        scores=SCORES,
    )
    text = card(run)
    front, body = text.split("\n---\n", 1)
    data = yaml.safe_load(front.removeprefix("---\n"))
    assert data["license"] == "other" and data["license_name"].startswith(EVIL)
    html = MarkdownIt("gfm-like", {"linkify": False}).render(body)
    assert "<script" not in html and "<img src=x" not in html and 'href="javascript' not in html
    assert html.count("<img") == 1 and "<a " not in html and "heading</h1>" not in html and "<hr" not in html
    assert EVIL.replace("<", "&lt;").replace(">", "&gt;") in html, "what was written is read"
    page = (run / "card.html").read_text()
    assert "<script" not in page and "<img src=x" not in page and "\x1b" not in text + page


@pytest.mark.parametrize(
    "text", ["1. a", "- a", "# a", "> a", "--- a", "===", "a  b", "*a*", "a_b_c", "&lt;", "3.5", "~~a~~"]
)
def test_an_escaped_text_reads_as_itself(text: str) -> None:
    html = MarkdownIt("gfm-like", {"linkify": False}).render(escaped(text))
    shown = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert html == f"<p>{shown}</p>\n"


@pytest.mark.parametrize("name", ["data.json", "environment.json", "scores.json", "metrics.jsonl", "events.jsonl"])
@pytest.mark.parametrize(
    "content", ["", "[]", '{"sources": 3, "packages": [], "contracts": []}', "\x00", '{"sources": [3, {}]}']
)
def test_a_damaged_run_still_has_a_card(name: str, content: str, run: Path) -> None:
    (run / name).write_text(content)
    assert "## Provenance" in card(run)
