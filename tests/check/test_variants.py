"""`variant`, `sweep` and `--set seed` as the checker and the commands see them."""

from pathlib import Path

import pytest

from gendsl.cli import main
from tests.check.specs import checked, plan_of, spec

PARAMS = "param width = 8\nparam rate = 1e-3\nparam on_or_off = on"
SCORED = "evaluate every: 5 steps { kid }"


@pytest.mark.parametrize(
    ("sweep", "told"),
    [
        ("vary width: [4, 8]; trials 3", "does not say which score it is for"),
        ("vary width: [4, on]; minimize kid", "`width` is the whole number 8 in the spec, and this is `on`"),
        ("vary on_or_off: 0..1; minimize kid", "`on_or_off` is `on` in the spec, and this is the whole number 0"),
        ("vary rate: log(0..1); minimize kid", "begins at 0 or below, where there is no logarithm"),
        ("vary rate: even(2..1); minimize kid", "ends before it begins"),
        ("vary width: whole(1.5..4); minimize kid", "does not begin and end at whole numbers"),
        ("vary depth: [1, 2]; minimize kid", "`depth` is no param of this spec"),
        ("vary width: [1, 2]; minimize fid", "`fid` is not scored in this spec"),
    ],
)
def test_what_cannot_be_swept(sweep: str, told: str) -> None:
    train = "train { objective gan(); optimizer adam(rate); steps 2*width; deterministic on_or_off }"
    _, problems = checked(spec(PARAMS, SCORED, f"sweep {{ {sweep} }}", train=train))
    assert any(told in one.message for one in problems if one.severity == "error"), [one.message for one in problems]


def test_the_seed_is_a_param_of_every_spec() -> None:
    assert plan_of(spec(), seed="9").train.settings["seed"].arguments == {"number": 9}
    train = "train { seed 4; objective gan(); optimizer adam(2e-4); steps 10 }"
    assert plan_of(spec(train=train), seed="9").train.settings["seed"].arguments == {"number": 9}
    own = plan_of(spec("param seed = 3", train=train.replace("seed 4", "seed seed")), seed="9")
    assert own.train.settings["seed"].arguments == {"number": 9} and own.params["seed"] == 9
    _, problems = checked(spec(), seed="1.5")
    assert [one.rule.code for one in problems if one.severity == "error"] == ["not_whole"]


def test_a_variant_sets_params_and_set_goes_over_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "v.gen"
    train = "train { objective gan(); optimizer adam(rate); steps 2*width }"
    path.write_text(spec(PARAMS, "variant small { width = 2 * 2; rate = 1e-4 }", train=train))
    assert main(["plan", str(path), "--variant", "small", "--set", "rate=0.5"]) == 0
    shown = capsys.readouterr().out
    assert "8 steps" in shown and "0.5" in shown
    assert main(["plan", str(path), "--variant", "smal"]) == 2
    assert "has no variant `smal`: did you mean `small`?" in capsys.readouterr().err
    path.write_text(spec())
    assert main(["check", str(path), "--variant", "small"]) == 2
    assert "it has none" in capsys.readouterr().err
