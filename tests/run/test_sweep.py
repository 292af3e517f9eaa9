"""`gendsl sweep`: what is searched, what a sweep goes on from, and how its trials are ranked."""

import json
import math
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gendsl.lower.errors import UserError
from gendsl.plan.plan import Call
from gendsl.run.folder import RunFolder, plan_in, read_lines
from gendsl.sweep import trials
from gendsl.sweep.search import Search, Span, Trial, search_of
from gendsl.sweep.trials import Sweep, best_of, swept
from tests.run.tiny_runs import planned

SPEC = """experiment swept
param rate = 1e-3
param width = 8
param smooth = on
data { source gaussians(grid: 2x2, spacing: 2, std: 0.05); batch 16 }
network generator(z: normal(2)) -> point { dense width | relu | dense 2 }
network discriminator(x: point) -> logits(1) { dense width | relu | dense 1 }
train { objective gan(); optimizer adam(rate); steps 4 }
evaluate every: 2 steps, samples: 50 { modes; diversity }
sweep { SWEEP }
variant wide { width = 32 }
"""


def search(text: str) -> Search:
    plan = planned(SPEC.replace("SWEEP", text))
    assert plan.sweep is not None and not plan.not_built
    return search_of(plan.sweep)


def test_lists_are_gone_through() -> None:
    found = search("vary width: [4, 8, 16], smooth: [on, off]; trials 9; seeds 2; maximize modes")
    assert (found.trials, found.seeds, found.score, found.larger) == (6, 2, "modes", True)
    settings = [found.settings(number, ()) for number in range(1, 7)]
    assert settings[:3] == [
        {"width": "4", "smooth": "on"},
        {"width": "4", "smooth": "off"},
        {"width": "8", "smooth": "on"},
    ]
    assert len({str(one) for one in settings}) == 6


def test_what_is_varied_is_read_as_it_is_written() -> None:
    found = search("vary rate: log(1e-5..1e-2), width: whole(2..9), smooth: [off]; minimize diversity")
    assert found.dimensions == {
        "rate": Span(1e-5, 1e-2, log=True),
        "width": Span(2, 9, whole=True),
        "smooth": ("off",),
    }
    assert found.trials == 20 and not found.larger
    assert search("vary rate: 1e-5..1e-2; minimize diversity").dimensions == {"rate": Span(1e-5, 1e-2)}
    assert search("vary rate: [1e-5, 1e-2]; minimize diversity").dimensions == {"rate": ("1e-05", "0.01")}
    assert search("seeds 5; minimize diversity").trials == 1


def test_a_search_is_a_function_of_what_was_tried_and_finds_a_low_place() -> None:
    found = Search({"rate": Span(1e-6, 1.0, log=True), "kind": ("a", "b")}, 30, 1, "fid", larger=False)

    def of(settings: dict[str, str]) -> float:
        return (math.log10(float(settings["rate"])) + 4) ** 2 + (settings["kind"] == "b")

    def searched() -> list[Trial]:
        done: list[Trial] = []
        for number in range(1, found.trials + 1):
            settings = found.settings(number, done)
            assert found.settings(number, done) == settings
            assert 1e-6 <= float(settings["rate"]) <= 1.0
            done.append(Trial(number, settings, (of(settings),)))
        return done

    done = searched()
    assert searched() == done
    best = found.ranked(done)[0]
    assert best.value is not None and best.value < 0.1
    later = [trial.value or 0.0 for trial in done[15:]]
    assert sum(later) / len(later) < sum(trial.value or 0.0 for trial in done[:10]) / 10  # it has learnt where to look


def test_nothing_is_tried_twice_where_there_is_something_else() -> None:
    found = Search({"width": Span(1, 6, whole=True)}, 6, 1, "fid", larger=True)
    done: list[Trial] = []
    for number in range(1, 7):
        done.append(Trial(number, found.settings(number, done), (1.0,)))
    assert len({trial.settings["width"] for trial in done}) >= 5


def test_the_best_check_of_a_run_counts() -> None:
    small = Search({}, 1, 1, "fid", larger=False)
    lines = [
        {"step": 1, "fid_lite0#0a1b2c3d": 9.0, "kid#1": 1.0},
        {"step": 2, "fid_lite0#0a1b2c3d": 4.0},
        {"step": 3, "fid_lite0#0a1b2c3d": None},
        {"step": 4, "fid_lite0/a#0a1b2c3d": 5.0, "fid_lite0/b#0a1b2c3d": 7.0},
    ]
    assert best_of(lines, small) == 4.0
    assert best_of(lines, Search({}, 1, 1, "fid", larger=True)) == 9.0
    assert best_of(lines[3:], small) == 6.0
    assert best_of(lines, Search({}, 1, 1, "recall", larger=True)) is None


def of(folder: Path, found: Search, text: str = "spec") -> Sweep:
    return Sweep(text, ".", {}, 7, found, folder)


def test_a_sweep_goes_on_from_its_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Search({"width": Span(1, 100, whole=True)}, 5, 2, "fid", larger=False)
    asked: list[tuple[int, str, int]] = []

    def scored(sweep: Sweep, number: int, settings: dict[str, str], seed: int, watch: object) -> float:
        asked.append((number, settings["width"], seed))
        if len(asked) == 6:
            raise trials.Interrupted
        return float(settings["width"]) + seed

    monkeypatch.setattr(trials, "_scored", scored)
    heard: list[Trial] = []
    with pytest.raises(trials.Interrupted):
        swept(of(tmp_path / "a", found), tell=lambda trial, seed, score: heard.append(trial), watch=lambda line: None)
    done = swept(of(tmp_path / "a", found), tell=lambda trial, seed, score: None, watch=lambda line: None)
    assert [one.number for one in done] == [1, 2, 3, 4, 5] and len(heard) == 5
    assert asked[5][:2] == asked[6][:2]  # the trial that was torn is begun again, with the same params
    assert [one["trial"] for one in read_lines(tmp_path / "a" / "sweep.jsonl")] == [1, 2, 3, 4, 5]
    whole = swept(of(tmp_path / "b", found), tell=lambda trial, seed, score: None, watch=lambda line: None)
    assert whole == done
    assert found.ranked(done)[0].value == min(float(one.settings["width"]) + 7.5 for one in done)


def test_a_folder_that_is_something_else_is_left_alone(tmp_path: Path) -> None:
    found = Search({}, 1, 1, "fid", larger=False)
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(UserError, match="holds something else than a sweep"):
        swept(of(tmp_path, found), tell=lambda trial, seed, score: None, watch=lambda line: None)
    (tmp_path / "spec.gen").write_text("other")
    with pytest.raises(UserError, match="is of another spec"):
        swept(of(tmp_path, found), tell=lambda trial, seed, score: None, watch=lambda line: None)
    (tmp_path / "spec.gen").write_text("spec")
    (tmp_path / "sweep.jsonl").write_text('{"trial": 4}\n')
    with pytest.raises(UserError, match=r"line 1 of .* is damaged"):
        swept(of(tmp_path, found), tell=lambda trial, seed, score: None, watch=lambda line: None)


def test_a_spec_that_cannot_run_ends_a_sweep_and_says_why(tmp_path: Path) -> None:
    text = SPEC.replace("SWEEP", "seeds 2; maximize modes").replace("param width = 8", "param width = 0.5")
    with pytest.raises(UserError, match=r"trial 1 cannot be run: .*1 error") as refused:
        swept(of(tmp_path / "s", Search({}, 1, 1, "modes", larger=True), text), tell=print, watch=lambda line: None)
    assert refused.value.help
    assert not (tmp_path / "s" / "sweep.jsonl").exists()


@pytest.mark.slow
def test_a_sweep_is_ended_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "s.gen"
    path.write_text(SPEC.replace("SWEEP", "vary width: [4, 8]; seeds 2; maximize modes"))
    command = [sys.executable, "-m", "gendsl", "sweep", str(path), "--out", str(tmp_path / "out")]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert first.stdout is not None
    while "seed 0" not in first.stdout.readline():
        assert first.poll() is None
    time.sleep(2)
    first.send_signal(signal.SIGTERM)
    _, told = first.communicate(timeout=120)
    assert first.returncode == 130 and "the same command goes on" in told
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "trial 1 of 2" not in done.stdout or "seed 0" not in done.stdout.split("trial 1 of 2")[0]
    lines = [json.loads(line) for line in (tmp_path / "out" / "sweep.jsonl").read_text().splitlines()]
    assert [(one["trial"], one["settings"], len(one["scores"])) for one in lines] == [
        (1, {"width": "4"}, 2),
        (2, {"width": "8"}, 2),
    ]
    assert "gendsl run" in done.stdout and "--set width=" in done.stdout
    plan = plan_in(RunFolder(tmp_path / "out" / "trial-002-seed-1"))
    assert plan.params["width"] == 8 and plan.train.settings["seed"].arguments == {"number": 1}


def test_a_call_of_a_plan_is_what_is_searched() -> None:
    assert search_of(Call("sweep", {}, (Call("maximize", {"score": "modes"}),))).score == "modes"
