"""A run of a text: what is drawn of it by prompts and settings."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gendsl.commands.values import fraction
from gendsl.evaluate.sampler import CHUNK, Sampler
from gendsl.lower.errors import UserError
from gendsl.run.instead import Instead, sample_instead
from gendsl.run.rebuild import Rebuilt, rebuilt
from gendsl.run.sample import sample


@pytest.fixture(scope="module")
def run(text: Path) -> Rebuilt:
    return rebuilt(text)


def drawn(run: Rebuilt, count: int, seed: int = 0, **asked: Any) -> Any:
    options = {name: value for name, value in asked.items() if name not in ("prompts", "labels")}
    given = {name: value for name, value in asked.items() if name in ("prompts", "labels")}
    found, fields = sample_instead(run, Instead(options=options, **given))
    return Sampler(run.experiment, sample=found).samples(count, seed=seed, fields=fields)["text"]


def written(run: Rebuilt, tokens: Any) -> list[str]:
    tokenizer = run.experiment.beginnings["text"].tokenizer
    return [tokenizer.decode(row[row >= 0]).decode() for row in tokens]


def test_samples_begin_with_the_prompt_and_repeat(text: Path, run: Rebuilt, tmp_path: Path) -> None:
    found = drawn(run, CHUNK + 6)
    assert found.shape == (CHUNK + 6, 30)
    assert all(one.startswith("the ") for one in written(run, found))
    np.testing.assert_array_equal(drawn(run, 3), found[:3])
    assert (drawn(run, 3, seed=1) != found[:3]).any()
    first, again = sample(text, 2, 3, tmp_path / "a"), sample(text, 2, 3, tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]


def test_prompts_come_in_turn_and_settings_take_the_place_of_the_spec_s(run: Rebuilt) -> None:
    found = written(run, drawn(run, 5, prompts=("fox", "a lazy dog"), length=14, temperature=0.0))
    assert [one[:3] for one in found] == ["fox", "a l", "fox", "a l", "fox"]
    assert all(len(one) == 14 for one in found) and found[0] == found[2] and found[1].startswith("a lazy dog")
    ended = drawn(run, 20, prompts=("",), stop="e", temperature=3.0)
    for row, one in zip(ended, written(run, ended), strict=True):
        assert "e" not in one[:-1] and (one.endswith("e") or (row >= 0).all())
    assert (ended < 0).any()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"prompts": ("the fox jumps",)}, "13 tokens, and the network reads 12"),
        ({"prompts": ("the fox",), "length": 7}, "7 tokens already, and `length` is 7"),
        ({"prompts": ("THE",)}, "no `T`, `H`, `E`"),
        ({"stop": "\n"}, r"no U\+000A"),
        ({"labels": ("3",)}, "takes no label"),
    ],
)
def test_what_cannot_be_asked_is_said(run: Rebuilt, asked: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        drawn(run, 2, **asked)


def test_a_run_of_pictures_takes_no_prompt(conditional: Path) -> None:
    with pytest.raises(UserError, match="--prompt is of `generate`"):
        sample_instead(rebuilt(conditional), Instead(prompts=("a",)))
    _, fields = sample_instead(rebuilt(conditional), Instead(labels=("7", "2")))
    assert fields["label"].tolist() == [7, 2]
    with pytest.raises(UserError, match="`12` is no class of `label`"):
        sample_instead(rebuilt(conditional), Instead(labels=("12",)))


def test_shares_on_the_command_line() -> None:
    assert fraction("95%") == fraction("0.95") == 0.95
    with pytest.raises(Exception, match="no share"):
        fraction("1.5")
