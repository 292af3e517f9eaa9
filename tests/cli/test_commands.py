"""The command line as a process: every command, its exit codes and formats, help with examples everywhere."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gendsl.commands.options import COMMANDS
from gendsl.plan.record import FORMAT
from gendsl.reading import SIZE
from tests.cli.processes import ROOT, gendsl

GOOD = "specs/digits_gan.gen"
TEXT = (ROOT / GOOD).read_text(encoding="utf-8")
BAD = TEXT.replace("tanh", "tahn").replace("flatten |", "flaten |")


def test_bare_is_a_short_help() -> None:
    done = gendsl()
    assert done.code == 0 and not done.err
    assert all(f"  {name}" in done.out for name in COMMANDS)
    assert "examples:" in done.out and done.out.count("\n") < 36
    assert gendsl("--help").out == gendsl("help").out == done.out


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command(name: str) -> None:
    done = gendsl(name, "--help")
    assert done.code == 0 and not done.err
    assert done.out.startswith(f"usage: gendsl {name}") and "examples:\n" in done.out
    examples = done.out.partition("examples:\n")[2]
    assert f"gendsl {name}" in examples
    assert gendsl("help", name).out == done.out


def test_version() -> None:
    import gendsl as package

    assert gendsl("--version").out == f"gendsl {package.__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chekc"], "did you mean `gendsl check`?"),
        (["frobnicate"], "`gendsl --help` lists them"),
        ([GOOD], f"`gendsl run {GOOD}`"),
        (["check"], "required: SPEC"),
        (["check", GOOD, "--fromat", "json"], "--fromat"),
        (["check", GOOD, "--format", "xml"], "xml"),
        (["check", GOOD, "--set", "width"], "write `--set width=64`"),
        (["check", GOOD, "--set", "=1"], "write `--set width=64`"),
        (["run", GOOD, "--steps", "-1"], "not a whole number"),
        (["run", GOOD, "--steps", "many"], "not a whole number"),
        (["run", GOOD, "--strategy", "mirored"], "did you mean `mirrored`?"),
        (["run", GOOD, "--strategy", "mirrored(two)"], "--strategy mirrored(two)"),
        (["run", GOOD, "--strategy", "mirrored; one"], "it is no strategy"),
        (["run", GOOD, "--resume", "--fresh"], "not allowed with"),
        (["resume"], "required: RUN"),
        (["resume", "runs/a", "--set", "width=3"], "--set"),
        (["verify", GOOD, "--steps", "0"], "0 is too few"),
        (["verify", "specs", "--set", "width=3"], "give the spec instead"),
        (["sample", "nowhere", "-n", "0"], "0 is too few"),
        (["explain", "convv"], "did you mean `conv`?"),
        (["explain", "shape_missmatch"], "did you mean `shape_mismatch`?"),
        (["words", "--kind", "layers"], "did you mean `layer`?"),
        (["new"], "a name is missing"),
        (["new", "Ä"], "small letters"),
        (["new", "mine", "--template", "gann"], "did you mean `gan`?"),
        (["completion", "tcsh"], "tcsh"),
    ],
)
def test_misuse_exits_2(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = gendsl(*arguments)
    assert done.code == 2 and said in done.err and not done.out


def test_check() -> None:
    done = gendsl("check", GOOD)
    assert (done.code, done.out, done.err) == (0, f"{GOOD}: fine\n", "")


def test_check_of_several_tells_all(tmp_path: Path) -> None:
    (tmp_path / "bad.gen").write_text(BAD, encoding="utf-8")
    (tmp_path / "good.gen").write_text(TEXT, encoding="utf-8")
    done = gendsl("check", "bad.gen", "good.gen", "none.gen", folder=tmp_path)
    assert done.code == 1
    assert done.out.count("error[unknown_word]") == 2 and "error[unreadable]" in done.out
    assert done.out.endswith("bad.gen: 2 errors\ngood.gen: fine\nnone.gen: 1 error\n")
    assert "did you mean `tanh`?" in done.out and "  --> bad.gen:" in done.out


def test_check_as_json() -> None:
    done = gendsl("check", "-", "--format", "json", given=BAD)
    assert done.code == 1
    document = json.loads(done.out)
    assert document["version"] == 1 and len(document["diagnostics"]) == 2
    for found in document["diagnostics"]:
        assert set(found) == {"rule", "severity", "message", "note", "help", "path", "start", "end", "labels"}
        start, end = found["start"]["offset"], found["end"]["offset"]
        assert BAD[start:end] in ("tahn", "flaten")
        line, column = found["start"]["line"], found["start"]["column"]
        assert BAD.split("\n")[line - 1][column - 1 :].startswith(BAD[start:end])
        assert found["path"] == "<stdin>"
    assert json.loads(gendsl("check", GOOD, "--format", "json").out)["diagnostics"] == []


def test_check_for_github(tmp_path: Path) -> None:
    (tmp_path / "a,b.gen").write_text(BAD, encoding="utf-8")
    done = gendsl("check", "a,b.gen", "--format", "github", folder=tmp_path)
    lines = done.out.splitlines()
    assert done.code == 1 and len(lines) == 2
    assert all(re.match(r"::error file=a%2Cb\.gen,line=\d+,endLine=\d+,col=\d+,endColumn=\d+,title=unknown_word::", x)
               for x in lines)  # fmt: skip


def test_check_with_settings() -> None:
    assert gendsl("check", GOOD, "--set", "width=16").code == 0
    done = gendsl("check", GOOD, "--set", "widht=16")
    assert done.code == 1 and "error[not_a_param]" in done.out and "did you mean `width`?" in done.out
    done = gendsl("check", GOOD, "--set", "width=)")
    assert done.code == 1 and "--set width" in done.out


def test_hints_are_shown_on_demand() -> None:
    text = TEXT.replace("dense 2*2*4*width", "dense 2*2*4*width, bias: on")
    assert "hint[" not in gendsl("check", "-", given=text).out
    done = gendsl("check", "-", "--hints", given=text)
    assert done.code == 0 and ("hint[idle_bias]" in done.out or done.out == "<stdin>: fine\n")


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"experiment a\0", "not_text"),
        (b"\xff\xfea\0", "not_text"),
        ("experiment é\n".encode("latin-1"), "not_text"),
        (b"#" * (SIZE + 1), "too_large"),
        (b"a {" * 10_000, "too_deep"),
        (b"", "missing_experiment"),
        (b"\xef\xbb\xbf# only\r\n", "missing_experiment"),
        (b"experiment a\ntrain { steps 1e400 }", "number_range"),
    ],
)
def test_hostile_input(content: bytes, rule: str) -> None:
    done = gendsl("check", "-", given=content)
    assert done.code == 1 and f"error[{rule}]" in done.out and not done.err


def test_a_good_spec_in_other_bytes() -> None:
    for content in (
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.replace("\n", "\r\n").encode(),
        TEXT.replace("  ", "\t").encode(),
    ):
        done = gendsl("check", "-", given=content)
        assert done.code == 0, done.out


def test_a_folder_and_files_that_may_not_be_read(tmp_path: Path) -> None:
    done = gendsl("check", tmp_path)
    assert done.code == 1 and "is a folder" in done.out
    locked = tmp_path / "locked.gen"
    locked.write_text(TEXT)
    locked.chmod(0)
    if not os.access(locked, os.R_OK):
        assert "may not be read" in gendsl("check", locked).out


def test_control_characters_do_not_reach_the_terminal() -> None:
    done = gendsl("check", "-", given="experiment a\x1b[31m\u202e b\x07\n")
    assert "\x1b" not in done.out and "\u202e" not in done.out and "\x07" not in done.out and "␛" in done.out


def test_plan() -> None:
    done = gendsl("plan", GOOD)
    assert done.code == 0 and "198,721" in done.out and "discriminator" in done.out
    expanded = gendsl("plan", GOOD, "--expand")
    assert expanded.code == 0 and "minimize nonsaturating.discriminator(" in expanded.out
    record = json.loads(gendsl("plan", GOOD, "--json").out)
    assert record["format"] == FORMAT and record["plan"]["experiment"] == "digits_gan" and len(record["hash"]) == 64
    other = json.loads(gendsl("plan", GOOD, "--json", "--set", "width=16").out)
    assert other["hash"] != record["hash"]
    done = gendsl("plan", "-", given=BAD)
    assert done.code == 1 and not done.out and done.err.count("error[") == 2


def test_formatting_never_changes_the_plan() -> None:
    messy = TEXT.replace("  ", "\t").replace(" | ", "|").replace(", ", " ,")
    formatted = gendsl("fmt", "-", given=messy)
    assert formatted.code == 0
    plans = [json.loads(gendsl("plan", "-", "--json", given=text).out)["hash"] for text in (TEXT, messy, formatted.out)]
    assert len(set(plans)) == 1


def test_run_of_a_wrong_spec_trains_nothing(tmp_path: Path) -> None:
    done = gendsl("run", "-", given=BAD, folder=tmp_path)
    assert done.code == 1 and done.err.count("error[") == 2 and not list(tmp_path.iterdir())


def test_fmt(tmp_path: Path) -> None:
    path = tmp_path / "a.gen"
    path.write_bytes(b"\xef\xbb\xbfexperiment   a\r\n\r\n\r\ndata{batch 64}\r\n")
    path.chmod(0o640)
    assert gendsl("fmt", "--check", path).code == 1
    shown = gendsl("fmt", "--diff", path)
    assert shown.code == 0 and "+data { batch 64 }" in shown.out
    assert path.read_bytes().startswith(b"\xef")
    done = gendsl("fmt", path)
    assert done.code == 0 and path.read_bytes() == b"experiment a\n\ndata { batch 64 }\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert gendsl("fmt", "--check", path).code == 0 and gendsl("fmt", path).out == ""
    assert [found.name for found in tmp_path.iterdir()] == ["a.gen"]


def test_fmt_keeps_links_and_refuses_what_does_not_parse(tmp_path: Path) -> None:
    (tmp_path / "a.gen").write_text("experiment   a\n")
    (tmp_path / "link.gen").symlink_to("a.gen")
    assert gendsl("fmt", tmp_path / "link.gen").code == 0
    assert (tmp_path / "link.gen").is_symlink() and (tmp_path / "a.gen").read_text() == "experiment a\n"
    (tmp_path / "b.gen").write_text("a {{\n")
    done = gendsl("fmt", tmp_path / "b.gen")
    assert done.code == 1 and "error[" in done.err and (tmp_path / "b.gen").read_text() == "a {{\n"


def test_explain() -> None:
    done = gendsl("explain", "conv")
    for part in ("conv: a layer", "filters", "default 3", "16x16x32 -> 8x8x64", "keras.layers.Conv2D", "example:"):
        assert part in done.out
    assert "allow checkerboard" in gendsl("explain", "checkerboard").out
    assert "hinge.discriminator(real, fake)" in gendsl("explain", "hinge").out
    assert "kernel_size" in gendsl("explain", "keras.Conv3D").out
    both = gendsl("explain", "normal").out
    assert both.count("normal: ") >= 2


def test_words() -> None:
    done = gendsl("words")
    assert done.code == 0 and "layer: a layer" in done.out
    layers = gendsl("words", "--kind", "layer").out
    assert "  conv " in layers and "hinge" not in layers
    document = json.loads(gendsl("words", "--format", "json").out)
    assert document["version"] == 1 and len(document["words"]) > 200
    assert "conv" in gendsl("words", "--format", "names").out.split()
    assert "layer" in gendsl("words", "--format", "kinds").out.split()


def test_new(tmp_path: Path) -> None:
    done = gendsl("new", "mine", "--template", "vae", folder=tmp_path)
    assert done.code == 0 and "mine.gen written" in done.out
    assert "experiment mine\n" in (tmp_path / "mine.gen").read_text()
    assert gendsl("check", "mine.gen", folder=tmp_path).code == 0
    again = gendsl("new", "mine", folder=tmp_path)
    assert again.code == 2 and "is there already" in again.err
    assert gendsl("new", "--list").out.count("\n") >= 4


def test_new_with_the_data_that_a_template_reads(tmp_path: Path) -> None:
    done = gendsl("new", "rows", "--template", "table", folder=tmp_path)
    assert done.code == 0 and "wine.csv written, the data that it reads" in done.out
    lines = (tmp_path / "wine.csv").read_text().splitlines()
    assert len(lines) == 179 and lines[0].endswith(",cultivar") and lines[1].startswith("14.23,1.71,2.43,15.6,127,")
    assert {line[-1] for line in lines[1:]} == set("ABC")
    checked = gendsl("check", "rows.gen", folder=tmp_path)
    assert checked.code == 0 and checked.out == "rows.gen: fine\n"
    (tmp_path / "wine.csv").write_text("mine\n")
    assert "wine.csv" not in gendsl("new", "more", "--template", "table", folder=tmp_path).out
    assert (tmp_path / "wine.csv").read_text() == "mine\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, tmp_path: Path) -> None:
    done = gendsl("completion", shell)
    assert done.code == 0 and all(name in done.out for name in COMMANDS)
    if shutil.which(shell):
        script = tmp_path / "script"
        script.write_text(done.out)
        flag = ["--no-execute"] if shell == "fish" else ["-n"]
        subprocess.run([shell, *flag, str(script)], check=True)


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_completes(tmp_path: Path) -> None:
    (tmp_path / "mine.gen").write_text("")
    script = gendsl("completion", "bash").out
    (tmp_path / "gendsl").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gendsl "$@"\n')
    (tmp_path / "gendsl").chmod(0o755)

    def completed(*words: str) -> list[str]:
        array = " ".join(f"'{word}'" for word in ("gendsl", *words))
        code = f'{script}\nCOMP_WORDS=({array}); COMP_CWORD={len(words)}; _gendsl; printf "%s\\n" "${{COMPREPLY[@]}}"'
        environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
        done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, cwd=tmp_path, env=environment)
        assert not done.stderr
        return done.stdout.split()

    assert completed("ch") == ["check"]
    assert completed("check", "--f") == ["--format"]
    assert completed("check", "--format", "j") == ["json"]
    assert completed("check", "m") == ["mine.gen"]
    assert completed("explain", "minib") == ["minibatch_stddev"]
    assert completed("words", "--kind", "lay") == ["layer"]
    (tmp_path / "runs").mkdir()
    assert completed("resume", "ru") == ["runs"]
    assert completed("run", "--fr") == ["--fresh"] and completed("run", "--al") == ["--allow-changes"]
    assert completed("run", "--strategy", "mi") == completed("resume", "--strategy", "mi") == ["mirrored"]
    assert completed("verify", "m") == ["mine.gen"] and completed("verify", "r") == ["runs/"]
    assert completed("verify", "--st") == ["--steps", "--strategy"]
    assert "gan" in completed("new", "x", "--template", "")


def test_a_closed_pipe_is_quiet() -> None:
    for arguments in ("words", "words --format json", "explain --help"):
        code = f'"{sys.executable}" -m gendsl {arguments} | true; exit ${{PIPESTATUS[0]}}'
        done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, cwd=ROOT)
        assert done.stderr == "" and done.returncode in (0, 141)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_is_told() -> None:
    code = f'"{sys.executable}" -m gendsl words --format json > /dev/full'
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 74 and "cannot be written" in done.stderr and "Traceback" not in done.stderr


def test_an_interrupt_exits_130(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "slow.gen")
    process = subprocess.Popen(
        [sys.executable, "-m", "gendsl", "check", str(tmp_path / "slow.gen")], cwd=ROOT, stderr=subprocess.PIPE
    )
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130 and err == b"gendsl: interrupted\n"


def test_a_mistake_of_ours_is_apologised_for(tmp_path: Path) -> None:
    script = (
        "import sys, gendsl.cli as cli\n"
        "def broken(options): raise RuntimeError('inside')\n"
        "cli._COMMANDS['words'] = broken\n"
        "sys.exit(cli.main(['words']))\n"
    )
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert done.returncode == 70 and "sorry" in done.stderr and "Traceback" not in done.stderr
    (log,) = tmp_path.glob("gendsl-*.log")
    assert "RuntimeError: inside" in log.read_text() and str(log) in done.stderr


def test_what_the_user_can_mend_exits_3(tmp_path: Path) -> None:
    for arguments in (["sample", "nowhere"], ["export", "nowhere"], ["resume", "nowhere"]):
        done = gendsl(*arguments, folder=tmp_path)
        assert done.code == 3 and done.err.startswith("gendsl: "), done.err
        assert list(tmp_path.iterdir()) == []


def test_output_in_another_encoding() -> None:
    done = gendsl("check", "-", given=BAD, environment={"PYTHONIOENCODING": "ascii"})
    assert done.code == 1 and "error[unknown_word]" in done.out


def test_color_is_for_terminals() -> None:
    import pty

    def seen(environment: dict[str, str]) -> str:
        parent, child = pty.openpty()
        process = subprocess.Popen(
            [sys.executable, "-m", "gendsl", "check", "none.gen"],
            stdout=child, stderr=child, cwd=ROOT, env={**os.environ, **environment},
        )  # fmt: skip
        process.wait(timeout=60)
        os.close(child)
        text = os.read(parent, 100_000).decode()
        os.close(parent)
        return text

    plain = {"NO_COLOR": "1", "TERM": "xterm"}
    assert "\x1b[" in seen({"NO_COLOR": "", "TERM": "xterm"})
    assert "\x1b[" not in seen(plain) and "\x1b[" not in seen({"NO_COLOR": "", "TERM": "dumb"})
