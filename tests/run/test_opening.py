"""Where a run is wanted, and what is there already, in; the folder, the question or the refusal out."""

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from gendsl.lower.errors import UserError
from gendsl.plan.difference import training_hash
from gendsl.plan.record import record_of
from gendsl.run import folder as folders
from gendsl.run.folder import Lock, RunFolder
from gendsl.run.opening import Opened, opened_for
from gendsl.run.order import Order, Where
from tests.run.tiny_runs import TINY, planned

CHANGED = TINY.replace("dense 16", "dense 8", 1)
LONGER = TINY.replace("60 steps", "90 steps")


def order(text: str = TINY, **options: Any) -> Order:
    return Order(planned(text), text, "tiny.gen", ".", **options)


def left(path: Path, step: int, *, ended: bool = False, text: str = TINY, steps: int | None = None) -> RunFolder:
    """The folder of a run that did so many steps."""
    folder, asked = RunFolder(path), order(text, steps=steps)
    folders.write_whole(folder.spec, text)
    folders.write_json(folder.environment, {"spec": "tiny.gen", "options": asked.options})
    folders.write_json(folder.data, {"sizes": {"train": None}})
    folders.write_json(folder.plan, record_of(asked.plan) | {"training": training_hash(asked.plan)})
    (folder.checkpoints / f"step-{step}").mkdir(parents=True)
    for event in ("started", "phase", "finished" if ended else "interrupted"):
        folders.append_line(folder.events, {"step": step, "event": event})
    return folder


class Person:
    """Answers questions, and remembers them."""

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, bool]] = []

    def __call__(self, question: str, default: bool) -> bool:
        self.asked.append((question, default))
        return self.answers.pop(0)


def opened(given: Order, out: Path | str | None = None, **wishes: Any) -> tuple[Opened, str]:
    console = Console(file=io.StringIO(), record=True, width=200)
    found = opened_for(given, Where(None if out is None else Path(out), **wishes), console)
    return found, console.export_text()


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("wishes", [{}, {"resume": True}, {"fresh": True}])
def test_a_new_folder_is_taken_as_it_is(wishes: dict[str, bool]) -> None:
    found, said = opened(order(), "a", **wishes)
    assert found == Opened(RunFolder(Path("a"))) and not said


def test_what_a_run_wrote_that_was_killed_in_its_first_moment_is_in_nobodys_way() -> None:
    folders.write_whole(Path("a/spec.gen"), TINY)
    assert opened(order(), "a", resume=True)[0].then is None
    folders.write_whole(Path("a/thesis.tex"), "")
    with pytest.raises(UserError, match="not the folder of a run"):
        opened(order(), "a", resume=True)


def test_with_nobody_to_ask_an_unfinished_run_is_refused_with_what_to_type() -> None:
    left(Path("a"), 40)
    with pytest.raises(UserError) as refused:
        opened(order(settings={"length": "60 steps"}), "a")
    assert refused.value.message == "a holds an unfinished run of this spec: 40 of 60 steps"
    assert "`gendsl resume a` goes on with it" in refused.value.help
    fresh = "`gendsl run tiny.gen --set 'length=60 steps' --out a --fresh` starts anew, and keeps that run as a.1"
    assert fresh in refused.value.help


def test_a_person_is_asked() -> None:
    left(Path("a"), 40)
    person = Person(True)
    found, said = opened(order(), "a", ask=person)
    assert found.then == order().plan and found.aside is None and not found.ended
    assert person.asked == [("Go on with it?", True)] and "40 of 60 steps" in said
    person = Person(False, True)
    found, _ = opened(order(), "a", ask=person)
    assert found.then is None and found.aside == Path("a.1")
    assert person.asked[1] == ("Start anew, and keep that run as a.1?", False)
    with pytest.raises(UserError, match="nothing was trained, and nothing was changed"):
        opened(order(), "a", ask=Person(False, False))


def test_a_finished_run_has_nothing_left_to_do() -> None:
    left(Path("a"), 60, ended=True)
    assert opened(order(), "a", resume=True)[0].ended
    assert opened(order(steps=40), "a", resume=True)[0].ended, "more than was asked for is done"
    with pytest.raises(UserError, match="holds a finished run of this spec: 60 of 60 steps") as refused:
        opened(order(), "a")
    assert "--fresh" in refused.value.help and "resume" not in refused.value.help


def test_scores_that_were_cut_off_are_left_to_do() -> None:
    left(Path("a"), 60)
    assert not opened(order(), "a", resume=True)[0].ended


def test_a_run_that_ended_early_as_it_was_asked_to_goes_on_if_more_is_asked_for() -> None:
    left(Path("a"), 27, ended=True, steps=27)
    assert opened(order(steps=27), "a", resume=True)[0].ended
    found, _ = opened(order(), "a", resume=True)
    assert found.then is not None and not found.ended
    with pytest.raises(UserError) as refused:
        opened(order(), "a")
    assert "`gendsl resume a --steps 60` goes on with it" in refused.value.help


def test_a_changed_spec_is_refused_with_its_differences_unless_they_are_allowed() -> None:
    left(Path("a"), 40)
    for wishes in ({}, {"resume": True}):
        with pytest.raises(UserError) as refused:
            opened(order(CHANGED), "a", **wishes)
        assert refused.value.message.endswith("\n  network generator, layer 1 dense: units 16 -> 8")
    assert "--allow-changes" in refused.value.help and "`gendsl resume a`" in refused.value.help
    found, said = opened(order(CHANGED), "a", resume=True, allow_changes=True)
    assert found.retrained and "units 16 -> 8" in said


def test_the_length_may_change_freely_and_schedules_that_follow_it_are_named() -> None:
    left(Path("a"), 40)
    found, said = opened(order(LONGER), "a", resume=True)
    assert not found.retrained and found.changes[0].text == "train: length 60 steps -> 90 steps"
    assert "length 60 steps -> 90 steps" in said
    assert "the learning rate of discriminator and the learning rate of generator follow the length" in said
    with pytest.raises(UserError) as refused:
        opened(order(LONGER), "a")
    assert "`gendsl run tiny.gen --out a --resume` goes on with it" in refused.value.help


def test_overfit_and_all_the_data_are_two_things() -> None:
    left(Path("a"), 40)
    with pytest.raises(UserError, match="was started without --overfit"):
        opened(order(overfit=True), "a", resume=True)


def test_fresh_keeps_what_is_there() -> None:
    left(Path("a"), 40)
    Path("a.1").mkdir()
    assert opened(order(CHANGED), "a", fresh=True)[0].aside == Path("a.2")
    folders.move_aside(RunFolder(Path("a")), Path("a.2"))
    assert not Path("a").exists() and (Path("a.2") / "plan.json").is_file()


def test_fresh_leaves_a_run_alone_that_is_at_work() -> None:
    folder = left(Path("a"), 40)
    lock = Lock(folder)
    with pytest.raises(UserError, match="another process is at work"):
        folders.move_aside(folder, Path("a.1"))
    lock.release()


def test_without_a_folder_an_unfinished_run_of_the_same_training_is_offered() -> None:
    name = "runs/tiny/20260101T000000Z-00000000"
    there = left(Path(name), 40)
    left(Path("runs/tiny/20260102T000000Z-00000000"), 60, ended=True)
    left(Path("runs/tiny/20260103T000000Z-00000000"), 40, text=CHANGED)
    found, said = opened(order())
    assert found.then is None and found.folder.path.parent == Path("runs/tiny")
    assert f"`gendsl resume {name}` goes on with it. This is a new run." in said
    found, _ = opened(order(), ask=Person(True))
    assert found.folder == there and found.then is not None
    assert opened(order(), ask=Person(False))[0].then is None
    found, said = opened(order(), fresh=True)
    assert found.then is None and not said
    lock = Lock(there)
    assert not opened(order())[1], "it is not unfinished, but at work"
    lock.release()


def test_resume_without_a_folder_takes_the_newest_run_of_the_same_training() -> None:
    assert opened(order(), resume=True)[0].then is None
    there = left(Path("runs/tiny/20260101T000000Z-00000000"), 40)
    assert opened(order(), resume=True)[0].folder == there
    left(Path("runs/tiny/20260102T000000Z-00000000"), 60, ended=True)
    assert opened(order(), resume=True)[0].ended
    assert opened(order(CHANGED), resume=True)[0].then is None


def test_a_folder_that_another_process_takes_in_the_meantime_is_left_to_it(
    tmp_path: Path, tiny: tuple[Path, str], tiny_text: str, run_tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder is chosen before TensorFlow is loaded, and locked after."""
    from gendsl.run import command

    ready_for, folder = command.ready_for, tmp_path / "run"

    def overtaken(*given: Any, **options: Any) -> Any:
        shutil.copytree(tiny[0], folder, symlinks=True)
        return ready_for(*given, **options)

    monkeypatch.setattr(command, "ready_for", overtaken)
    with pytest.raises(UserError, match=r"another process has begun a run in .* in the meantime"):
        run_tiny(tiny_text.replace("dense 16 | relu", "dense 12 | relu"), folder)
    assert (folder / "plan.json").read_bytes() == (tiny[0] / "plan.json").read_bytes()
