"""Small specs for the checker's tests, built from parts."""

from gendsl.check.checker import check
from gendsl.diagnostics import Diagnostic, Problems
from gendsl.plan.plan import Plan
from gendsl.source import Source

DATA = "data { source digits(); image range: -1..1; batch 64 }"
GENERATOR = "network generator(z: normal(64)) -> image { dense 64 | tanh | reshape 8, 8, 1 }"
DISCRIMINATOR = "network discriminator(x: image) -> logits(1) { flatten | dense 1 }"
TRAIN = "train { objective gan(); optimizer adam(2e-4); steps 10 }"


def spec(
    *more: str,
    data: str = DATA,
    generator: str = GENERATOR,
    discriminator: str = DISCRIMINATOR,
    train: str = TRAIN,
) -> str:
    """A whole spec, one part a line."""
    return "\n".join(["experiment test", data, generator, discriminator, train, *more, ""])


def checked(text: str, **settings: str) -> tuple[Plan | None, list[Diagnostic]]:
    """The plan and the problems of a text."""
    problems = Problems()
    plan = check(Source("test.gen", text), problems, settings=settings)
    return plan, list(problems)


def plan_of(text: str, **settings: str) -> Plan:
    """The plan of a text that has no errors."""
    plan, problems = checked(text, **settings)
    assert plan is not None, [(d.rule.code, d.message) for d in problems]
    return plan


def codes(text: str) -> list[str]:
    """The rules of the problems of a text, hints left out."""
    return [d.rule.code for d in checked(text)[1] if d.severity != "hint"]
