"""Which networks `next_token` refuses: those that are known to read later places, and no other."""

from pathlib import Path

import pytest

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.source import Source

SPEC = """experiment words
data { source text("*.txt"); window 8; batch 4 }
network model(tokens: text) -> categorical(text.vocabulary) {
  embed text.vocabulary, 16
  LAYERS
  dense text.vocabulary
}
train { update model, with: sgd(1e-3) { minimize next_token(model, text) }; steps 9 }
sample { text = mode(model(text)) }
"""


def refusals(folder: Path, layers: str, inner: str = "dense 16", *, code: str = "sees_ahead") -> list[str]:
    (folder / "a.txt").write_text("word " * 100)
    problems = Problems()
    text = SPEC.replace("LAYERS", layers)
    text += f"network inner(h: 8x16) -> 8x16 {{ {inner} }}\n" if layers == "inner" else ""
    check(Source("words.gen", text), problems, folder=str(folder))
    assert not [one.message for one in problems if one.severity == "error" and one.rule.code != code]
    return [one.message for one in problems if one.rule.code == code]


@pytest.mark.parametrize(
    "layers",
    [
        "position_embed | residual { rms_norm | attention heads: 2, causal: on }",
        "position_embed sinusoidal | attention heads: 2, groups: 1, causal: on, window: 4, position: rotary",
        "lstm 16, sequences: on | gru 16, sequences: on",
        "conv1d 16, padding: causal | conv1d 16, kernel: 1",
        "layer_norm | dense 16 | swish | dropout 10%",
        "inner",
        'keras.Conv1D 16, kernel_size: 3, padding: "same" | reshape 8, 16',  # Keras's own: nothing is known of it
    ],
)
def test_causal_networks_are_fine(tmp_path: Path, layers: str) -> None:
    assert not refusals(tmp_path, layers, inner="attention causal: on")


@pytest.mark.parametrize(
    ("layers", "word"),
    [
        ("attention heads: 2", "attention"),
        ("attention heads: 2, window: 2", "attention"),
        ("lstm 16, sequences: on, backwards: on", "lstm"),
        ("bidirectional gru(8, sequences: on)", "bidirectional"),
        ("conv1d 16", "conv1d"),
        ("residual { attention causal: on } as h; attention context: h", "attention"),
        ("instance_norm", "instance_norm"),
        ("group_norm 4", "group_norm"),
        ("identity as h; global_average_pool as mean; from h | film mean", "global_average_pool"),
        ("inner", "inner"),
    ],
)
def test_networks_that_see_ahead_are_refused(tmp_path: Path, layers: str, word: str) -> None:
    (told,) = refusals(tmp_path, layers, inner="attention")
    assert told == f"`next_token` asks `model` for tokens that it sees: `{word}` reads later places"


@pytest.mark.parametrize(
    ("layers", "word"),
    [
        ("residual { batch_norm | attention causal: on }", "batch_norm"),
        ("dense 16, bias: off | batch_norm synchronized: on | relu", "batch_norm"),
        ("inner", "batch_norm"),
    ],
)
def test_a_norm_of_a_batch_is_advised_against(tmp_path: Path, layers: str, word: str) -> None:
    (told,) = refusals(tmp_path, layers, inner="dense 16 | batch_norm", code="batch_sees_ahead")
    assert told == (
        f"`{word}` takes its moments over all places of a batch, and `next_token` asks `model` for what stands behind "
        "each"
    )


@pytest.mark.parametrize(
    "layers",
    ["layer_norm", "rms_norm", "identity as h; learned_constant 8, 16 | batch_norm as bias; from h | add bias"],
)
def test_norms_of_a_place_and_of_what_is_no_sequence_are_not(tmp_path: Path, layers: str) -> None:
    assert not refusals(tmp_path, layers, code="batch_sees_ahead")
