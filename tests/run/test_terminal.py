"""A run as a person sees it in a terminal: the bar, a window made narrow, Ctrl-C once and twice, SIGTERM, going on."""

import os
import shlex
import signal
from pathlib import Path

import pytest
from rich.console import Console
from terminal import CTRL_C, Terminal
from test_processes import gendsl, wait_until

from gendsl.run.interruption import Interruption
from gendsl.run.progress import Line, figure, losses_of


def shown(line: Line, columns: int) -> str:
    console = Console(width=columns, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(line)
    return captured.get()


@pytest.mark.parametrize("columns", [132, 80, 60, 40, 20])
def test_the_bar_takes_one_line_of_any_terminal(columns: int) -> None:
    line = Line(0, 2_000)
    line.step, line.speed = 1_430, "75 steps/s  0:21 left"
    line.losses = losses_of({"discriminator/loss": 1.18612, "generator/loss": 1.1})
    said = shown(line, columns)
    assert len(said) <= columns - len("^C") and "\n" not in said and "1,430" in said
    assert ("━" in said) == (columns >= 80)
    if columns >= 80:
        assert said.endswith("75 steps/s  0:21 left  discriminator 1.186   generator 1.100")
    line.note = "stopping"
    assert "stopping" in shown(line, 40)


def test_losses_keep_their_width() -> None:
    assert [figure(value) for value in (0.0, 0.6931, -1.5, 123.4)] == ["0.000", "0.693", "-1.500", "123.400"]
    assert [figure(value) for value in (1.234e-5, 12345.0)] == ["1.23e-05", "1.23e+04"]


def test_the_first_interruption_is_noted_and_the_second_stops() -> None:
    told: list[int] = []
    with Interruption(lambda: told.append(1)) as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.signal == signal.SIGINT and told == [1]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    before = signal.getsignal(signal.SIGTERM)
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGTERM)
        assert interruption.signal == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_bar_and_one_ctrl_c(tmp_path: Path, tiny_text: str) -> None:
    (tmp_path / "tiny.gen").write_text(tiny_text.replace("evaluate every: 30 steps", "evaluate every: 400 steps"))
    words = ("gendsl", "run", "tiny.gen", "--set", "length=100_000 steps", "--steps", "90000", "--out", "run")
    with Terminal(*words, folder=tmp_path, columns=132) as terminal:
        terminal.until(r"━+ +[\d,]+/90,000  [\d.,]+ steps/s +[\d:]+ left  discriminator \d\.\d{3} +generator \d\.\d{3}")
        assert all(len(frame) <= 132 for frame in terminal.frames)
        wide = len(terminal.text)
        terminal.resize(50)
        terminal.until(r"/90,000  [\d.,]+ steps/s +[\d:]+ left  d\w*…", since=wide)
        terminal.type(CTRL_C)
        assert terminal.end() == 130
        assert terminal.shows_its_cursor
        step = int(
            terminal.until(r"interrupted +after ([\d,]+) of 90,000 steps; all of them are saved")[1].replace(",", "")
        )
        assert (tmp_path / "run" / "checkpoints" / f"step-{step}").is_dir()
        for noise in ("tensorflow:", "Traceback", "WARNING", "oneDNN", "cuda", "E0000", "I0000"):
            assert noise not in terminal.text
        command = terminal.until(r"go on +gendsl (.*)")[1]
        assert command.strip() == "resume run", "all that it was asked for is in its folder"
    # And as it says, it goes on; this time the system ends it.
    process = gendsl(*shlex.split(command), folder=tmp_path)
    wait_until((tmp_path / "run" / "checkpoints" / f"step-{step // 20 * 20 + 60}").is_dir, process)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM, said
    assert f"going on at step {step:,} of 90,000" in said and "all of them are saved" in said and "resume run" in said


def test_a_second_ctrl_c_stops_at_once_and_harms_nothing(tmp_path: Path, tiny_text: str) -> None:
    # Scoring takes minutes here, so that the second Ctrl-C has something to cut off.
    scores = "evaluate every: 30 steps, samples: 100 {\n  fid\n  modes within: 3\n  diversity\n}"
    slow = "evaluate every: 30 steps, samples: 1_000_000 {\n  modes within: 3\n}"
    assert scores in tiny_text
    (tmp_path / "tiny.gen").write_text(tiny_text.replace(scores, slow))
    words = ("gendsl", "run", "tiny.gen", "--out", "run")
    with Terminal(*words, folder=tmp_path, columns=100) as terminal:
        terminal.until("30/60 ")
        terminal.type(CTRL_C)
        terminal.until("stopping; once more stops at once")
        terminal.type(CTRL_C)
        assert terminal.end(seconds=20) == 130
        terminal.until(r"stopped +at once; the last checkpoint is of step 20")
        terminal.until(r"go on +gendsl resume run")
        assert "Traceback" not in terminal.text
        assert terminal.shows_its_cursor
    assert not list((tmp_path / "run").rglob("*.tmp"))
    with Terminal(*words, "--resume", folder=tmp_path, columns=100) as terminal:
        terminal.until("going on at step 20 of 60")
        terminal.until("30/60 ")
