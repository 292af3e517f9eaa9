"""What `monitor` may say: the alarms that are checked, and the mistakes that are told, each with its mend."""

import pytest

from gendsl.check.checker import check
from gendsl.check.monitors import alarms_alone
from gendsl.diagnostics import Problems
from gendsl.plan.plan import Call, Quantity
from gendsl.source import Source

SPEC = """experiment watched
param limit = 20 / 3
param name = "x"
data {
  source gaussians(grid: 2x2, spacing: 2, std: 0.05)
  batch 16
}
network generator(z: normal(2)) -> point { dense 2 }
network discriminator(x: point) -> logits(1) { dense 1 }
train {
  weight = ramp(0, 1)
  update discriminator, with: sgd(1e-2) {
    minimize hinge.discriminator(discriminator(point), discriminator(generator()))
  }
  update generator, with: sgd(1e-2) { minimize weight * hinge.generator(discriminator(generator())) }
  steps 10
}
evaluate every: 5 steps { modes; diversity; precision_recall }
"""


_UNSCORED = "missing_argument: `overfit` without `when:` reads `memorized`, which this spec does not score"
_NO_BINDING = "unknown_argument: `rollback` cannot set `times`: it is no binding of `train`"
_IN_VAIN = "misplaced: `set` leaves the weights as they are, and these are no numbers any more"


def checked(monitor: str) -> tuple[tuple[Call, ...] | None, list[str]]:
    problems = Problems()
    plan = check(Source("watched.gen", SPEC + monitor + "\n"), problems)
    errors = [f"{one.rule.code}: {one.message}" for one in problems.of("error")]
    return None if plan is None else plan.monitors, errors


def test_alarms_in_the_plan() -> None:
    calls, errors = checked(
        "monitor default { worse when: reverse_kl > limit * best(reverse_kl), for: 2 checks, do: set(weight: 0.5)\n"
        "alarm mine, when: generator_loss > -1 and not (precision < 20%), do: rollback(learning_rate: 1e-3) }"
    )
    assert errors == [] and calls is not None
    default, worse, mine = calls
    assert default == Call("default", {})
    assert worse.arguments["when"] == "reverse_kl > 6.666666666666667 * best(reverse_kl)", "params are numbers by then"
    assert worse.arguments["for"] == Quantity(2, "checks") and worse.arguments["do"] == Call("set", {"weight": 0.5})
    assert mine.arguments["name"] == "mine" and mine.arguments["do"].arguments == {
        "learning_rate": 0.001,
        "scale_learning_rate": 1,
        "at_most": 3,
    }


def test_both_statements_come_to_one() -> None:
    for text in ("monitor default\nmonitor { plateau }", "monitor { plateau }\nmonitor default"):
        calls, errors = checked(text)
        assert errors == [] and calls is not None and [call.word for call in calls] == ["default", "plateau"]


@pytest.mark.parametrize(
    ("monitor", "told"),
    [
        ("monitor", "needs_block: `monitor` needs a block"),
        ("monitor defalt", "wrong_type: expected `default`, found the name `defalt`"),
        ("monitor { plateau }\nmonitor { plateau }", "duplicate_block: `monitor` stands twice"),
        ("monitor { default; default }", "duplicate_block: `default` stands here twice"),
        ("monitor { worse when: fid > 2 }", "unknown_score: `fid` is not scored in this spec"),
        ("monitor { worse when: fit > 2 }", "unknown_score: no score or loss is named `fit`"),
        ("monitor { worse when: kid > 2 * best(kid) }", "unknown_score: `kid` is not scored in this spec"),
        ("monitor { worse when: precision_recall > 2 }", "unknown_score: `precision_recall` has several values"),
        ("monitor { worse when: modes > name }", "type_mismatch: `name` is no number"),
        ("monitor { worse when: best(modes, 2) > 1 }", "type_mismatch: `best` takes the name of one score"),
        ("monitor { worse when: best(limit) > 1 }", "unknown_score: no score or loss is named `limit`"),
        ("monitor { worse when: mean(modes) > 1 }", "type_mismatch: `mean` cannot be called in a condition"),
        ("monitor { worse when: modes + 1 }", "type_mismatch: a condition compares: this is a number"),
        ("monitor { worse when: 3 }", "type_mismatch: `when:` takes a condition"),
        ("monitor { overfit }", _UNSCORED),
        ("monitor { alarm when: modes > 1 }", "missing_argument: `alarm` needs a name: its `name`"),
        ("monitor { alarm worse, when: modes > 1 }", "duplicate_name: `worse` is an alarm of the language"),
        (
            "monitor { alarm a, when: modes > 1; alarm a, when: modes > 2 }",
            "duplicate_name: an alarm is named `a` already",
        ),
        ("monitor { plateau do: set }", "missing_argument: `set` says not what to set"),
        ("monitor { plateau do: set(lr: 1) }", "unknown_argument: `set` cannot set `lr`: it is no binding of `train`"),
        ("monitor { plateau do: rollback(times: 2) }", _NO_BINDING),
        ("monitor { diverged do: set(weight: 0) }", _IN_VAIN),
        ("monitor { plateau do: rollback(at_most: 0) }", None),
        ("monitor { plateau for: 3 minutes }", None),
    ],
)
def test_mistakes(monitor: str, told: str | None) -> None:
    calls, errors = checked(monitor)
    assert calls is None and len(errors) == 1 and told in (None, errors[0]), errors


def test_balance_needs_a_side() -> None:
    problems = Problems()
    text = SPEC.replace("discriminator", "judge").replace("hinge.judge", "hinge.discriminator")
    check(Source("watched.gen", text + "monitor { balance }\n"), problems)
    (error,) = problems.of("error")
    assert "an update named `discriminator` or `critic`, and there is none" in error.message


def test_a_file_of_alarms_alone() -> None:
    problems = Problems()
    text = "param limit = 20\nmonitor { worse when: anything > limit }\n"
    calls = alarms_alone(Source("m.gen", text), problems, {"limit": "30"})
    assert calls is not None and calls[0].arguments["when"] == "anything > 30" and len(problems) == 0
    assert alarms_alone(Source("watched.gen", SPEC), Problems(), {}) is None
    assert alarms_alone(Source("m.gen", "monitor { worse when: }\n"), problems, {}) is not None and problems.failed
