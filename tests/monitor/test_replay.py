"""`gendsl replay` as a user meets it: files of many programs, read as they are; what fires, and what is left out."""

import json
import math
from pathlib import Path

import pytest

from gendsl.cli import main
from gendsl.lower.errors import UserError
from gendsl.monitor.names import column_of, of_log, of_scores
from gendsl.monitor.recorded import recorded
from gendsl.vocabulary.score_keys import plain

FALLS = [300 / (1 + index) + 10 for index in range(20)]
COLLAPSED = [*FALLS, *[250.0 + index for index in range(10)]]


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def csv(header: str, values: list[float], steps: int = 1000) -> str:
    rows = [f"{index * steps},{'' if value is None else value}" for index, value in enumerate(values)]
    return "\n".join([header, *rows]) + "\n"


def replay(capfd: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    code = main(["replay", *map(str, words)])
    said, warned = capfd.readouterr()
    return code, said, warned


def test_the_default_alarms_on_a_collapse_and_on_a_healthy_run(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = write(tmp_path / "bad.csv", csv("step,FID", COLLAPSED))
    code, said, warned = replay(capfd, bad, "--monitor", "default")
    assert code == 0 and "step 23,000: `worse` fires, stop" in said and "would have ended at step 23,000" in said
    assert "`collapse` is never checked: there is no column for `diversity`" in warned
    good = write(tmp_path / "good.csv", csv("step,FID", [*FALLS, *[10.2, 9.9, 25, 10.1, 9.8] * 3]))
    code, said, _ = replay(capfd, good, "--monitor", "default")
    assert code == 0 and "nothing fires" in said


def test_json_tells_all(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    spec = write(tmp_path / "m.gen", "param limit = 200\nmonitor {\n  worse when: fid > limit, for: 2 checks\n}\n")
    bad = write(tmp_path / "bad.csv", csv("itr,metrics/fid", COLLAPSED))
    code, said, _ = replay(capfd, bad, "--monitor", spec, "--format", "json")
    found = json.loads(said)
    assert code == 0 and found["stopped_at"] == 21000 and found["columns"] == {"fid": "metrics/fid"}
    (firing,) = found["firings"]
    assert (firing["monitor"], firing["step"], firing["do"], firing["values"]) == ("worse", 21000, "stop", {"fid": 251})
    code, said, _ = replay(capfd, bad, "--monitor", spec, "--set", "limit=1000", "--format", "json")
    assert json.loads(said)["firings"] == [] and json.loads(said)["stopped_at"] is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ada.jsonl", '{{"results": {{"fid50k_full": {v}}}, "snapshot_pkl": "network-snapshot-{s:06}.pkl"}}'),
        ("biggan.jsonl", '{{"itr": {s}, "IS_mean": 5.0, "FID": {v}, "_stamp": 1.5}}'),
        ("table.tsv", "{s}\t{v}\t0.7"),
        ("german.csv", "{s};{v};0,7"),
        ("spaces.txt", "{s}   {v} 0.7"),
    ],
)
def test_the_logs_of_other_programs(name: str, text: str, tmp_path: Path) -> None:
    heads = {"table.tsv": "kimg\tfid50k_full\td_loss\n", "german.csv": "epoch;FID;D\n", "spaces.txt": "tick fid loss\n"}
    lines = [text.format(s=10 * index, v=value) for index, value in enumerate(FALLS)]
    if name == "german.csv":
        lines = [line.replace(".", ",") for line in lines]
    found = recorded(write(tmp_path / name, heads.get(name, "") + "\n".join(lines) + "\n"))
    assert [step for step, _ in found.rows] == list(range(0, 200, 10)) and found.notes == ()
    column = column_of("fid", found.columns)
    assert column is not None and [row[column] for _, row in found.rows] == pytest.approx(FALLS)


def test_a_list_of_records_is_read(tmp_path: Path) -> None:
    records = [{"epoch": index // 10, "iteration": index, "loss_dis": 0.5} for index in range(30)]
    found = recorded(write(tmp_path / "log", json.dumps(records)))
    assert found.step == "iteration" and len(found.rows) == 30, "the one with the most different numbers"
    assert column_of("discriminator_loss", found.columns) == "loss_dis"


def test_what_cannot_be_read_is_left_out_and_noted(tmp_path: Path) -> None:
    text = "step,fid,note\n# a comment\n2,20,x\n1,10,\n1,11,y\n,5,z\n3,,nan\n4,nan,\n5,12,3,4\n6,1"
    found = recorded(write(tmp_path / "a.csv", text))
    assert [step for step, _ in found.rows] == [1, 2, 3, 4, 5]
    assert found.rows[0][1]["fid"] == 11 and math.isnan(found.rows[3][1]["fid"]) and "fid" not in found.rows[2][1]
    notes = "; ".join(found.notes)
    for part in (
        "the last row is cut",
        "no step, left out",
        "more than once",
        "not in order, and sorted",
        "number of cells",
    ):
        assert part in notes
    lines = '{"step": 1, "fid": 3}\nnonsense\n[1]\n{"step": 2, "fid": NaN}\n{"step": 3, "fi'
    found = recorded(write(tmp_path / "a.jsonl", lines))
    assert [step for step, _ in found.rows] == [1, 2]
    assert "the last line is cut, and left out: line 5" in found.notes and "no JSON, left out: line 2" in found.notes


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no values"),
        ("1,2\n3,4\n", "has no header"),
        ("step,fid\n", "holds no values"),
        ("step,name\n1,a\n2,b\n", "holds no numbers"),
        ("[1, 2", "is no JSON"),
        ("\x00\x01\x02", "holds no"),
    ],
)
def test_a_file_that_is_none(text: str, told: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "a.csv", text)
    with pytest.raises(UserError, match=told):
        recorded(path)
    code, _, warned = replay(capfd, path, "--monitor", "default")
    assert code == 3 and "help:" in warned and "Traceback" not in warned


def test_alarms_that_read_what_the_file_has_not(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    spec = write(tmp_path / "m.gen", "monitor { worse when: kid > 3 }\n")
    bad = write(tmp_path / "bad.csv", csv("step,FID", COLLAPSED))
    code, _, warned = replay(capfd, bad, "--monitor", spec)
    assert code == 3 and "no alarm can be checked: `kid` is not in the file" in warned and "FID" in warned
    spec.write_text("monitor { worse when: kid > }\n")
    code, _, warned = replay(capfd, bad, "--monitor", spec)
    assert code == 1 and "error[" in warned
    code, _, warned = replay(capfd, tmp_path / "none.csv", "--monitor", "default")
    assert code == 3 and "cannot be read" in warned


def test_numbers_that_cease_to_be_numbers(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    losses: list[float] = [0.7, 0.6, math.nan, 0.7, 0.6, *[math.nan] * 6]
    path = write(tmp_path / "a.csv", csv("step,d_loss", losses, steps=1))
    code, said, _ = replay(capfd, path, "--monitor", "default", "--format", "json")
    assert code == 0 and [(f["monitor"], f["step"]) for f in json.loads(said)["firings"]] == [("diverged", 6)]
    sparse = [5.0 if index % 4 == 0 else math.nan for index in range(30)]
    path.write_text(csv("step,fid", sparse, steps=1))
    assert json.loads(replay(capfd, path, "--monitor", "default", "--format", "json")[1])["firings"] == []


def test_what_stands_for_no_score(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    gaps = [value if index % 5 == 0 else -1.0 for index, value in enumerate(FALLS * 3)]
    path = tmp_path / "a.csv"
    filled = [FALLS[index // 6] if index < 120 else 11.0 for index in range(124)]
    filled[60:66] = [500.0] * 6  # one bad evaluation, written six times
    for values, note in ((gaps[:20], "0 or less in 16 rows"), (filled, "is repeated from row to row: its 21 changes")):
        path.write_text(csv("step,fid", values))
        code, said, warned = replay(capfd, path, "--monitor", "default")
        assert code == 0 and "nothing fires" in said and note in warned, (said, warned)


def test_a_runs_own_metrics(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    lines = []
    for step in range(10, 310, 10):
        lines.append({"step": step, "critic/loss": -0.5, "learning_rate/critic": 1e-4})
        lines.append({"step": step, "evaluation": 1, "fid_lite0#aa": 1.0, "seconds": 3})
        lines.append(
            {"step": step, "evaluation": 0, "fid_lite0#3fa9c1d2": 250.0 if step > 200 else 900 / step, "seconds": 3}
        )
    run = tmp_path / "run"
    run.mkdir()
    write(run / "metrics.jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    spec = write(tmp_path / "m.gen", "monitor { worse when: fid > 100 and critic_loss < 0 }")
    code, said, _ = replay(capfd, run, "--monitor", spec, "--format", "json")
    (firing,) = json.loads(said)["firings"]
    assert code == 0 and firing["step"] == 210, "two blocks score it, and the first counts though it comes later"


def test_names() -> None:
    assert plain("fid_classifier#3fa9c1d2") == "fid" and plain("diversity") == "diversity"
    assert plain("precision_lite0/a#3fa9c1d2") == "precision/a" and plain("inception_score#1") == "inception_score"
    assert of_log({"critic/loss": 1.0, "learning_rate/critic": 2.0, "ada/p": 0.5, "step": 3}) == {
        "critic_loss": 1.0,
        "critic_learning_rate": 2.0,
        "ada_p": 0.5,
    }
    assert of_scores({"diversity/a": 0.2, "diversity/b": 0.4, "modes": 3}) == {
        "diversity": pytest.approx(0.3),
        "modes": 3,
    }
    columns = ("fid_std", "best_fid", "val/FID", "FID_time", "Loss/G", "KID")
    assert column_of("fid", columns) == "val/FID" and column_of("kid", columns) == "KID"
    assert column_of("generator_loss", columns) == "Loss/G" and column_of("diversity", columns) is None
    assert column_of("inception_score", ("IS_std", "IS_mean")) == "IS_mean"
