"""`--workers` or TF_CONFIG in, the processes of a run and which of them this one is out."""

import contextlib
import json
import socket
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from gendsl.frozen import dataclass
from gendsl.lower.errors import UserError
from gendsl.plan.plan import Call

_FORM = "write `--workers host1:port,host2:port`, the same list on every machine; the first is the chief"
_EXAMPLE = '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True, slots=True)
class Cluster:
    """The processes of a run by address, `host:port`; the first is the chief, which alone writes."""

    addresses: tuple[str, ...]
    index: int  # of this process

    def named(self, index: int) -> str:
        """A worker as a person looks for it."""
        return f"worker {index} ({self.addresses[index]})"

    @property
    def tf_config(self) -> str:
        """What TensorFlow reads from TF_CONFIG."""
        task = {"type": "worker", "index": self.index}
        return json.dumps({"cluster": {"worker": list(self.addresses)}, "task": task})


def cluster_of(workers: str | None, index: int | None, environment: Mapping[str, str]) -> Cluster | None:
    """The cluster that `--workers` names, or else TF_CONFIG; None where neither does.

    Without an `index` this machine's own addresses tell which of the workers it is. Raises UserError.
    """
    if workers is not None:
        addresses = _addresses(workers.split(","), "--workers", _FORM)
        return Cluster(addresses, _own(addresses) if index is None else _within(index, addresses))
    if index is not None:
        raise UserError("--worker says which of the workers this is, but not who they are", _FORM)
    given = environment.get("TF_CONFIG", "").strip()
    return _cluster_in(given) if given else None


def strategy_of(call: Call | None, cluster: Cluster | None) -> Call | None:
    """The strategy to train by: that of several workers, where there are some. Raises UserError if it is another."""
    word = "auto" if call is None else call.word
    if cluster is None:
        if word == "workers":
            raise UserError(
                "`strategy workers` needs to know the workers",
                "`gendsl launch -n 2 SPEC` starts two on this machine; for several machines " + _FORM,
            )
        return call
    if word in ("auto", "workers"):
        return Call("workers", {})
    if len(cluster.addresses) == 1:
        return call
    raise UserError(
        f"there are {len(cluster.addresses)} workers, but `strategy {word}` is for one process",
        "say `--strategy workers`, or unset TF_CONFIG and leave --workers out",
    )


def host_and_port(address: str) -> tuple[str, int]:
    """The parts of `host:port` or `[IPv6]:port`. Raises ValueError."""
    host, colon, port = address.rpartition(":")
    if "//" in address:
        raise ValueError("it is a URL, and not a host and a port")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ValueError("an IPv6 address stands in brackets, `[::1]:2222`")
    if not colon or not host:
        raise ValueError("it has no port" if not colon else "it has no host")
    if not (port.isascii() and port.isdigit()) or not 0 < int(port) < 65536:
        raise ValueError(f"{port or 'nothing'} is no port: a number from 1 to 65535 is needed")
    if any(character.isspace() or character in "/,@" for character in host):
        raise ValueError("its host is not the name of one")
    return host, int(port)


def _addresses(given: Sequence[Any], where: str, help: str) -> tuple[str, ...]:
    found: list[str] = []
    for text in given:
        address = text.strip() if isinstance(text, str) else ""
        if not address:
            raise UserError(f"{where} has {text!r} as an address" if text else f"{where} has an empty address", help)
        try:
            host_and_port(address)
        except ValueError as reason:
            raise UserError(f"the address {address} in {where} cannot be used: {reason}", help) from None
        if address in found:
            raise UserError(f"{address} stands twice in {where}", "each worker has a port of its own")
        found.append(address)
    return tuple(found)


def _within(index: int, addresses: Sequence[str]) -> int:
    if 0 <= index < len(addresses):
        return index
    last = len(addresses) - 1
    raise UserError(
        f"there is no worker {index}: --workers names {len(addresses)}", f"they are counted from 0 to {last}"
    )


def _own(addresses: Sequence[str]) -> int:
    """Which of the addresses is this machine's."""
    own = [index for index, address in enumerate(addresses) if _is_here(host_and_port(address)[0])]
    if len(own) == 1 or len(addresses) == 1:
        return own[0] if own else 0
    raise UserError(
        "several of the workers are on this machine" if own else "none of the workers is on this machine",
        "say by --worker which of them this process is, counted from 0",
    )


def _is_here(host: str) -> bool:
    """Whether a host is this machine: a socket can be bound to an address of its own alone."""
    with contextlib.suppress(OSError, UnicodeError):
        for family, kind, _, _, place in socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM):
            with contextlib.suppress(OSError), socket.socket(family, kind) as trial:
                trial.bind(place)
                return True
    return False


def _cluster_in(given: str) -> Cluster:
    """What TF_CONFIG says: a chief, if one is named, and the workers after it. None of its other roles takes part."""
    try:
        record = json.loads(given)
    except ValueError as error:
        _refuse(f"is not JSON: {error}")
    if not isinstance(record, dict) or not isinstance(cluster := record.get("cluster"), dict) or not cluster:
        _refuse("has no `cluster`")
    for role in cluster:
        if role not in ("chief", "worker"):
            _refuse(f"has the role `{role}`", _help_without(role))
    jobs = {role: cluster.get(role) or [] for role in ("chief", "worker")}
    for role, addresses in jobs.items():
        if not isinstance(addresses, list):
            _refuse(f"does not list the addresses of `{role}`")
    if len(jobs["chief"]) > 1:
        _refuse(f"has {len(jobs['chief'])} chiefs, and one writes")
    addresses = _addresses([*jobs["chief"], *jobs["worker"]], "TF_CONFIG", f"such as {_EXAMPLE}")
    task = record.get("task")
    if not isinstance(task, dict) or "type" not in task or "index" not in task:
        _refuse("has no `task` with a `type` and an `index`: which of the workers is this one?")
    role, index = task["type"], task["index"]
    if role not in jobs:
        _refuse(f"makes this process `{role}`", _help_without(role))
    if isinstance(index, str) and index.isascii() and index.isdigit():
        index = int(index)  # so some schedulers write it
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(jobs[role]):
        _refuse(f"makes this process `{role}` {index}, and there are {len(jobs[role])}, counted from 0")
    return Cluster(addresses, index if role == "chief" else len(jobs["chief"]) + index)


def _help_without(role: Any) -> str:
    if role == "evaluator":
        return "the chief takes the scores; leave the evaluator out"
    if role == "ps":
        return "there are no parameter servers: every worker has all weights; name workers alone"
    return "there are `worker`, and `chief` for the first of them"


def _refuse(reason: str, help: str = "") -> NoReturn:
    raise UserError(f"TF_CONFIG {reason}", help or f"such as {_EXAMPLE}")
