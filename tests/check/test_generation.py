"""Calls of `generate` in the checker: prompts that cannot be, networks that write nothing, and what the plan tells."""

from pathlib import Path

import pytest

from gendsl.check.checker import check
from gendsl.diagnostics import Diagnostic, Problems
from gendsl.plan.plan import Plan
from gendsl.plan.show import plan_shown
from gendsl.source import Source
from tests.check.specs import plan_of

SPECS = Path(__file__).parents[2] / "specs"

SPEC = """
experiment words
data { source SOURCE; window 16; split train: 80%, test: 20%; batch 4 }
network model(tokens: text) -> categorical(text.vocabulary) {
  embed text.vocabulary, 8 | attention causal: on | dense text.vocabulary
}
network head(x: features(4)) -> categorical(9) { dense 9 }
train {
  update model, with: adam(1e-2) { minimize next_token(model, text) }
  update head, with: adam(1e-2) { z ~ normal(4); c ~ categorical(9); minimize mean(nll(head(z), c)) }
  steps 9
}
sample { text = generate(CALL) }
"""
BYTES, CHARACTERS = 'text("*.txt"), tokenizer: bytes()', 'text("*.txt"), tokenizer: characters(lowercase: on)'
MUSIC = 'midi("*.mid"), tokenizer: remi(vocabulary: 512)'


def checked(folder: Path, call: str, source: str = BYTES) -> tuple[Plan | None, list[Diagnostic]]:
    (folder / "a.txt").write_text("the quick brown fox jumps over the lazy dog\n" * 40)
    (folder / "a.mid").write_bytes(b"MThd")
    problems = Problems()
    text = SPEC.replace("SOURCE", source).replace("CALL", call)
    return check(Source("words.gen", text), problems, folder=str(folder)), [*problems]


@pytest.mark.parametrize(
    ("call", "source", "told"),
    [
        ('model, prompt: "seventeen letters"', BYTES, "this prompt has 17 tokens, and the network reads 16"),
        ('model, prompt: "übermäßig viel"', BYTES, "this prompt has 17 tokens, and the network reads 16"),
        ('model, prompt: "the fox", length: 7', BYTES, "this prompt has 7 tokens already, and `length` is 7"),
        ('model, prompt: "seventeen letters"', CHARACTERS, "this prompt has 17 tokens, and the network reads 16"),
        ('model, prompt: "Fox & 7 dogs"', CHARACTERS, "the training text has no `&`, `7`, so the network knows"),
        ('model, stop: "."', CHARACTERS, "the training text has no `.`, so the network knows no token for it"),
        ('model, stop: ""', BYTES, "an empty text is everywhere"),
        ('model, prompt: "C major"', MUSIC, "`model` writes music, and `prompt` is a text"),
        ('model, stop: "C"', MUSIC, "`model` writes music, and `stop` is a text"),
    ],
)
def test_what_sequences_cannot_begin_or_end_with(tmp_path: Path, call: str, source: str, told: str) -> None:
    plan, problems = checked(tmp_path, call, source)
    assert plan is None
    (found,) = problems
    assert found.rule.code == "bad_prompt" and found.message.startswith(told) and found.help
    assert found.span.text.startswith(("prompt: ", "stop: "))


@pytest.mark.parametrize(
    ("call", "source"),
    [
        ('model, prompt: "sixteen letters!"', BYTES),
        ("model", MUSIC),
        ('model, prompt: "The Quick"', CHARACTERS),
        ('model, prompt: ""', CHARACTERS),
    ],
)
def test_what_they_can_begin_with(tmp_path: Path, call: str, source: str) -> None:
    plan, problems = checked(tmp_path, call, source)
    assert plan is not None and not problems and not plan.not_built


def test_networks_that_write_nothing(tmp_path: Path) -> None:
    _, problems = checked(tmp_path, "head")
    assert [(one.rule.code, one.message) for one in problems] == [
        (
            "type_mismatch",
            "`generate` takes a network that says what follows each of its tokens, and `head` says one thing of all",
        )
    ]
    text = "update model, with: adam(1e-2) { minimize"
    (tmp_path / "b").mkdir()
    source = SPEC.replace("SOURCE", BYTES).replace("CALL", "model").replace(text, f"{text} mean(generate(model)) +")
    problems = Problems()
    check(Source("words.gen", source), problems, folder=str(tmp_path))
    assert "`generate` draws sequences, and no update differentiates through them" in [one.message for one in problems]


@pytest.mark.parametrize(
    ("layers", "told"),
    [
        (
            "attention causal: on",
            "token by token from what is kept of those before; of 16 tokens of context the last 8",
        ),
        ("conv1d 8", "each token from the whole context: `conv1d` may read any place of it; of 16"),
    ],
)
def test_the_plan_tells_how_it_is_drawn(tmp_path: Path, layers: str, told: str) -> None:
    (tmp_path / "a.txt").write_text("word " * 100)
    text = SPEC.replace("SOURCE", BYTES).replace("CALL", "model").replace("attention causal: on", layers)
    text = text.replace("minimize next_token(model, text)", "minimize mean(nll(model(text), text))")
    problems = Problems()
    plan = check(Source("words.gen", text), problems, folder=str(tmp_path))
    assert plan is not None, [one.message for one in problems]
    assert f"text  (batch, 256), {told}" in plan_shown(plan)
    short = check(Source("words.gen", text.replace("(model)", "(model, length: 17)")), problems, folder=str(tmp_path))
    assert short is not None and "when it is full" not in plan_shown(short)


def test_the_plan_tells_how_codes_are_drawn_behind_a_picture() -> None:
    text = plan_shown(plan_of((SPECS / "digits_vq_prior.gen").read_text(encoding="utf-8")))
    assert "prior  (batch, 16), token by token from what is kept of those before\n" in text
