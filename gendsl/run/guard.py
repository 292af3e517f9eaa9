"""What a run tells in, what its alarms ask for out; and which checkpoint is the last good one.

A good checkpoint is one whose next check passed: none of the alarms that would lead back held then.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gendsl.lower.errors import UserError
from gendsl.monitor.monitors import Firing, Monitors, monitors_of
from gendsl.monitor.names import of_log, of_scores
from gendsl.plan.plan import Call, Plan
from gendsl.plan.show import call_shown
from gendsl.run.course import Course, course_of
from gendsl.vocabulary.monitors import values_of
from gendsl.vocabulary.score_keys import plain

_BACK = "rollback"


@dataclass(slots=True)
class Guard:
    """The alarms of a run with its course; `asked` is the gravest that fired since one was acted on."""

    plan: Plan
    monitors: Monitors
    course: Course = field(default_factory=Course)
    good: int | None = None  # the step of the last good checkpoint; None where nothing leads back
    finite: int | None = None  # that of the last after which a log held numbers: enough for `diverged`
    asked: Firing | None = None
    _saved: list[int] = field(default_factory=list)  # steps of the checkpoints since, not checked yet

    @property
    def leads_back(self) -> bool:
        """Whether any alarm may lead back."""
        policies = [watched.policy for watched in self.monitors.watched]
        return any(policy.word == _BACK for policy in (*policies, self.monitors.diverged) if policy is not None)

    @property
    def pinned(self) -> frozenset[int]:
        """The steps of the checkpoints that it may have to go back to."""
        return frozenset(step for step in (self.good, self.finite) if step is not None)

    def back_to(self, firing: Firing) -> int:
        """The step that a firing leads back to."""
        assert self.good is not None
        return max(self.good, self.finite or 0) if firing.name == "diverged" else self.good

    def log(self, step: int, values: Mapping[str, float]) -> list[Firing]:
        """What fires on the means of a log."""
        fired = self._check(step, of_log(values))
        if self._saved and not self.monitors.holds(_BACK):
            self.finite = self._saved[-1]
        return fired

    def score(self, step: int, number: int, values: Mapping[str, float]) -> list[Firing]:
        """What fires on the scores of an `evaluate` block; a score of several blocks is that of the first."""
        before = self.plan.evaluations[:number]
        others = {name for evaluation in before for name, _ in evaluation.equations}
        others |= {value for one in before for call in one.scores for value in values_of(call.word)}
        return self._check(step, {name: value for name, value in of_scores(values).items() if name not in others})

    def _check(self, step: int, values: Mapping[str, float]) -> list[Firing]:
        fired = self.monitors.check(step, values)
        if self.monitors.checked(_BACK) or not self.monitors.can(_BACK):
            if not self.monitors.holds(_BACK) and self._saved:
                self.good = self.finite = self._saved[-1]
            self._saved.clear()
        fired = [self._within_limits(firing) for firing in fired]
        for firing in fired:
            self._ask(firing)
        return fired

    def diverged(self, step: int, values: Mapping[str, str]) -> Firing | None:
        """What is asked for where values are no numbers any more; None where the run has to end."""
        policy = self.monitors.diverged
        if policy is None or policy.word != _BACK or not self.course.may_lead_back("diverged", policy):
            return None
        why = "; ".join(f"`{name}` is {value}" for name, value in list(values.items())[:3])
        firing = Firing("diverged", step, {}, why, policy)
        self._ask(firing)
        return firing

    def _ask(self, firing: Firing) -> None:
        gravity = ("warn", "set", _BACK, "stop")
        if self.asked is None or gravity.index(firing.policy.word) > gravity.index(self.asked.policy.word):
            self.asked = None if firing.policy.word == "warn" else firing

    def _within_limits(self, firing: Firing) -> Firing:
        """The firing, which stops the run where it has led back often enough."""
        policy = firing.policy
        if policy.word != _BACK or self.course.may_lead_back(firing.name, policy):
            return firing
        why = f"{firing.why}; it has led back {self.course.rollbacks[firing.name]} times"
        return Firing(firing.name, firing.step, firing.values, why, Call("stop", {}))

    def saved(self, step: int) -> None:
        """A checkpoint has been asked for."""
        if self.leads_back:
            self._saved.append(step)

    def record(self) -> dict[str, Any]:
        """All that goes on with the run, for a checkpoint."""
        return {
            "monitors": self.monitors.state(),
            "course": self.course.record(),
            "good": self.good,
            "finite": self.finite,
            "saved": list(self._saved),
        }

    def restore(self, record: Any, *, step: int) -> None:
        """Brings it back to where it stood at a checkpoint's step. Raises UserError for a damaged record."""
        self.asked = None
        self.good = self.finite = step if self.leads_back else None
        self._saved = []
        if not record:
            return
        self.course = course_of(record.get("course"))
        try:
            self.monitors.restore(record["monitors"])
            if self.leads_back and record["good"] is not None:
                self.good, self.finite = int(record["good"]), int(record["finite"])
                self._saved = [int(one) for one in record["saved"]]
        except (LookupError, TypeError, ValueError, AttributeError):
            raise UserError(
                f"the record of the alarms in the checkpoint of step {step} is damaged",
                "remove that checkpoint, or start anew",
            ) from None


def guard_of(plan: Plan, *, steps_per_epoch: int | None) -> Guard:
    """The alarms of a plan, for its run. Raises UserError."""
    return Guard(plan, monitors_of(plan, steps_per_epoch=steps_per_epoch))


def shown_firing(firing: Firing) -> str:
    """`alarm worse: `fid > 20`, for 3 checks (fid 31.2): stop`."""
    values = ", ".join(f"{name} {value:.4g}" for name, value in firing.values.items())
    return f"alarm {firing.name}: {firing.why}{f' ({values})' if values else ''}: {call_shown(firing.policy)}"


def event_of(firing: Firing, guard: Guard) -> dict[str, Any]:
    """A firing for events.jsonl."""
    return {
        "step": firing.step,
        "event": "monitor",
        "name": firing.name,
        "values": {plain(name): value for name, value in firing.values.items()},
        "why": firing.why,
        "do": firing.policy.word,
        "with": {name: value for name, value in firing.policy.arguments.items() if value is not None},
        "attempt": guard.course.attempt,
    } | ({"to": guard.back_to(firing)} if firing.policy.word == _BACK else {})
