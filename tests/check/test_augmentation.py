"""The `augment` block: what `both` and `ada` stand for, and what the rest of the spec leaves its words without."""

import pytest

from gendsl.plan.difference import differences, training_hash
from gendsl.plan.plan import Quantity
from gendsl.plan.show import plan_shown
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.augmentations import BGC, DIFFERENTIABLE
from tests.check.specs import checked, codes, plan_of, spec

POINTS = "data { source ring(); batch 64 }"


def on_points(augment: str) -> str:
    return (
        spec(augment, data=POINTS)
        .replace("-> image { dense 64 | tanh | reshape 8, 8, 1 }", "-> point { dense 2 }")
        .replace("x: image", "x: point")
    )


def test_ada_without_a_block_is_the_papers_pipeline() -> None:
    both = plan_of(spec("augment { both ada() }")).augment.both
    assert [call.word for call in both] == [
        "flip", "translate", "rotate90", "zoom", "rotate", "stretch", "rotate", "shift",
        "brightness", "contrast", "luma_flip", "hue", "saturation",
    ]  # fmt: skip
    assert both[4].arguments == {"angle": Quantity(180, "degrees"), "mode": "reflect", "probability": 0.5}
    written = plan_of(spec(f"augment {{ both ada() {{ {BGC} }} }}"))
    assert written.augment.both == both and written.not_built == ()


def test_ada_with_a_block_is_that_block() -> None:
    augment = plan_of(spec("augment { flip; both ada(target: 0.5, speed: 1_000) { cutout } }")).augment
    assert [call.word for call in augment.both] == ["cutout"] and [call.word for call in augment.data] == ["flip"]
    assert augment.ada is not None and augment.ada.arguments == {"target": 0.5, "speed": 1000}


def test_the_controller_is_shown_and_is_part_of_the_training() -> None:
    one, other = (plan_of(spec(f"augment {{ both ada(target: {target}) {{ flip }} }}")) for target in (0.6, 0.5))
    assert "control  ada(target: 0.6, speed: 500000)" in plan_shown(one)
    assert [found.text for found in differences(one, other)] == ["augment both: control ada target 0.6 -> 0.5"]
    assert training_hash(one) != training_hash(other)


@pytest.mark.parametrize(
    ("augment", "rule", "message"),
    [
        ("both", "needs_block", "`both` names no transforms"),
        ("both { }", "needs_block", "`both` names no transforms"),
        ("both { mixup }", "misplaced", "`mixup` cannot be done to generated pictures"),
        ("both { both { flip } }", "misplaced", "`both` stands in `both`"),
        ("both ada(target: 2) { flip }", "out_of_range", ""),
        ("both ada() { flop }", "unknown_word", ""),
    ],
)
def test_what_both_cannot_be(augment: str, rule: str, message: str) -> None:
    _, problems = checked(spec(f"augment {{ {augment} }}"))
    assert [problem.rule.code for problem in problems] == [rule]
    assert message in problems[0].message and problems[0].help


@pytest.mark.parametrize("word", sorted(DIFFERENTIABLE | {"mixup"}))
def test_words_of_pictures_need_pictures(word: str) -> None:
    example = WORDS["augment"][word].example
    assert codes(spec(f"augment {{ {example} }}")) == []
    assert codes(on_points(f"augment {{ {example} }}")) == ["misplaced"]


@pytest.mark.parametrize("both", ["both { flip }", "both ada()"])
def test_both_needs_pictures(both: str) -> None:
    _, problems = checked(on_points(f"augment {{ {both} }}"))
    assert [problem.rule.code for problem in problems] == ["misplaced"] and "has none" in problems[0].message


@pytest.mark.parametrize(
    "train",
    [
        "update generator { minimize mean(discriminator(generator())) }",
        "update generator, discriminator { minimize mean(discriminator(-image) + discriminator(generator())) }",
    ],
)
def test_ada_needs_scores_of_real_pictures(train: str) -> None:
    text = spec("augment { both ada() }", train=f"train {{ {train}; optimizer adam(2e-4); steps 10 }}")
    (problem,) = (problem for problem in checked(text)[1] if problem.severity == "error")
    assert problem.rule.code == "no_real_scores" and problem.span.text == "ada()"


def test_mixup_needs_a_training_without_labels() -> None:
    augment = "augment { mixup 0.3 }"
    assert codes(spec(augment)) == [], "the digits have labels, and nothing reads them"
    layers = "from y | embed label.classes, 64 | reshape 8, 8, 1 | add x | flatten | dense 1"
    judge = f"network discriminator(x: image, y: label) -> logits(1) {{ {layers} }}"
    _, problems = checked(spec(augment, discriminator=judge))
    assert [problem.rule.code for problem in problems] == ["mixed_labels"]
    assert problems[0].help == "take out `mixup`, or train without `label`"
