"""What is said where a Ray cluster can't be reached, tried without one."""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from src.processing.cluster import connection
from src.processing.cluster.connection import ClusterTroubleError, StartedHere, connected, short
from tests.chroma_servers import free_port

grpc = pytest.importorskip("grpc")

HERE = StartedHere(2, 1000, "/folder")


class FakeRay(SimpleNamespace):
    """Stands in for the module: keeps how it was called, and what Ray would have found then."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(__version__="2.60.0", error=error, how={}, found={})

    def init(self, **how: Any) -> None:
        self.how, self.found = how, {**os.environ}
        if self.error is not None:
            raise self.error


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("RAY_")}
    monkeypatch.setattr(os, "environ", clean)
    monkeypatch.setattr(connection, "ANSWER_S", 0.5)


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> FakeRay:
    made = FakeRay()
    monkeypatch.setitem(sys.modules, "ray", made)
    return made


@pytest.fixture
def silent() -> Iterator[int]:
    """A port where somebody takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def head() -> Iterator[int]:
    """A port where a head lets in whoever has the token "right"."""

    def answer(_: bytes, context: Any) -> bytes:
        if ("authorization", "Bearer right") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "no")
        return b""

    class Head(grpc.GenericRpcHandler):  # type: ignore[misc]
        def service(self, call: Any) -> Any:
            if call.method != "/ray.rpc.RayletDriver/ClusterInfo":
                return None
            return grpc.unary_unary_rpc_method_handler(answer)

    server = grpc.server(ThreadPoolExecutor(2), handlers=(Head(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield port
    server.stop(None).wait()


def why(address: str) -> str:
    with pytest.raises(ClusterTroubleError) as caught:
        connected(address, HERE)
    return str(caught.value)


def test_where_nothing_listens(ray: FakeRay) -> None:
    port = free_port()
    said = why(f"ray://127.0.0.1:{port}")
    assert said.startswith(f"nothing listens on port {port} of 127.0.0.1; start a head there")
    assert f"--ray-client-server-port {port}`" in said


def test_where_ray_address_says_nothing_listens(ray: FakeRay) -> None:
    os.environ["RAY_ADDRESS"] = f"127.0.0.1:{free_port()}"
    assert "which RAY_ADDRESS names; start a head there with `ray start --head --port" in why(
        "auto"
    )


def test_a_name_that_no_machine_has(ray: FakeRay) -> None:
    said = why("ray://nowhere.invalid:10001")
    assert said == (
        'no machine is called "nowhere.invalid"; correct the name, or write its IP address'
    )


def test_a_machine_that_does_not_answer(ray: FakeRay, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", late)
    assert why("ray://studio:10001").startswith("studio does not answer on port 10001; see whether")


def test_what_says_nothing_is_no_head(ray: FakeRay, silent: int) -> None:
    said = why(f"ray://127.0.0.1:{silent}")
    assert said.startswith(f"what listens on port {silent} of 127.0.0.1 is not a Ray head's port")


def test_another_port_of_a_head_is_not_the_one_for_clients(ray: FakeRay, head: int) -> None:
    os.environ["RAY_ADDRESS"] = f"127.0.0.1:{head}"
    assert "which RAY_ADDRESS names, is not a Ray head; `ray start --head` prints" in why("auto")


@pytest.mark.parametrize(
    ("token", "says"), [(None, "it asks for a token"), ("other", "it does not take the token")]
)
def test_without_its_token_the_sentence_says_where_it_is(
    ray: FakeRay, head: int, token: str | None, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_token", lambda: token)
    said = why(f"ray://127.0.0.1:{head}")
    assert said.startswith(says)
    assert "`ray get-auth-token` prints it" in said


def test_with_its_token_ray_is_told_to_use_it(ray: FakeRay, head: int) -> None:
    os.environ["RAY_AUTH_TOKEN"] = "right"
    assert connected(f"ray://127.0.0.1:{head}", HERE) is ray
    assert ray.found["RAY_AUTH_MODE"] == "token"


def test_another_version_says_which(ray: FakeRay) -> None:
    ray.error = RuntimeError(
        "Version mismatch: The cluster was started with:\n    Ray: 2.9.0\n    Python: 3.10.1\n"
        "This process on Ray Client was started with:\n    Ray: 2.60.0\n    Python: 3.11.7\n"
    )
    assert why("auto") == (
        "it runs Ray 2.9.0 with Python 3.10.1, and this machine Ray 2.60.0 with Python 3.11.7; "
        "install the same versions on both"
    )


def test_where_none_runs(ray: FakeRay) -> None:
    ray.error = ConnectionError("Could not find any running Ray instance. Please specify …")
    assert why("auto").startswith("no Ray cluster runs on this machine; start one with `ray start")


def test_one_that_is_started_here_has_a_token_and_a_folder_of_its_own(ray: FakeRay) -> None:
    os.environ["RAY_ADDRESS"] = "somewhere:6379"
    connected("local", HERE)
    assert ray.how["address"] == "local" and ray.how["_temp_dir"] == "/folder"
    assert "RAY_ADDRESS" not in ray.found
    assert ray.found["RAY_AUTH_MODE"] == "token"
    assert re.fullmatch("[0-9a-f]{64}", ray.found["RAY_AUTH_TOKEN"])


def test_of_a_grpc_error_only_its_reason_is_said() -> None:
    class RpcError(Exception):
        def details(self) -> str:
            return "failed to connect"

        def __str__(self) -> str:
            return '<_InactiveRpcError of RPC that terminated with: debug_error_string = "{}">'

    assert short(RpcError()) == "failed to connect"
