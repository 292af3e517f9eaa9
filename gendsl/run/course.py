"""What alarms have changed in, how a run goes on out: with which draws, learning rates and bindings of `train`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gendsl.lower.errors import UserError
from gendsl.plan.plan import Call

_OWN = ("scale_learning_rate", "at_most")  # arguments of `rollback`; all others are changes


@dataclass(frozen=True, slots=True)
class Course:
    """A run's course: the number of the attempt, by which draws are keyed, and what differs from the plan."""

    attempt: int = 0
    scale: float = 1.0  # of all learning rates
    values: Mapping[str, float] = field(default_factory=dict)  # of `learning_rate` and bindings of `train`
    rollbacks: Mapping[str, int] = field(default_factory=dict)  # how often each alarm has led back
    began: int = 0  # the step from which this attempt goes on
    told: str = ""  # why

    def led_back(self, alarm: str, policy: Call, *, then: "Course", step: int, told: str) -> "Course":
        """The course after a rollback to a step, at which it was `then`."""
        return Course(
            attempt=self.attempt + 1,
            scale=self.scale * float(policy.arguments["scale_learning_rate"]),
            values={**then.values, **_changes(policy)},
            rollbacks={**self.rollbacks, alarm: self.rollbacks.get(alarm, 0) + 1},
            began=step,
            told=told,
        )

    def changed(self, policy: Call) -> "Course":
        """The course after `set`."""
        return replace(self, values={**self.values, **_changes(policy)})

    def may_lead_back(self, alarm: str, policy: Call) -> bool:
        """Whether an alarm has not yet led back as often as it may."""
        return self.rollbacks.get(alarm, 0) < int(policy.arguments["at_most"])

    def lead(self, experiment: Any) -> None:
        """Makes an experiment follow it; graphs that were traced before follow the course of then."""
        if self.attempt or self.scale != 1.0 or self.values:
            experiment.follow(attempt=self.attempt, scale=self.scale, values=self.values)

    def record(self) -> dict[str, Any]:
        """As plain numbers, for a checkpoint and for other workers."""
        return {
            "attempt": self.attempt,
            "scale": self.scale,
            "values": dict(self.values),
            "rollbacks": dict(self.rollbacks),
            "began": self.began,
            "told": self.told,
        }


def course_of(record: Any) -> Course:
    """The course in a record, that of a plan if there is none. Raises UserError for a damaged one."""
    if not record:
        return Course()
    try:
        return Course(
            attempt=int(record["attempt"]),
            scale=float(record["scale"]),
            values={str(name): float(value) for name, value in record["values"].items()},
            rollbacks={str(name): int(value) for name, value in record["rollbacks"].items()},
            began=int(record["began"]),
            told=str(record["told"]),
        )
    except (LookupError, TypeError, ValueError, AttributeError):
        raise UserError(
            "a checkpoint's record of what alarms have changed is damaged", "remove that checkpoint, or start anew"
        ) from None


def _changes(policy: Call) -> dict[str, float]:
    return {name: float(value) for name, value in policy.arguments.items() if name not in _OWN}
