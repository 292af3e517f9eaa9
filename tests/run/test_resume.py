"""Going on with a run as a user meets it: `gendsl resume`, `--fresh`, a changed spec, a stranger's folder."""

import json
import shutil
from pathlib import Path

import pytest
from terminal import Terminal
from test_processes import bits, finished
from test_run import metrics

import gendsl
from gendsl.lower.errors import UserError
from gendsl.run.recall import recalled
from tests.run.tiny_runs import TINY

# No scores: what is looked at is how runs go on.
QUICK = TINY[: TINY.index("evaluate")]


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `tiny.gen` and the run `part` of it, in which 30 of 60 steps are done."""
    folder = tmp_path_factory.mktemp("part")
    (folder / "tiny.gen").write_text(QUICK)
    code, said = finished(
        "run", "tiny.gen", "--set", "length=60 steps", "--out", "part", "--steps", "30", folder=folder
    )
    assert code == 0, said
    return folder


@pytest.fixture
def copy(part: Path, tmp_path: Path) -> Path:
    """A copy of that, to do with what one likes."""
    shutil.copytree(part, tmp_path / "copy")
    return tmp_path / "copy"


def events(run: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]


def test_a_run_goes_on_without_its_spec_to_the_same_bits(copy: Path) -> None:
    code, said = finished("run", "tiny.gen", "--out", "whole", folder=copy)
    assert code == 0, said
    (copy / "tiny.gen").write_text("experiment gone")
    code, said = finished("resume", "part", folder=copy)
    assert code == 0 and "30 steps were done before" in said and "gendsl resume part --steps 60" in said
    code, said = finished("resume", "part", "--steps", "60", folder=copy)
    assert code == 0 and "going on at step 30 of 60" in said, said
    assert bits(copy / "part", 60) == bits(copy / "whole", 60)
    assert metrics(copy / "part") == metrics(copy / "whole")
    code, said = finished("resume", "part", folder=copy)
    assert code == 0 and "60 steps were done before, and nothing is left to do" in said


def test_a_changed_spec_is_shown_and_goes_on_if_that_is_allowed(copy: Path) -> None:
    (copy / "tiny.gen").write_text(QUICK.replace("beta_1: 0.5", "beta_1: 0.9"))
    line = "update generator: optimizer adam beta_1 0.5 -> 0.9"
    again = ("run", "tiny.gen", "--out", "part", "--resume")
    code, said = finished(*again, folder=copy)
    assert code == 3 and f"\n  {line}\n" in said and "`gendsl resume part` goes on with the spec as it was" in said
    assert events(copy / "part")[-1]["event"] == "finished", "nothing was touched"
    code, said = finished(*again, "--allow-changes", "--steps", "35", folder=copy)
    assert code == 0 and f"\n  {line}\n" in said and "going on at step 30 of 35" in said, said
    run = copy / "part"
    assert "beta_1: 0.9" in (run / "spec.gen").read_text() and "beta_1: 0.5" in (run / "spec-1.gen").read_text()
    assert json.loads((run / "plan-1.json").read_text())["hash"] != json.loads((run / "plan.json").read_text())["hash"]
    changed = next(event for event in events(run) if event["event"] == "changed")
    assert changed["step"] == 30 and line in changed["differences"]
    # From here on it is a run of the changed spec, from whichever checkpoint it goes on.
    shutil.rmtree(run / "checkpoints" / "step-35")
    code, said = finished(*again, folder=copy)
    assert code == 0 and "going on at step 30 of 60" in said, said
    code, said = finished("sample", "part", "-n", "2", "-o", "samples", folder=copy)
    assert code == 0, said


def test_other_variables_are_named_one_by_one(copy: Path) -> None:
    (copy / "tiny.gen").write_text(QUICK.replace("dense 16 | leaky_relu 0.2", "dense 12 | leaky_relu 0.2"))
    before = (copy / "part" / "plan.json").read_bytes()
    code, said = finished("run", "tiny.gen", "--out", "part", "--resume", "--allow-changes", folder=copy)
    assert code == 3 and "other variables than the checkpoints in part" in said, said
    assert "discriminator/dense/kernel is 2x12, was 2x16\n" in said and "takes over the weights that fit" in said
    assert "generator/dense/kernel is" not in said
    assert (copy / "part" / "plan.json").read_bytes() == before and not list((copy / "part").glob("plan-*"))


def test_steps_and_checkpoints_may_change_freely(copy: Path) -> None:
    (copy / "tiny.gen").write_text(QUICK.replace("= 60 steps", "= 80 steps").replace("every: 20", "every: 10"))
    code, said = finished("run", "tiny.gen", "--out", "part", "--resume", folder=copy)
    assert (
        code == 0 and "train: length 60 steps -> 80 steps" in said and "checkpoint every 20 steps -> 10 steps" in said
    )
    assert "follow the length of the run" in said and "going on at step 30 of 80" in said, said
    assert {path.name for path in (copy / "part" / "checkpoints").iterdir()} == {"step-70", "step-80"}


def test_fresh_starts_anew_and_loses_nothing(copy: Path) -> None:
    before = bits(copy / "part", 30)
    code, said = finished("run", "tiny.gen", "--out", "part", "--fresh", "--steps", "2", folder=copy)
    assert code == 0 and "the run that was in part is now part.1" in said, said
    assert bits(copy / "part.1", 30) == before and (copy / "part" / "checkpoints" / "step-2").is_dir()


def test_in_a_terminal_a_person_is_asked(copy: Path) -> None:
    words = ("gendsl", "run", "tiny.gen", "--out", "part", "--steps", "31")
    with Terminal(*words, folder=copy, columns=80) as terminal:
        terminal.until(r"part holds a finished run of this spec: 30 of 30 steps\.")
        terminal.until(r"Go on with it\? \[Y/n\] ")
        terminal.type("n\r")
        terminal.until(r"Start anew, and keep that run as part\.1\? \[y/N\] ")
        terminal.type("\r")
        terminal.until("nothing was trained, and nothing was changed")
        assert terminal.end() == 3
    with Terminal(*words, folder=copy, columns=80) as terminal:
        terminal.until(r"Go on with it\? \[Y/n\] ")
        asked = len(terminal.text)
        terminal.type("what?\r")
        terminal.until(r"Go on with it\? \[Y/n\] ", since=asked)
        terminal.type("\r")
        terminal.until("going on at step 30 of 31")
        assert terminal.end() == 0


def test_a_strangers_folder_reads_no_files_of_other_folders(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import numpy as np

    mine = tmp_path / "mine"
    mine.mkdir()
    np.savez(mine / "secret.npz", x=np.zeros([64, 8, 8, 1], np.uint8))
    text = """experiment pictures
data { source npz("secret.npz", image: "x"); image range: -1..1; batch 8 }
network generator(z: normal(2)) -> image { dense 64 | reshape 8, 8, 1 | tanh }
train { update generator, with: sgd(1e-2) { minimize mean(l2(generator(), image)) }; steps 4 }
"""
    (mine / "pictures.gen").write_text(text)
    code, said = finished("run", "pictures.gen", "--out", "run", "--steps", "2", folder=mine)
    assert code == 0, said
    # Where its very spec lies, and in the folder of its data, it goes on from anywhere.
    monkeypatch.chdir(copy)
    assert recalled(mine / "run").project == str(mine)
    (mine / "pictures.gen").unlink()
    with pytest.raises(UserError, match="neither here nor holds that spec") as refused:
        recalled(mine / "run")
    assert "go to the folder that the data is in" in refused.value.help
    code, said = finished("resume", "../mine/run", folder=copy)
    assert code == 3 and str(mine) in said and "resume" in said
    code, said = finished("resume", "run", "--steps", "4", folder=mine)
    assert code == 0 and "going on at step 2 of 4" in said, said
    # A path that leaves the folder is refused by the check, as in any spec.
    spec = mine / "run" / "spec.gen"
    spec.write_text(text.replace("secret.npz", "../mine/secret.npz"))
    code, said = finished("resume", "run", folder=mine)
    assert code == 1 and "error[path_outside]" in said and "run/spec.gen" in said


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("environment.json", "{}", "environment.json is missing or damaged"),
        ("environment.json", '{"options": {"steps": "many"}}', "the options in environment.json cannot be read"),
        ("environment.json", '{"options": {"strategy": "two"}}', "`two` is not a strategy"),
        ("plan.json", "{}", "the plan in part/plan.json cannot be read"),
    ],
)
def test_a_damaged_folder_is_told_of(
    name: str, content: str, told: str, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gendsl.diagnostics import Problems
    from gendsl.run.recall import order_in

    monkeypatch.chdir(copy)
    (copy / "part" / name).write_text(content)
    with pytest.raises(UserError) as refused:
        order_in(recalled("part"), Problems())
    assert told in refused.value.message and refused.value.help


def test_what_the_bits_depend_on_is_compared(copy: Path) -> None:
    path = copy / "part" / "environment.json"
    record = json.loads(path.read_text())
    assert record["options"]["settings"] == {"length": "60 steps"} and record["XLA"] == "off"
    record |= {"oneDNN": "off", "replicas": 2}
    record["threads"]["threads of an operation"] = 64
    path.write_text(json.dumps(record))
    code, said = finished("resume", "part", "--steps", "31", folder=copy)
    assert code == 0 and "not bit for bit as if uninterrupted: replicas 1, was 2; threads of an operation " in said
    assert ", was 64; oneDNN on, was off\n" in said


def test_from_python(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy)
    outcome = gendsl.resume("part")
    assert (outcome.finished, outcome.step) == (True, 30)
    with pytest.raises(UserError, match="holds a finished run of this spec"):
        gendsl.train("tiny.gen", out="part", steps=30)
    with pytest.raises(ValueError, match="did you mean `mirrored`"):
        gendsl.train("tiny.gen", strategy="mirored")


def test_a_run_can_be_verified(copy: Path) -> None:
    code, said = finished("verify", "part", "--steps", "2", folder=copy)
    assert code == 0 and "the same, bit for bit, after step 4" in said, said
    assert len(events(copy / "part")) == 2, "the run itself is left alone"
