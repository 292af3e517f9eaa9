"""What there is to tell of a run in, one page of HTML out that needs nothing beside it: no script, font or picture.

Every text of the run is escaped, and the page forbids itself scripts and requests, so that a spec, a name or a file of
a stranger can do nothing in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gendsl import __version__
from gendsl.report.curves import chart, figure
from gendsl.report.frames import Film, films_of
from gendsl.report.marking import listing, safe
from gendsl.report.shell import shell
from gendsl.report.story import Score, Series, Story, now, number_of

_TOGETHER = ("learning_rate", "loss_scale", "skipped")  # one chart each
_TAKEN = ("extractor", "samples", "split")  # of a score's contract, beside its value
_SAID = {
    "finished": "finished",
    "interrupted": "interrupted; all steps are saved",
    "diverged": "diverged",
    "stopped": "stopped by a monitor",
    "running": "still training when this page was made",
    "unfinished": "ended without a word; it can go on from its last checkpoint",
}
_LONG = ("classes", "table", "tokenizer", "first_tokens")  # of a source: what is no line to read
_VIEWS = {
    "samples_fresh": "other samples each time",
    "walk": "between latent points",
    "real_and_generated": "real and generated",
    "neighbours": "samples and the training examples nearest to them",
    "reconstructions": "examples, and their reconstructions below them",
}


def page_of(story: Story) -> str:
    """The page, as HTML."""
    sections = {
        "Samples": _samples(films_of(story.folder)),
        "Scores": _scores(story),
        "Curves": _curves(story),
        "Events": _events(story),
        "Data": _data(story.data),
        "Spec": "" if story.spec is None else f'<pre class="code">{listing(story.spec)}</pre>',
        "Plan": _plan(story),
        "Environment": _environment(story.environment),
    }
    footer = (
        f"Made by gendsl {safe(__version__)} at {safe(now())} from <code>{safe(story.folder.shown)}</code>. "
        "<code>gendsl report</code> makes it again."
    )
    return shell(f"{story.name} · {story.state}", _head(story), sections, footer)


def _head(story: Story) -> str:
    of = f" of {story.last:,}" if story.last is not None and story.last != story.step else ""
    facts = [("steps", f"{story.step:,}{of}")]
    if story.seconds:
        facts.append(("time", duration(story.seconds)))
    facts += [(safe(one.name), f"{figure(one.series.last)}") for one in story.scores[:4] if one.series.last is not None]
    if story.plan is not None:
        weights = sum(int(one.weights) for one in story.plan.networks if isinstance(one.weights, int))
        facts.append(("parameters", f"{weights:,}"))
    tiles = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in facts)
    state = _SAID.get(story.state, story.state)
    return (
        f'<p class="state {safe(story.state)}">{safe(state)}</p><h1>{safe(story.name)}</h1>'
        f'<p class="where"><code>{safe(story.folder.shown)}</code></p><dl class="facts">{tiles}</dl>'
    )


def _samples(films: Sequence[Film]) -> str:
    """The samples themselves over the whole width, other views of them side by side."""
    own = "".join(_film(film) for film in films if not film.view)
    others = "".join(f"<div>{_film(film)}</div>" for film in films if film.view)
    return own + (f'<div class="views">{others}</div>' if others else "")


def _film(film: Film) -> str:
    titles = [_VIEWS.get(film.view, film.view.replace("_", " ")), film.output.replace("_", " ")]
    named = ": ".join(safe(one) for one in titles if one)
    frames = []
    for frame in reversed(film.frames):  # the newest is what a person looks for
        when = "at the end" if frame.step is None else f"step {frame.step:,}"
        what = safe(f"{named or 'samples'}, {when}")
        shown = f'<img src="{frame.picture}" alt="{what}">' if frame.picture else f"<pre>{safe(frame.text)}</pre>"
        kind = "picture" if frame.picture else "text"
        frames.append(f'<figure class="{kind}"><figcaption>{when}</figcaption>{shown}</figure>')
    title = f"<h3>{named}</h3>" if named else ""
    return f'{title}<div class="film" tabindex="0">{"".join(frames)}</div>'


def _scores(story: Story) -> str:
    if not story.scores and not story.evaluations:
        return ""
    rows = []
    for one in story.scores:
        best = one.best
        told = f"{figure(best[1])} <small>at {best[0]:,}</small>" if best else "–"
        last = one.series.last
        way = {"higher": "↑", "lower": "↓"}.get(one.better, "")
        mark = f"<code>{safe(one.fingerprint)}</code>" if one.fingerprint else "–"
        contract = story.contracts.get(one.fingerprint, {})
        taken = "".join(f"<td>{_plain(contract[name]) if contract.get(name) else '–'}</td>" for name in _TAKEN)
        rows.append(
            f'<tr><th scope="row">{safe(one.name)} <small title="{safe(one.better)} is better">{way}</small></th>'
            f"<td>{'–' if last is None else figure(last)}</td><td>{told}</td>{taken}<td>{mark}</td></tr>"
        )
    table = _table(("score", "last", "best", *_TAKEN, "fingerprint"), rows)
    charts = "".join(
        chart(_score_title(one), [one.series], story.happenings, steps=story.step, note=_better_note(one))
        for one in story.scores
        if len(one.series.points) > 1
    )
    explained = "".join(
        f"<details><summary>how <code>{safe(mark)}</code> was taken</summary>{_record(record)}</details>"
        for mark, record in story.contracts.items()
    )
    return f'{table}<div class="charts">{charts}</div>{_later(story)}{explained}'


def _later(story: Story) -> str:
    """The scores that were taken when the training was over, with their intervals."""
    rows = []
    for record in story.evaluations:
        intervals = record.get("intervals")
        for name, value in record.items():
            if name in ("step", "evaluation", "seconds", "resampled") or number_of(value) is None:
                continue
            interval = intervals.get(name) if isinstance(intervals, Mapping) else None
            ends = [number_of(end) for end in interval] if isinstance(interval, list) else []
            within = " to ".join(figure(end) for end in ends if end is not None)
            plain, _, mark = name.partition("#")
            rows.append(
                f'<tr><th scope="row">{safe(plain)}</th><td>{_plain(record.get("step"))}</td><td>{figure(value)}</td>'
                f"<td>{within or '–'}</td><td><code>{safe(mark)}</code></td></tr>"
            )
    head = ("score", "step", "value", "95 % interval", "fingerprint")
    return f"<h3>taken later, by gendsl evaluate</h3>{_table(head, rows)}" if rows else ""


def _table(head: Sequence[str], rows: Sequence[str]) -> str:
    titles = "".join(f'<th scope="col">{title}</th>' for title in head)
    return f'<div class="wide"><table><thead><tr>{titles}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _score_title(one: Score) -> str:
    return one.name.replace("_", " ")


def _better_note(one: Score) -> str:
    return f"{one.better} is better" if one.better else ""


def _curves(story: Story) -> str:
    """A chart of each tag; what belongs to one kind of value for all updates or networks stands in one."""
    groups: dict[str, list[Series]] = {}
    for one in story.curves:
        head, _, tail = one.name.partition("/")
        if head in _TOGETHER and tail:
            groups.setdefault(head, []).append(Series(tail, one.points))
        else:
            groups[one.name] = [one]
    order = sorted(groups, key=lambda name: name.partition("/")[0] in _TOGETHER)  # what updates told comes first
    charts = [
        chart(
            name.replace("_", " ").replace("/", " · "),
            groups[name],
            story.happenings,
            steps=story.step,
            legend=name in _TOGETHER,
        )
        for name in order
    ]
    return f'<div class="charts">{"".join(charts)}</div>' if charts else ""


def _events(story: Story) -> str:
    rows = "".join(
        f'<tr class="{"alarm" if one.what in ("monitor", "rollback", "diverged") else ""}"><td>{one.step:,}</td>'
        f"<td>{safe(one.what)}</td><td>{_details(one.details)}</td><td><time>{safe(one.time)}</time></td></tr>"
        for one in story.happenings
    )
    if not rows:
        return ""
    return (
        '<div class="wide"><table class="events"><thead><tr><th scope="col">step</th><th scope="col">what</th>'
        f'<th scope="col">details</th><th scope="col">when</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def _details(details: Mapping[str, Any]) -> str:
    return "; ".join(f"<span>{safe(name)}</span> {_plain(value)}" for name, value in details.items() if value != "")


def _data(data: Mapping[str, Any]) -> str:
    parts = []
    sizes = data.get("sizes")
    if isinstance(sizes, Mapping) and sizes:
        tiles = "".join(
            f"<div><dt>{safe(name)}</dt><dd>{_plain(count) if count is not None else 'without end'}</dd></div>"
            for name, count in sizes.items()
        )
        parts.append(f'<dl class="facts">{tiles}</dl>')
    names, counts = data.get("class_names"), data.get("class_counts")
    if isinstance(counts, list) and counts and all(isinstance(one, int) and 0 <= one < 10**12 for one in counts):
        named = names if isinstance(names, list) and len(names) == len(counts) else list(range(len(counts)))
        parts.append(_classes(named, counts))
    sources = data.get("sources")
    for source in sources if isinstance(sources, list) else ():
        if isinstance(source, Mapping):
            tokenizer = source.get("tokenizer")
            word = {"tokenizer": tokenizer.get("word")} if isinstance(tokenizer, Mapping) else {}
            parts.append(_record({name: value for name, value in source.items() if name not in _LONG} | word))
    return "".join(parts)


def _classes(names: Sequence[Any], counts: Sequence[int]) -> str:
    """How many training examples each class has, as bars; of very many the largest."""
    pairs = list(zip(names, counts, strict=True))
    shown = pairs if len(pairs) <= 40 else sorted(pairs, key=lambda pair: -pair[1])[:40]
    most = max(max(counts), 1)
    rows = "".join(
        f'<li><span>{safe(str(name))}</span><i style="width:{60 * count / most:.1f}%"></i><b>{count:,}</b></li>'
        for name, count in shown
    )
    more = f"<p><small>and {len(pairs) - len(shown):,} smaller classes</small></p>" if len(pairs) > len(shown) else ""
    return f'<h3>training examples by class</h3><ul class="bars">{rows}</ul>{more}'


def _plan(story: Story) -> str:
    if story.plan is None:
        return f'<p class="problem">{safe(story.plan_problem)}</p>'
    from gendsl.plan.show import plan_shown

    try:
        text = plan_shown(story.plan)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:  # a plan changed by hand
        return f'<p class="problem">the plan cannot be shown: {safe(str(error))}</p>'
    return f'<pre class="code">{safe(text)}</pre>'


def _environment(environment: Mapping[str, Any]) -> str:
    return _record(environment) if environment else ""


def _record(record: Any) -> str:
    """A record as a list of names and values."""
    if not isinstance(record, Mapping):
        return f"<p>{_plain(record)}</p>"
    rows = "".join(
        f"<div><dt>{safe(str(name).replace('_', ' '))}</dt><dd>{_plain(value)}</dd></div>"
        for name, value in record.items()
        if value not in (None, {}, [], "")
    )
    return f'<dl class="record">{rows}</dl>'


def _plain(value: Any, *, depth: int = 0) -> str:
    """A value of JSON in one line."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and abs(value) < 10**15:
        return f"{value:,}"
    if isinstance(value, float):
        return figure(value) if value == value and abs(value) < 1e300 else safe(str(value))
    if value is None:
        return "none"
    if depth > 4:
        return "…"
    if isinstance(value, Mapping):
        return _joined(f"{safe(str(name))} {_plain(one, depth=depth + 1)}" for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return _joined(_plain(one, depth=depth + 1) for one in value)
    return safe(str(value)[:2_000])


def _joined(parts: Iterable[str], most: int = 60) -> str:
    found = list(parts)
    return ", ".join(found[:most]) + (f" and {len(found) - most:,} more" if len(found) > most else "")


def duration(seconds: float) -> str:
    """`42 s`, `3 min 20 s`, `5 h 7 min`, `2 d 4 h`."""
    whole = round(seconds)
    for size, name, next_size, next_name in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // next_size
            return f"{whole // size:,} {name}" + (f" {rest} {next_name}" if rest else "")
    return f"{whole} s"
