"""Times the drawing of text with what is kept of earlier tokens against that from the whole context for each token.

`python benchmarks/generation.py` builds the network of acceptance/text_transformer.gen (4 layers, 128 wide) with a
window of 256, and draws 256 tokens of 8 texts both ways, in turns: the same tokens, as it also checks. It prints the
median of the ratios, and fails below a ratio of 5.
"""

import argparse
import statistics
import sys
import time
from typing import Any

LEAST = 5.0
SPEC = """
experiment text_transformer
data { source text("*.txt"), tokenizer: bytes(); window WINDOW; batch 12 }
network model(tokens: text) -> categorical(text.vocabulary) {
  embed text.vocabulary, WIDTH | position_embed
  repeat DEPTH {
    residual { layer_norm | attention heads: 4, causal: on }
    residual { layer_norm | dense 4*WIDTH | gelu | dense WIDTH }
  }
  layer_norm | dense text.vocabulary, bias: off
}
train { update model, with: adam(1e-3) { minimize mean(nll(model(text), text)) }; steps 1 }
sample { text = generate(model, length: 256) }
"""


def main() -> int:
    """0 where it is fast enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--window", type=int, default=256)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--depth", type=int, default=4)
    options = parser.parse_args()
    ways, tokens = _ways(options), options.batch * options.length
    found = {name: draw(0) for name, draw in ways.items()}  # traced and warm
    same = float((found["kept"] == found["whole"]).mean())
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(options.turns):
        for name, draw in ways.items():
            began = time.perf_counter()
            draw(turn)
            seconds[name].append(time.perf_counter() - began)
    ratios = [whole / kept for whole, kept in zip(seconds["whole"], seconds["kept"], strict=True)]
    for name, each in seconds.items():
        print(f"{name:<6} {tokens / statistics.median(each):>9,.0f} tokens/s")
    ratio = statistics.median(ratios)
    print(f"ratio  {ratio:>9.1f} (from {min(ratios):.1f} to {max(ratios):.1f}); {same:.2%} of the tokens are the same")
    return 0 if ratio >= LEAST and same > 0.99 else 1


def _ways(options: argparse.Namespace) -> dict[str, Any]:
    """Both ways to draw, each a function of the seed that gives tokens (batch, length)."""
    import tensorflow as tf

    from gendsl.check.checker import check
    from gendsl.diagnostics import Problems
    from gendsl.lower.choosing import Choice
    from gendsl.lower.generation import Cached, Recomputed, generated
    from gendsl.lower.ingredients import labels_of, models_of
    from gendsl.lower.stepwise import Stepwise
    from gendsl.parts.keys import Key
    from gendsl.source import Source

    text = SPEC
    for name in ("window", "width", "depth"):
        text = text.replace(name.upper(), str(getattr(options, name)))
    plan = check(Source("text_transformer.gen", text), Problems(), folder="/nowhere")
    assert plan is not None
    models = models_of(plan, 0, labels_of(plan), "float32")
    model, network = models["model"], plan.network("model")

    def way(kept: bool) -> Any:
        @tf.function(autograph=False)
        def draw(seed: Any) -> Any:
            window = options.window
            context = Cached(Stepwise(network, {}, models, []), window) if kept else Recomputed(model, window)
            first = tf.zeros([options.batch, 1], tf.int32)
            key = Key(0, "benchmark", seed)
            return generated(context, first, 1, length=options.length, vocabulary=256, choice=Choice(), key=key)

        return lambda seed: draw(tf.constant(seed, tf.int64)).numpy()

    return {"kept": way(True), "whole": way(False)}


if __name__ == "__main__":
    sys.exit(main())
