"""Several workers: who they are, how they come together, and what is said when one does not come."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gendsl.lower.errors import UserError
from gendsl.plan.plan import Call
from gendsl.run.barrier import meet
from gendsl.run.cluster import Cluster, cluster_of, host_and_port, strategy_of
from gendsl.run.crew import ALONE, Decision
from gendsl.run.launch import free_addresses
from gendsl.run.workers import lost_workers

ONE, TWO = "127.0.0.1:4001", "127.0.0.1:4002"
PLAN = {"plan": "c0ffee"}


def config(**changes: Any) -> dict[str, str]:
    record = {"cluster": {"worker": [ONE, TWO]}, "task": {"type": "worker", "index": 1}} | changes
    return {"TF_CONFIG": json.dumps(record)}


# Who the workers are


def test_workers_are_told_by_option_or_by_tf_config() -> None:
    told = Cluster((ONE, TWO), 1)
    assert cluster_of(f"{ONE}, {TWO}", 1, {}) == told
    assert cluster_of(None, None, config()) == told
    assert cluster_of(f"{ONE},{TWO}", 0, config()) == Cluster((ONE, TWO), 0), "the option goes before"
    assert cluster_of(None, None, {}) is None and cluster_of(None, None, {"TF_CONFIG": " "}) is None
    assert json.loads(told.tf_config) == json.loads(config()["TF_CONFIG"])


def test_the_chief_of_tf_config_is_the_first_worker() -> None:
    cluster = {"chief": [ONE], "worker": [TWO]}
    assert cluster_of(None, None, config(cluster=cluster, task={"type": "chief", "index": 0})) == Cluster((ONE, TWO), 0)
    assert cluster_of(None, None, config(cluster=cluster, task={"type": "worker", "index": "0"})) == Cluster(
        (ONE, TWO), 1
    )


def test_a_machine_finds_its_own_address() -> None:
    assert cluster_of("203.0.113.1:4001,127.0.0.1:4002", None, {}) == Cluster(("203.0.113.1:4001", "127.0.0.1:4002"), 1)
    with pytest.raises(UserError, match="several of the workers are on this machine"):
        cluster_of(f"{ONE},{TWO}", None, {})
    with pytest.raises(UserError, match="none of the workers is on this machine"):
        cluster_of("203.0.113.1:4001,203.0.113.2:4001", None, {})


@pytest.mark.parametrize(
    ("address", "parts"),
    [("[::1]:22", ("::1", 22)), ("a.example:65535", ("a.example", 65535)), (ONE, ("127.0.0.1", 4001))],
)
def test_an_address_has_a_host_and_a_port(address: str, parts: tuple[str, int]) -> None:
    assert host_and_port(address) == parts


@pytest.mark.parametrize(
    ("workers", "reason"),
    [
        ("", "an empty address"),
        ("host:1,", "an empty address"),
        ("host", "it has no port"),
        (":22", "it has no host"),
        ("host:0", "0 is no port"),
        ("host:65536", "65536 is no port"),
        ("host:²", "is no port"),
        ("::1:22", "brackets"),
        ("http://host:22", "it is a URL"),
        ("ho st:22", "not the name of one"),
        (f"{ONE},{ONE}", "stands twice"),
    ],
)
def test_what_is_wrong_with_an_address_is_said(workers: str, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        cluster_of(workers, 0, {})


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"TF_CONFIG": "{"}, "is not JSON"),
        ({"TF_CONFIG": "[]"}, "has no `cluster`"),
        (config(cluster={}), "has no `cluster`"),
        (config(cluster={"worker": "a:1"}), "does not list the addresses"),
        (config(cluster={"worker": [1]}), "1 as an address"),
        (config(cluster={"worker": [ONE], "ps": [TWO]}), "has the role `ps`"),
        (config(cluster={"worker": [ONE], "evaluator": [TWO]}), "has the role `evaluator`"),
        (config(cluster={"chief": [ONE, TWO]}), "has 2 chiefs"),
        (config(task=None), "has no `task`"),
        (config(task={"type": "worker"}), "has no `task` with"),
        (config(task={"type": "evaluator", "index": 0}), "makes this process `evaluator`"),
        (config(task={"type": "worker", "index": 2}), "`worker` 2, and there are 2"),
        (config(task={"type": "worker", "index": -1}), "`worker` -1"),
        (config(task={"type": "worker", "index": True}), "`worker` True"),
        (config(task={"type": "chief", "index": 0}), "`chief` 0, and there are 0"),
    ],
)
def test_what_is_wrong_with_tf_config_is_said(environment: dict[str, str], reason: str) -> None:
    with pytest.raises(UserError, match=reason) as found:
        cluster_of(None, None, environment)
    assert "TF_CONFIG" in found.value.message and found.value.help


def test_a_number_of_no_worker_is_refused() -> None:
    with pytest.raises(UserError, match="there is no worker 2"):
        cluster_of(f"{ONE},{TWO}", 2, {})
    with pytest.raises(UserError, match="not who they are"):
        cluster_of(None, 0, {})


def test_several_workers_train_by_their_strategy() -> None:
    two = Cluster((ONE, TWO), 0)
    assert strategy_of(None, None) is None
    assert strategy_of(Call("auto", {}), two) == strategy_of(Call("workers", {}), two) == Call("workers", {})
    with pytest.raises(UserError, match="needs to know the workers"):
        strategy_of(Call("workers", {}), None)
    with pytest.raises(UserError, match="2 workers, but `strategy mirrored` is for one process"):
        strategy_of(Call("mirrored", {"replicas": 2}), two)


def test_one_process_agrees_with_itself() -> None:
    decision = Decision(3, 15)
    assert ALONE.chief and ALONE.agree(decision) == decision
    assert ALONE.share_record({"step": 3}) == {"step": 3}
    with pytest.raises(UserError, match="disk full"), ALONE.leading():
        raise UserError("disk full")


@pytest.mark.parametrize(
    ("message", "lost"),
    [
        ("from remote target /job:worker/replica:0/task:2 while calling /tensorflow.WorkerService/RecvBuf", [2]),
        ("Error reported from /job:worker/task:1: unhealthy:\n/job:worker/replica:0/task:1 and", [1]),
        ("Deadline Exceeded\nRPC: /tensorflow.CoordinationService/Heartbeat", [0]),
    ],
)
def test_a_message_tells_who_is_lost(message: str, lost: list[int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        here = f"127.0.0.1:{there.getsockname()[1]}"
        assert lost_workers(message, Cluster((here, here, here, "127.0.0.1:1"), 3)) == lost


def test_who_does_not_answer_is_lost() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        cluster = Cluster((f"127.0.0.1:{there.getsockname()[1]}", *free_addresses(2)), 2)
        assert lost_workers("Connection reset by peer", cluster) == [1]


# What they share

_SHARING = """
import os, sys
import numpy as np
from gendsl.lower.errors import UserError
from gendsl.run.cluster import Cluster
from gendsl.run.crew import Decision
from gendsl.run.loading import load_tensorflow
from gendsl.run.workers import joined

load_tensorflow(alone=False)
import tensorflow as tf

me = int(sys.argv[1])
cluster = Cluster(tuple(sys.argv[2:]), me)
replicas, crew = joined(None, cluster, batch=8, plan={}, seconds=60, waiting=lambda text: None)
assert (replicas.count, crew.index, crew.size, crew.chief) == (2, me, 2, me == 0)

# The first signal of any and the count of the chief.
assert crew.agree(Decision(5 + me, 15 * me)) == Decision(5, 15)

# Every bit of the chief's state: a negative zero, a NaN's payload, half floats, integers, truths, nothing at all.
chief = [
    np.array([0x80000000, 0x7FC00001, 1], np.uint32).view(np.float32),
    np.array([0x8000, 0x3C01], np.uint16).view(np.float16),
    np.array([-(2**62), 3], np.int64),
    np.array(True),
    np.zeros([0, 3], np.float32),
    np.array([[0.1, -0.0]], np.float64),
]
with replicas.scope():
    state = {str(number): tf.Variable(tf.zeros_like(value)) for number, value in enumerate(chief)}
if me == 0:
    for variable, value in zip(state.values(), chief):
        variable.assign(tf.constant(value))
crew.share(state)
for variable, value in zip(state.values(), chief):
    assert variable.numpy().tobytes() == value.tobytes(), (variable, value)

record = {"step": 7, "text": "é", "number": 0.1, "list": [None, True]}
assert crew.share_record(record if me == 0 else {}) == record
crew.compare("data", "the same")
for task, said in (
    (lambda: crew.compare("data", str(me)), "worker 1 (%s) has other data than the chief" % cluster.addresses[1]),
    (lambda: refused(False), "disk full"),
    (lambda: refused(True), "disk full"),
):
    def refused(training):
        if me == 0:
            with crew.leading(training=training):
                raise UserError("disk full", "make room")
        crew.agree(Decision(1, 0)) if training else crew.share_record({})

    try:
        task()
    except UserError as error:
        assert said in error.message and (me == 0 or said != "disk full" or "worker 0" in error.message), error.message
    else:
        raise AssertionError(said)
assert crew.agree(Decision(1, 0)) == Decision(1, 0)
print("all is shared")
"""


def in_two_processes(script: str) -> list[tuple[int, str]]:
    """Runs a script as each of two workers; gives their exit codes and what they said."""
    addresses = free_addresses(2)
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1"}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(index), *addresses],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            text=True,
        )
        for index in range(2)
    ]
    said = [process.communicate(timeout=120)[0] for process in started]
    return [(process.returncode, text) for process, text in zip(started, said, strict=True)]


def test_workers_share_the_chiefs_state_bit_for_bit() -> None:
    for code, said in in_two_processes(_SHARING):
        assert code == 0 and "all is shared" in said, said


_LOST_AT_THE_START = """
import os, sys
from gendsl.run import workers
from gendsl.run.barrier import meet
from gendsl.run.cluster import Cluster
from gendsl.run.loading import load_tensorflow

cluster = Cluster(tuple(sys.argv[2:]), int(sys.argv[1]))
if cluster.index == 1:
    meet(cluster, {}, seconds=60)
    os._exit(9)
workers._SECONDS_TO_BEGIN = 2.0
load_tensorflow(alone=False)
workers.joined(None, cluster, batch=8, plan={}, seconds=60, waiting=lambda text: None)
"""


@pytest.mark.slow
def test_a_worker_that_dies_between_meeting_and_beginning_is_named() -> None:
    (code, said), (died, _) = in_two_processes(_LOST_AT_THE_START)
    assert died == 9 and code == -signal.SIGKILL
    assert re.search(r"gendsl: worker 1 \(127.0.0.1:\d+\) was lost while the run began", said), said


# How they come together


def met(cluster: Cluster, plan: dict[str, str] = PLAN, **options: Any) -> Callable[[], str]:
    """A worker that comes to the meeting, in a thread; afterwards, what it was refused for."""
    found: list[str] = []

    def come() -> None:
        try:
            meet(cluster, plan, **({"seconds": 20} | options))
            found.append("")
        except UserError as error:
            found.append(error.message)

    thread = threading.Thread(target=come, daemon=True)
    thread.start()

    def left() -> str:
        thread.join(60)
        return found[0]

    return left


def test_workers_wait_for_one_another() -> None:
    addresses = free_addresses(3)
    told: list[str] = []
    first = met(Cluster(addresses, 0), waiting=told.append)
    second = met(Cluster(addresses, 2))
    time.sleep(1.2)
    third = met(Cluster(addresses, 1))
    assert [first(), second(), third()] == ["", "", ""]
    assert told[0] == f"waiting for worker 1 ({addresses[1]}) and worker 2 ({addresses[2]})"
    assert f"waiting for worker 1 ({addresses[1]})" in told
    for address in addresses:  # the ports are free for TensorFlow at once
        socket.create_server(host_and_port(address)).close()


def test_a_worker_that_never_comes_is_named_in_time() -> None:
    addresses = free_addresses(3)
    began = time.monotonic()
    left = [met(Cluster(addresses, index), seconds=1) for index in (0, 1)]
    for said in left:
        assert said() == f"worker 2 ({addresses[2]}) has not come within 1 seconds (nobody listens there)"
    assert time.monotonic() - began < 5


def test_a_name_that_is_not_known_and_a_stranger_at_the_port_are_told() -> None:
    own = free_addresses(1)[0]
    with pytest.raises(UserError, match=r"worker 1 \(nowhere.invalid:5\) has not come .*\((name|temporary)"):
        meet(Cluster((own, "nowhere.invalid:5"), 0), PLAN, seconds=1)
    with socket.create_server(("127.0.0.1", 0)) as stranger:

        def answer() -> None:
            while True:
                try:
                    stranger.accept()[0].sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
                except OSError:
                    return

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(UserError, match="something else answers there"):
            meet(Cluster((own, f"127.0.0.1:{stranger.getsockname()[1]}"), 0), PLAN, seconds=1)


def test_a_port_in_use_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UserError, match=r"worker 0 .* cannot listen on its port: another process"):
            meet(Cluster((address, TWO), 0), PLAN, seconds=5)


def test_strangers_at_the_door_disturb_nobody() -> None:
    addresses = free_addresses(2)
    first = met(Cluster(addresses, 0))
    time.sleep(0.3)
    for said in (b"", b"GET / HTTP/1.1\r\n\r\n", b"[" * 70_000 + b"\n", b'{"gendsl": 1}\n'):
        with socket.create_connection(host_and_port(addresses[0])) as call:
            call.sendall(said)
    assert met(Cluster(addresses, 1))() == "" == first()


def test_another_plan_is_named_by_all() -> None:
    addresses = free_addresses(3)
    plans = [PLAN | {"tensorflow": "2.21.0"}] * 2 + [PLAN | {"tensorflow": "2.22.0"}]
    left = [met(Cluster(addresses, index), plan) for index, plan in enumerate(plans)]
    said = f"worker 2 ({addresses[2]}) has tensorflow 2.22.0, and the chief 2.21.0"
    assert [one() for one in left] == [said] * 3


def test_a_number_given_twice_and_another_list_are_told() -> None:
    addresses = free_addresses(2)
    other = free_addresses(1)
    first, second = met(Cluster(addresses, 0), seconds=3), met(Cluster((*other, addresses[1]), 1), seconds=3)
    assert "was started with other workers" in first()
    second()
    spare = free_addresses(1)[0]
    first = met(Cluster((spare, addresses[1]), 0), seconds=3)
    second = met(Cluster((addresses[1], spare), 0), seconds=3)
    assert "says that it is worker 0" in first() + second()


def test_a_worker_that_dies_at_the_meeting_is_named_at_once(tmp_path: Path) -> None:
    addresses = free_addresses(3)  # the third never comes, so the others stay
    script = (
        "from gendsl.run.barrier import meet; from gendsl.run.cluster import Cluster;"
        f"meet(Cluster({addresses!r}, 1), {PLAN!r}, seconds=60)"
    )
    dying = subprocess.Popen([sys.executable, "-c", script])
    told: list[str] = []
    left = met(Cluster(addresses, 0), seconds=30, waiting=told.append)
    while f"waiting for worker 2 ({addresses[2]})" not in told:
        time.sleep(0.05)
    began = time.monotonic()
    dying.kill()
    dying.wait()
    assert left() == f"worker 1 ({addresses[1]}) came and went before the run began"
    assert time.monotonic() - began < 5
