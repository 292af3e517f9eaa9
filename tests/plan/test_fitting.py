"""What would fit into so much memory: what is told holds by the estimate, and no more than is needed is given up."""

import re

import pytest

from gendsl.frozen import replace
from gendsl.plan import machine
from gendsl.plan.cost import cost_of, work_of
from gendsl.plan.fitting import fitting
from gendsl.plan.plan import Plan
from gendsl.plan.show import plan_shown
from tests.check.specs import plan_of, spec

TRAIN = "train { objective gan(); optimizer adam(1e-3); steps 5; MORE }"


def planned(more: str = "", batch: int = 64) -> Plan:
    plan = plan_of(spec(train=TRAIN.replace("MORE", more)))
    return replace(plan, data=replace(plan.data, batch=batch))


def total(plan: Plan) -> int:
    found = cost_of(plan).total
    assert isinstance(found, int)
    return found


def test_the_largest_batch_that_fits_is_told_and_what_else_would_do() -> None:
    plan = planned(batch=1000)
    room = total(planned(batch=300))
    told = fitting(plan, room)
    assert told.startswith("`batch 256` would fit by the estimate; so would the batch of 1,000 with ")
    assert total(planned(batch=256)) <= room < total(planned(batch=512))
    parts = int(re.search(r"`accumulate (\d+)`", told)[1])
    assert total(planned(f"accumulate {parts}", batch=1000)) <= room < total(planned("accumulate 2", batch=1000))


def test_what_is_there_already_is_not_told_and_what_cannot_be_is_said() -> None:
    plan = planned("precision mixed_bfloat16; accumulate 2", batch=1000)
    told = fitting(plan, total(plan) // 2)
    assert "precision" not in told and "accumulate" not in told
    batch = int(re.match(r"`batch (\d+)`", told)[1])
    assert batch % 2 == 0
    assert fitting(plan, 10) == "no batch of this plan would fit by the estimate: make its networks smaller"


def test_a_step_that_takes_more_than_its_estimate_gets_less() -> None:
    plan = planned(batch=1024)
    assert fitting(plan, total(plan)).startswith("`batch 512`")
    assert fitting(plan, total(plan), beyond=2.0).startswith("`batch 256`")  # the weights count, too


def test_accumulate_holds_a_part_and_recompute_the_largest_network() -> None:
    plain, parts = cost_of(planned()), cost_of(planned("accumulate 4"))
    assert parts.activations * 4 == plain.activations and parts.flops == plain.flops
    deep = "network discriminator(x: image) -> logits(1) { flatten | dense 64 | relu | dense 64 | relu | dense 1 }"
    plan = plan_of(spec(discriminator=deep, train=TRAIN.replace("; MORE", "")))
    plain = cost_of(plan)
    again = cost_of(replace(plan, networks=tuple(replace(one, recompute=True) for one in plan.networks)))
    assert again.activations < plain.activations and again.flops > plain.flops


def test_the_plan_tells_the_work_of_a_step_and_of_its_updates() -> None:
    text = plan_shown(planned(batch=64))
    plan = planned()
    assert work_of(plan, [0, 1]) == cost_of(plan).flops
    assert re.search(r"work +[\d.]+ [MG] FLOPs a step: discriminator [\d.]+ [MG] \+ generator [\d.]+ [MG]", text), text


def test_memory_is_the_least_that_anything_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "/proc/meminfo": "MemTotal:       16000 kB\nMemAvailable:   9000 kB\n",
        "/proc/self/cgroup": "0::/a/b\n",
        "/sys/fs/cgroup/a/b/memory.max": "max\n",
        "/sys/fs/cgroup/a/b/memory.current": "5000\n",
        "/sys/fs/cgroup/a/memory.max": "8192000\n",
        "/sys/fs/cgroup/a/memory.current": "5000000\n",
        "/sys/fs/cgroup/a/memory.stat": "anon 1\ninactive_file 1000000\n",
    }
    monkeypatch.setattr(machine, "_text", lambda path: files.get(path, ""))
    assert machine.memory() == 8192000
    assert machine.free_memory() == 8192000 - 4000000
    files["/proc/self/cgroup"] = "9:name=systemd:/\n4:memory,cpu:/job\n"
    files["/sys/fs/cgroup/memory/memory.limit_in_bytes"] = "9223372036854771712\n"
    files["/sys/fs/cgroup/memory/memory.usage_in_bytes"] = "1\n"
    files["/sys/fs/cgroup/memory/job/memory.limit_in_bytes"] = "4096000\n"
    files["/sys/fs/cgroup/memory/job/memory.usage_in_bytes"] = "96000\n"
    assert (machine.memory(), machine.free_memory()) == (4096000, 4000000)
    files["/proc/self/cgroup"] = ""
    assert (machine.memory(), machine.free_memory()) == (16000 * 1024, 9000 * 1024)
