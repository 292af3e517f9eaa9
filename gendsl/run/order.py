"""What a person asks for, as data: what to train and how (`Order`), and where (`Where`)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gendsl.plan.plan import Call, Plan

Ask = Callable[[str, bool], bool]  # a question, the answer to an empty line -> yes or no


@dataclass(frozen=True, slots=True)
class Order:
    """What is trained, and how: what `gendsl run` is given, and `gendsl resume` finds in a run's folder.

    `steps` ends the run earlier and leaves schedules at the spec's length; 0 makes all ready, draws and scores once.
    """

    plan: Plan
    source_text: str
    spec_path: str
    project: str  # the folder that the spec's paths are relative to
    settings: Mapping[str, str] = field(default_factory=dict)  # of its params
    steps: int | None = None
    overfit: bool = False
    strategy_asked: Call | None = None  # over that of the spec

    @property
    def strategy(self) -> Call | None:
        """How the step is laid over devices; None where neither the spec nor the person says so."""
        setting = self.plan.train.settings.get("strategy")
        of_spec: Call | None = None if setting is None else setting.arguments["kind"]
        return self.strategy_asked or of_spec

    def changed(self, *, steps: int | None = None, strategy: Call | None = None) -> "Order":
        """The same but for what is given."""
        asked = self.strategy_asked if strategy is None else strategy
        return replace(self, steps=self.steps if steps is None else steps, strategy_asked=asked)

    @property
    def deterministic(self) -> bool | None:
        """Whether the kernels must give the same bits again; None where the spec does not say."""
        setting = self.plan.train.settings.get("deterministic")
        return None if setting is None else bool(setting.arguments["choice"])

    @property
    def options(self) -> dict[str, Any]:
        """What `gendsl resume` needs beside the spec, as JSON data."""
        from gendsl.plan.show import call_shown

        return {
            "settings": dict(self.settings),
            "steps": self.steps,
            "overfit": self.overfit,
            "strategy": None if self.strategy_asked is None else call_shown(self.strategy_asked),
        }


@dataclass(frozen=True, slots=True)
class Where:
    """The folder to train in (None: one of its own under `runs/`), and what to do with a run that is there already.

    `ask` puts a question to the person at the terminal; None where nobody is.
    """

    out: Path | None = None
    resume: bool = False
    fresh: bool = False
    allow_changes: bool = False
    ask: Ask | None = None
