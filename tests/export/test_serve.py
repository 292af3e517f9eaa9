"""`gendsl serve` as a process on a real export: it answers what a client of TensorFlow Serving sends, and lives on."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from gendsl.export.command import export

PATIENCE = 120  # seconds


@dataclass
class Served:
    """A server: its process, its port, what it said, and the export that it serves."""

    process: subprocess.Popen[str]
    port: int
    said: list[str]
    model: Path

    def ask(self, path: str, document: Any = None) -> tuple[int, Any]:
        data = None if document is None else document if isinstance(document, bytes) else json.dumps(document).encode()
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", data, timeout=PATIENCE) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())


def gendsl(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "gendsl", *map(str, arguments)],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.fixture(scope="module")
def served(conditional: Path) -> Iterator[Served]:
    (exported,) = export(conditional)
    process = gendsl("serve", conditional, "--port", 0, "--limit", 256)
    late = threading.Timer(PATIENCE, process.kill)  # else a server that says nothing would hold the test for ever
    late.start()
    said: list[str] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                break
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", "".join(said))
        assert found is not None, "".join(said)
        late.cancel()
        yield Served(process, int(found[1]), said, exported.path)
    finally:
        late.cancel()
        process.kill()
        process.communicate()


def test_it_tells_where_it_is_and_how_to_ask(served: Served) -> None:
    said = "".join(served.said)
    line = re.search(r"curl -d '(.*)' http://127\.0\.0\.1:\d+(/v1/models/served:predict)", said)
    assert line is not None, said
    status, answer = served.ask(line[2], json.loads(line[1]))
    assert status == 200 and np.shape(answer["outputs"]) == (4, 8, 8, 1)
    assert "TensorFlow Serving" in said


def test_it_answers_what_the_model_answers(served: Served) -> None:
    signatures = tf.saved_model.load(str(served.model)).signatures
    for count in (0, 1, 3, 70):
        status, answer = served.ask("/v1/models/served:predict", {"inputs": {"n": count, "seed": 5}})
        wanted = signatures["serving_default"](n=tf.constant(count), seed=tf.constant(5, tf.int64))["image"].numpy()
        assert status == 200
        np.testing.assert_allclose(np.reshape(answer["outputs"], wanted.shape), wanted, atol=1e-6)


def test_rows_and_metadata_are_those_of_the_signatures(served: Served) -> None:
    rows = [{"z": [0.1] * 8, "label": number % 10} for number in range(3)]
    status, answer = served.ask(
        "/v1/models/served/versions/1:predict", {"signature_name": "from_prior", "instances": rows}
    )
    assert status == 200 and np.shape(answer["predictions"]) == (3, 8, 8, 1)
    status, metadata = served.ask("/v1/models/served/metadata")
    default = metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert status == 200 and default["inputs"]["seed"]["dtype"] == "DT_INT64"
    assert default["outputs"]["image"]["tensor_shape"]["dim"][1]["size"] == "8"
    assert default["method_name"] == "tensorflow/serving/predict"
    assert served.ask("/v1/models/served")[1]["model_version_status"][0]["state"] == "AVAILABLE"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_client_that_is_written_for_tensorflow_serving_is_answered(served: Served, tmp_path: Path) -> None:
    client = served.model.parents[1] / "client.sh"
    done = subprocess.run(
        ["sh", str(client), f"127.0.0.1:{served.port}"], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    assert {"served-serving_default.json", "served-labelled.json"} <= {path.name for path in tmp_path.iterdir()}
    pictures = sorted(tmp_path.glob("*.png"))
    assert pictures and all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)


def test_rubbish_and_too_much_are_refused_and_it_lives_on(served: Served) -> None:
    predict = "/v1/models/served:predict"
    for body, part in (
        (b"rubbish", "JSON"),
        (b"[" * 10**6, "depth"),
        (b'{"inputs": {"n": 257, "seed": 1}}', "257 samples"),
    ):
        status, answer = served.ask(predict, body)
        assert status == 400 and part in answer["error"]
    assert served.ask(predict, {"inputs": {"n": 1, "seed": 1}})[0] == 200


def test_a_gigabyte_is_refused_though_it_is_sent(served: Served) -> None:
    """A client that sends first and listens later hears why, too; one that only tells the length, at once."""
    for sent in (0, 64 * 1024**2):
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE)
        connection.putrequest("POST", "/v1/models/served:predict")
        connection.putheader("Content-Length", str(10**9))
        connection.endheaders()
        for _ in range(sent // 2**20):
            connection.send(bytes(2**20))
        answer = connection.getresponse()
        assert answer.status == 413 and "8 MB" in json.loads(answer.read())["error"]
        connection.close()


def test_what_is_no_http_does_not_harm(served: Served) -> None:
    for rubbish in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: [\r\n\r\n",
        bytes(70_000),
    ):
        with socket.create_connection(("127.0.0.1", served.port), timeout=PATIENCE) as opened:
            opened.sendall(rubbish)
            assert opened.recv(12) in (b"HTTP/1.1 400", b"HTTP/1.1 403", b"")
    assert served.ask("/v1/models/served")[0] == 200


def memory(process: subprocess.Popen[str]) -> int:
    """Megabytes in memory."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) // 1024


def test_many_at_once_are_answered_or_told_to_come_again(served: Served) -> None:
    def ask(number: int) -> int:
        return served.ask("/v1/models/served:predict", {"inputs": {"n": 1, "seed": number}})[0]

    with ThreadPoolExecutor(100) as pool:
        found = list(pool.map(ask, range(300)))
    assert set(found) <= {200, 503} and found.count(200) >= 33
    assert served.ask("/v1/models/served")[0] == 200


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_ten_thousand_at_once(served: Served) -> None:
    import asyncio
    import resource

    body = b'{"inputs": {"n": 1, "seed": 1}}'
    head = f"POST /v1/models/served:predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    count = min(10_000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 200)
    before = memory(served.process)

    async def one() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        try:
            writer.write(head.encode() + body)
            return (await reader.readline())[9:12]
        finally:
            writer.close()

    async def all_at_once() -> list[bytes]:
        return await asyncio.gather(*(one() for _ in range(count)))

    found = asyncio.run(asyncio.wait_for(all_at_once(), 240))
    assert set(found) <= {b"200", b"503"} and len(found) == count
    assert memory(served.process) - before < 400
    assert served.ask("/v1/models/served:predict", {"inputs": {"n": 1, "seed": 1}})[0] == 200


def test_a_port_that_is_taken_is_told_before_anything_is_loaded(served: Served) -> None:
    process = gendsl("serve", served.model, "--port", served.port)
    said, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 3 and f"port {served.port} of 127.0.0.1 is taken" in said and "--port 0" in said


def test_a_tampered_export_is_served_with_a_warning(served: Served, tmp_path: Path) -> None:
    assert "warning" not in "".join(served.said), "that of the other tests is as it was exported"
    copy = tmp_path / "served" / "1"
    shutil.copytree(served.model, copy)
    graph = copy / "saved_model.pb"
    graph.write_bytes(graph.read_bytes() + b"\0")
    process = gendsl("serve", copy, "--port", 0)
    try:
        assert process.stdout is not None
        said = [process.stdout.readline(), process.stdout.readline()]
    finally:
        process.kill()
        process.communicate()
    assert "warning" in said[0] and "saved_model.pb was changed" in said[0] and "loading served" in said[1]


def test_ctrl_c_stops_it(served: Served) -> None:
    """The last test: the server of all others ends."""
    served.process.send_signal(signal.SIGINT)
    said, _ = served.process.communicate(timeout=PATIENCE)
    assert served.process.returncode == 0 and "stopped after" in said and "Traceback" not in said
