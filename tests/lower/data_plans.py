"""Plans that are nothing but data, for the tests of `gendsl.lower.data`."""

from collections.abc import Mapping
from typing import Any

from gendsl.check.headers import field_of, header_of
from gendsl.plan.plan import Augment, Call, Data, Group, Plan, Source, Train
from gendsl.vocabulary import WORDS


def call_of(category: str, name: str, /, **arguments: Any) -> Call:
    """A call of a word with its defaults filled in."""
    found = WORDS[category][name]
    defaults = {parameter.name: parameter.default for parameter in found.parameters}
    assert not set(arguments) - set(defaults), f"{name} takes {sorted(defaults)}"
    return Call(name, {**defaults, **arguments})


def plan_of(
    sources: Call | Mapping[str, Call],
    folder: str = ".",
    *,
    fields: Mapping[str, Mapping[str, Any]] | None = None,
    split: Mapping[str, float] | None = None,
    batch: int = 4,
    shuffle: bool = True,
    augment: tuple[Call, ...] = (),
    times: int = 1,
    seed: int | None = None,
    pairs: str | None = None,
    curate: tuple[Call, ...] = (),
    cache: bool | None = None,
    window: int | None = None,
    stride: int | None = None,
) -> Plan:
    """A plan with the fields that its sources' headers give, transformed by `fields`: {"image": {"range": (-1, 1)}}."""
    named = {"": sources} if isinstance(sources, Call) else dict(sources)
    made = []
    for name, call in named.items():
        header = header_of(call, folder)
        for given in header.fields[: 1 if name else None]:
            statement = call_of("data", given.kind, **(fields or {}).get(given.name, {}))
            field, problems = field_of(given, statement, name=name, source=name, window=window)
            assert not problems, problems
            made.append(field)
    data = Data(
        tuple(Source(name, call) for name, call in named.items()),
        tuple(made),
        curate,
        split,
        batch,
        shuffle,
        cache,
        pairs=pairs,
        window=window,
        stride=stride,
    )
    settings = {} if seed is None else {"seed": Call("seed", {"number": seed})}
    train = Train((Group((), (), times),), (), {}, (), settings)
    return Plan("test", {}, data, Augment(data=augment), (), train, None, (), (), (), (), None, {})
