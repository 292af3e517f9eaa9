"""The folder of a run and the step of a checkpoint in, its model card out: what is known of it, and what is not.

What a person says stands in the spec's `card`; all else is read from what the run wrote down. What nobody said or
measured is said to be unknown, never left out. Nothing here loads TensorFlow or NumPy, and nothing in the folder is
believed to be well formed: it may come from a stranger.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gendsl.export.card.document import Card, Cell, Code, Facts, Listing, Part, Picture, Said, Section, Table
from gendsl.export.card.hub import metadata_of
from gendsl.export.card.scoring import Taken, memorisation, scores, taken_at
from gendsl.export.chain import Origin
from gendsl.export.gate import required_of, said_in
from gendsl.export.marks import sentence
from gendsl.plan.cost import work_of
from gendsl.plan.plan import Plan
from gendsl.report.frames import Frame, films_of
from gendsl.report.page import duration
from gendsl.report.story import Story
from gendsl.run.scores import shown_value
from gendsl.vocabulary.exports import FIELDS

_UNSAID = "not known: nobody said it"
_MOST_CLASSES = 40
_LONGEST = 300  # characters of a value


def card_of(story: Story, plan: Plan, origin: Origin, *, notes: Sequence[str] = (), beside: bool = False) -> Card:
    """The card of a model with the weights of a checkpoint; `notes` are what its export was let pass with.

    `beside` tells that the card is written into the run's folder, whose pictures it may point to."""
    taken = taken_at(story, origin.step)
    said = said_in(plan)
    sections = (
        Section("About", (_about(plan, said),)),
        Section("Samples", _samples(story, origin.step, beside=beside)),
        Section("Data", _data(story, plan)),
        Section("Scores", scores(story, taken, origin.step)),
        Section("Memorisation", memorisation(story, plan, taken, origin.step, notes)),
        Section("Classes of the samples", (Said(_classes(story, plan, taken)),)),
        Section("Training", _training(plan, origin.step)),
        Section("Compute", (_compute(story, plan, origin.step),)),
        Section("Versions", (_versions(story),)),
        Section("Provenance", _provenance(origin)),
    )
    summary = said.get("summary", "What it makes is not known: the spec's card has no summary.")
    return Card(plan.experiment, summary, metadata_of(plan, story.data, taken, said), sections)


def _about(plan: Plan, said: Mapping[str, str]) -> Facts:
    required = required_of(plan)
    rows = []
    for name in FIELDS:
        unsaid = f"{_UNSAID}, and the card requires it" if name in required else _UNSAID
        rows.append((name.replace("_", " "), said.get(name, unsaid)))
    return Facts(tuple(rows))


def _samples(story: Story, step: int, *, beside: bool) -> tuple[Part, ...]:
    """What samples looked like at the step, or at the nearest before it of which there is a picture."""
    parts: list[Part] = []
    for film in films_of(story.folder):
        frame = _nearest(film.frames, step, final=story.step) if not film.view else None
        if frame is None:
            continue
        when = f"samples{f' ({film.output})' if film.output else ''} after {_at(frame, story):,} steps"
        if frame.picture:
            parts.append(Picture(frame.picture, _path(story.folder.path, frame, film.output) if beside else "", when))
        else:
            parts += [Said(f"{when}:"), Listing(frame.text[:4_000])]
    return tuple(parts) or (Said(f"None: the run left no picture of samples up to step {step:,}."),)


def _nearest(frames: Sequence[Frame], step: int, *, final: int) -> Frame | None:
    found = [frame for frame in frames if (final if frame.step is None else frame.step) <= step]
    return found[-1] if found else None


def _at(frame: Frame, story: Story) -> int:
    return story.step if frame.step is None else frame.step


def _path(folder: Path, frame: Frame, output: str) -> str:
    """The picture's path in the run's folder; empty where it is not found by its name, or has one that links break."""
    when = "final" if frame.step is None else str(frame.step)
    suffix = f"-{output}.png" if output else ".png"
    for stem in ("grid", "step"):
        path = folder / "samples" / f"{stem}-{when}{suffix}"
        if path.is_file() and not set(path.name) & set("<>\\\n"):
            return f"samples/{path.name}"
    return ""


def _data(story: Story, plan: Plan) -> tuple[Part, ...]:
    sources = story.data.get("sources")
    parts: list[Part] = []
    for number, source in enumerate(sources if isinstance(sources, list) else []):
        if not isinstance(source, Mapping):
            continue
        call = plan.data.sources[number].call if number < len(plan.data.sources) else None
        word = _line(source.get("word"))
        came = _line(source.get("from") or (call.arguments.get("from") or call.arguments.get("name") if call else None))
        rows: list[tuple[str, Cell]] = [
            ("source", f"{word} {came}" if came else word),
            ("examples", _line(source.get("examples")) or "not known"),
            ("by split", _line(source.get("splits")) or "not known"),
            ("licence, as the source tells it", _line(source.get("licence")) or "not known: the source tells none"),
            ("left out", _line(source.get("dropped")) or "nothing"),
            ("in training and in another split too", _line(source.get("leaks")) or "nothing found"),
            ("SHA-256 of the content", _code(source.get("sha256"))),
        ]
        parts.append(Facts(tuple(rows)))
    if not parts:
        parts.append(Said("Not known: the run's data.json is missing, or tells of no source."))
    curated = ", ".join(f"{call.word} {_line(call.arguments.get('what'))}".strip() for call in plan.data.curate)
    split = ", ".join(f"{name} {100 * share:g} %" for name, share in (plan.data.split or {}).items())
    parts.append(
        Facts(
            (
                ("examples by split, as trained and scored", _line(story.data.get("sizes")) or "not known"),
                ("curation that the spec asks for", curated or "none"),
                ("split by the spec", split or "no: the source's own splits, or none"),
            )
        )
    )
    if (table := _class_counts(story)) is not None:
        parts += [Said("Training examples by class:"), table]
    return tuple(parts)


def _class_counts(story: Story) -> Table | None:
    names, counts = story.data.get("class_names"), story.data.get("class_counts")
    if not isinstance(counts, list) or not counts or not all(isinstance(one, int) and one >= 0 for one in counts):
        return None
    named = names if isinstance(names, list) and len(names) == len(counts) else list(range(len(counts)))
    total = max(1, sum(counts))
    pairs = sorted(zip(named, counts, strict=True), key=lambda pair: -pair[1])[:_MOST_CLASSES]
    rows = [(_line(name), f"{count:,}", f"{100 * count / total:.1f} %") for name, count in pairs]
    if len(counts) > len(pairs):
        rest = total - sum(count for _, count in pairs)
        rows.append((f"{len(counts) - len(pairs):,} smaller classes", f"{rest:,}", f"{100 * rest / total:.1f} %"))
    return Table(("class", "examples", "share"), tuple(rows))


def _classes(story: Story, plan: Plan, taken: Sequence[Taken]) -> str:
    """What is known of how often samples are of each class."""
    for one in taken:
        if one.name == "class_balance":
            return (
                f"{shown_value(one.key, one.value)} of the samples would have to be of another class to be as often of "
                "each as the training data (see Data): what a classifier sees that was trained on it (class_balance)."
            )
    inputs = plan.sample.inputs if plan.sample is not None else ()
    given = [field.name for field in plan.data.fields if field.drawn and field.name in inputs]
    if given:
        return (
            f"Samples are made for a {given[0]}. Where none is asked for, it is drawn as often as it stands in the "
            "training data (see Data). Whether a sample shows what it was asked to show is told by scores, if at all."
        )
    if story.data.get("class_counts"):
        return (
            "Not measured: the model is not told of classes, and class_balance, which counts those of its samples, was "
            "not scored. They may be less even than those of the training data."
        )
    return "Not applicable: the data has no classes."


def _training(plan: Plan, step: int) -> tuple[Part, ...]:
    networks = ", ".join(
        f"{network.name} {network.weights:,}" if isinstance(network.weights, int) else f"{network.name} not known"
        for network in plan.networks
    )
    seed = plan.train.settings.get("seed")
    precision = plan.train.settings.get("precision")
    params = ", ".join(f"{name} = {_line(value)}" for name, value in plan.params.items())
    averaged = ", ".join(_line(call.arguments.get("network")) for call in plan.train.ema)
    equations = "\n".join(
        f"{update.name}: {update.equation}"
        for group in plan.train.groups
        for update in group.updates
        if update.equation
    )
    facts = Facts(
        (
            ("steps", f"{step:,}"),
            ("batch", f"{plan.data.batch:,}"),
            ("trainable parameters", networks),
            ("params of the spec", params or "none"),
            ("seed", _line(seed.arguments.get("seed", seed.arguments.get("value"))) if seed else "0"),
            ("precision", _line(next(iter(precision.arguments.values()), "")) if precision else "float32"),
            ("weights that samples come from", f"moving averages of {averaged}" if averaged else "as trained"),
        )
    )
    return (facts, Said("What each update minimises:"), Listing(equations)) if equations else (facts,)


def _compute(story: Story, plan: Plan, step: int) -> Facts:
    environment = story.environment
    spent = [one.details.get("cpu_seconds") for one in story.happenings]
    cpu = sum(float(one) for one in spent if isinstance(one, (int, float)))
    devices = environment.get("devices")
    listed = [_line(one) for one in devices] if isinstance(devices, list) else []
    gpus = sum(one == "GPU" for one in listed)
    wall = story.seconds
    flops = _flops(plan, step)
    return Facts(
        (
            ("wall time of the whole run", duration(wall) if wall else "not known, or below a second"),
            ("processor time of the whole run", duration(cpu) if cpu else "not known"),
            ("GPU time, devices by wall time", (duration(gpus * wall) if gpus else "none: no GPU was used")),
            (
                "devices",
                ", ".join(dict.fromkeys(listed)) + f", replicas {_line(environment.get('replicas'))}"
                if listed
                else "not known",
            ),
            ("processor", _line(environment.get("processor")) or "not known"),
            ("arithmetic up to this step, by the plan's count", f"{flops:.3g} FLOPs" if flops else "not known"),
            ("energy", "not known: no meter was read"),
        )
    )


def _flops(plan: Plan, step: int) -> float:
    """Of all updates up to a step; 0 where the plan does not know it: phases in epochs, sizes that the data tells."""
    total, left = 0.0, step
    for number, phase in enumerate(plan.train.phases):
        last = number == len(plan.train.phases) - 1
        if phase.length.unit != "steps" and not last:
            return 0.0
        work = work_of(plan, phase.groups)
        if not isinstance(work, int):
            return 0.0
        steps = left if last else min(left, int(phase.length.value))
        total, left = total + float(work) * steps, left - steps
    return total


def _versions(story: Story) -> Facts:
    packages = story.environment.get("packages")
    git = story.environment.get("git")
    rows: list[tuple[str, Cell]] = [
        (name, _line(story.environment.get(name)) or "not known") for name in ("gendsl", "python", "system")
    ]
    rows += [(str(name), _line(one)) for name, one in packages.items()] if isinstance(packages, Mapping) else []
    commit = git.get("commit") if isinstance(git, Mapping) else None
    rows.append(("commit of the spec's repository", _code(commit) if commit else "none: it lay in none"))
    return Facts(tuple(rows))


def _provenance(origin: Origin) -> tuple[Part, ...]:
    hashes = {
        "spec.gen": origin.spec,
        "plan.json": origin.plan,
        "data.json": origin.data,
        "environment.json, but for paths": origin.environment,
        f"checkpoint of step {origin.step:,}": origin.checkpoint,
        "chain of these": origin.head,
    }
    return (
        Said(f"SHA-256 of what the model was made from. What it makes is marked: “{sentence(origin)}”."),
        Facts(tuple((name, _code(value)) for name, value in hashes.items())),
    )


def _code(value: Any) -> Cell:
    return Code(value) if isinstance(value, str) and value else "not known"


def _line(value: Any) -> str:
    """A value of JSON in one line; empty for nothing."""
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**15 else "a very large number"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_line(one)}" for name, one in list(value.items())[:_MOST_CLASSES])[:_LONGEST]
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_line, value[:_MOST_CLASSES]))[:_LONGEST]
    return str(value)[:_LONGEST]
