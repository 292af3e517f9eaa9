"""Good specs with a few tokens or characters taken out, doubled or swapped: the checker answers each, and soon."""

import random
import time
from pathlib import Path

import pytest

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.plan.record import hash_of
from gendsl.render import json
from gendsl.render import text as rendered
from gendsl.source import Source
from gendsl.syntax.tokens import tokens_of

ROOT = Path(__file__).parents[2]
TEXTS = [path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("specs/*.gen"))]
WORDS = """
0  -1  1e30  1_000_000_000_000  9x9x9  on  "x"  {  }  (  )  [  ]  |  ,  :  =  ~  ..  as  param  image  label
z  generator  normal(2)  repeat  repeat 3 {  from  push  concat pop  ^ 99  / 0  * image.channels  -> image
conv  dense  adam(1)  minimize  ;  x.y.z  hinge  keras.Dense 3  block a() { a }  import "a.gen"  time
condition  500 epochs  20%  [1, 2]  f(2)  x.y  16 x.y  -  not
"""


# Two spaces part them.
PIECES = [*"\n#", *(piece for line in WORDS.split("\n") for piece in line.split("  ") if piece)]


def damaged(text: str, dice: random.Random) -> str:
    """The text with one to three changes."""
    for _ in range(dice.randint(1, 3)):
        tokens = tokens_of(Source("", text), Problems()).items[:-1]
        if not tokens:
            return text
        token, other = dice.choice(tokens), dice.choice(tokens)
        replacement = dice.choice(
            [
                "",
                token.text * 2,
                token.text[:-1],
                other.text,
                dice.choice(PIECES),
                f"{token.text} {dice.choice(PIECES)}",
            ]
        )
        text = text[: token.start] + replacement + text[token.end :]
    return text


def answered(seed: int) -> None:
    dice = random.Random(seed)
    text = damaged(dice.choice(TEXTS), dice)
    problems = Problems()
    began = time.thread_time()  # not of other tests' threads
    try:
        plan = check(Source("damaged.gen", text), problems, folder=str(ROOT / "specs"))
    except Exception as error:
        raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}\n{text}") from error
    # A hundred times what it takes: what grows without bound is found, a garbage collection on the way is not.
    assert time.thread_time() - began < 3, f"seed {seed}"
    assert (plan is None) == problems.failed, f"seed {seed}"
    assert rendered(problems, limit=20) or not len(problems)
    assert json(problems)
    if plan is not None:
        assert hash_of(plan)


@pytest.mark.parametrize("part", range(4))
def test_damaged_specs(part: int) -> None:
    for seed in range(40 * part, 40 * (part + 1)):
        answered(seed)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(10))
def test_damaged_specs_often(part: int) -> None:
    for seed in range(1_000 + 500 * part, 1_500 + 500 * part):
        answered(seed)
