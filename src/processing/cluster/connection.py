"""A connection to a Ray cluster; each thing that can be wrong with it has a sentence of its own.

It is made in a child process, which Ray ends when a head is gone.
"""

from __future__ import annotations

import os
import re
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from src.cluster_address import AUTO, LOCAL
from src.config import APPLICATION_FOLDER

# For a machine to take a connection, and for what listens there to say what it is.
REACH_S, ANSWER_S = 5.0, 10.0
# What a head answers on its port for clients, and on the one that machines join it by.
_FOR_CLIENTS = "/ray.rpc.RayletDriver/ClusterInfo"
_FOR_MACHINES = "/ray.rpc.NodeInfoGcsService/CheckAlive"
_TOKEN = (
    "; `ray get-auth-token` prints it on its head: put it into the file ~/.ray/auth_token here, "
    "or into RAY_AUTH_TOKEN"
)
_VERSIONS = re.compile(r"Ray: (\S+)\s+Python: (\S+)")

_NOT_INSTALLED = "Ray is not installed here; `pip install -r requirements-cluster.txt` does that"


class ClusterTroubleError(Exception):
    """A cluster can't be used or can't go on; the message is a sentence for a person."""


@dataclass(frozen=True)
class StartedHere:
    """A cluster of this machine alone, for one job.

    Attributes:
        store_bytes: of memory that its processes share.
        folder: for Ray's own files.
    """

    cores: int
    store_bytes: int
    folder: str


def connected(address: str, here: StartedHere) -> Any:
    """Connect to a cluster, or start one; returns the module `ray`.

    Args:
        address: see cluster_address.
        here: what to start where the address is "local".

    Raises:
        ClusterTroubleError: it can't be; the message says what to do.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # how long Ray looks for a head that is gone before it ends this process
    os.environ.setdefault("RAY_gcs_rpc_server_reconnect_timeout_s", "10")
    # workers that are started here find the program; others are sent it
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, (str(APPLICATION_FOLDER), os.environ.get("PYTHONPATH")))
    )
    how: dict[str, Any] = {"address": address, "log_to_driver": False, "logging_level": "error"}
    if address == LOCAL:
        _keep_to_ourselves()
        how |= {
            "num_cpus": here.cores,
            "include_dashboard": False,
            "object_store_memory": here.store_bytes,
            "_temp_dir": here.folder,
            # the network of a laptop may change while it works
            "_node_ip_address": "127.0.0.1",
        }
    else:
        _reach(address)
        sent = {"py_modules": [str(APPLICATION_FOLDER / "src")], "excludes": ["**/__pycache__/**"]}
        how |= {"runtime_env": sent}
    ray = imported()
    try:
        ray.init(**how)
    except Exception as exc:
        raise ClusterTroubleError(_why(exc, address)) from exc
    return ray


def imported() -> Any:
    """Import Ray.

    Raises:
        ClusterTroubleError: it is not installed.
    """
    try:
        import ray
    except ImportError as exc:
        raise ClusterTroubleError(_NOT_INSTALLED) from exc
    return ray


def looked_at(address: str) -> dict[str, Any]:
    """Find out what a cluster is, and start nothing on it.

    Returns:
        How many machines, cores and gpus it has, and Ray's version here. For "local", which is
        not started, no machines.

    Raises:
        ClusterTroubleError: it can't be used.
    """
    if address == LOCAL:
        return {"version": imported().__version__}
    ray = connected(address, StartedHere(1, 0, ""))
    try:
        there = [each["Resources"] for each in ray.nodes() if each["Alive"]]
        ray.shutdown()
    except Exception as exc:
        raise ClusterTroubleError(f"its head does not answer ({short(exc)})") from exc
    return {
        "version": ray.__version__,
        "machines": len(there),
        "cores": int(sum(each.get("CPU", 0) for each in there)),
        "gpus": int(sum(each.get("GPU", 0) for each in there)),
    }


def short(error: BaseException | None) -> str:
    """Write in a line what Ray says: of a trace the last line, which has the reason."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    cause = getattr(error, "cause", None)
    if cause is not None:
        return f"{type(cause).__name__}: {cause}"[:200]
    if callable(details := getattr(error, "details", None)):  # gRPC's, in many lines
        return str(details())[:200]
    return (lines[-1] if "Traceback" in str(error) else " ".join(lines))[:200] or repr(error)[:200]


def _keep_to_ourselves() -> None:
    """Have a cluster that is started here be a new one, which nobody else can use.

    Ray would write a token into this person's home, and ask for it everywhere from then on.
    """
    os.environ.pop("RAY_ADDRESS", None)
    if "RAY_AUTH_MODE" not in os.environ:
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def _reach(address: str) -> None:
    """See whether a head listens where an address says, and what it wants to know.

    Ray asks for half a minute, and can't say what is wrong.
    """
    named = os.environ.get("RAY_ADDRESS") if address == AUTO else address
    found = re.fullmatch(r"(ray://)?\[?([^\[\]/]+?)\]?:(\d+)", named or "")
    if found is None:
        return  # Ray finds the one of this machine, and its token
    host, port = found[2], int(found[3])
    where = f"port {port} of {host}"
    if address == AUTO:
        where += ", which RAY_ADDRESS names,"
    try:
        socket.create_connection((host, port), REACH_S).close()
    except socket.gaierror as exc:
        raise ClusterTroubleError(
            f'no machine is called "{host}"; correct the name, or write its IP address'
        ) from exc
    except ConnectionRefusedError as exc:
        option = "--ray-client-server-port" if found[1] else "--port"
        raise ClusterTroubleError(
            f"nothing listens on {where.rstrip(',')}; start a head there with `ray start --head "
            f"{option} {port}`, or correct the address"
        ) from exc
    except OSError as exc:
        raise ClusterTroubleError(
            f"{host} does not answer on port {port}; see whether it is on, and whether a firewall "
            "lets that port through"
        ) from exc
    _ask(host, port, where, _FOR_CLIENTS if found[1] else _FOR_MACHINES)


def _ask(host: str, port: int, where: str, verb: str) -> None:
    """See whether it is a Ray head that listens, and find its token if it asks for one."""
    mode = os.environ.get("RAY_AUTH_MODE")
    tokens = [None] if mode == "disabled" else [None, _token()]
    try:
        code, token = _answer(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", verb, tokens)
    except ImportError:
        return  # then there is no Ray either
    if code in ("UNIMPLEMENTED", "DEADLINE_EXCEEDED"):
        what = (
            "a Ray head's port for clients; its head was started with that one as "
            "--ray-client-server-port (usually 10001)"
            if verb == _FOR_CLIENTS
            else "a Ray head; `ray start --head` prints where it is (usually port 6379)"
        )
        raise ClusterTroubleError(f"what listens on {where} is not {what}")
    if code == "UNAUTHENTICATED":
        is_wrong = token is not None
        raise ClusterTroubleError(
            f"it {'does not take the token of this machine' if is_wrong else 'asks for a token'}"
            + _TOKEN
        )
    if token is not None and mode is None:
        os.environ["RAY_AUTH_MODE"] = "token"  # Ray looks for it where we did


def _answer(target: str, verb: str, tokens: Sequence[str | None]) -> tuple[str, str | None]:
    """Call what listens somewhere, with one token after another until it is let in.

    Returns:
        gRPC's name for how that ended, and the token.

    Raises:
        ClusterTroubleError: gRPC, which comes with Ray, is not installed.
    """
    try:
        import grpc
    except ImportError as exc:
        raise ClusterTroubleError(_NOT_INSTALLED) from exc
    if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
        return "", None  # Ray has the certificates
    channel = grpc.insecure_channel(target, [("grpc.enable_http_proxy", 0)])
    ended, sent = "", None
    try:
        grpc.channel_ready_future(channel).result(timeout=ANSWER_S)
        for sent in tokens:
            metadata = None if sent is None else [("authorization", f"Bearer {sent}")]
            try:
                channel.unary_unary(verb)(b"", timeout=ANSWER_S, metadata=metadata)
                ended = "OK"
            except grpc.RpcError as exc:
                ended = exc.code().name
            if ended != "UNAUTHENTICATED":
                break
    except grpc.FutureTimeoutError:  # it speaks another language, or none
        ended = "UNIMPLEMENTED"
    finally:
        channel.close()
    return ended, sent


def _token() -> str | None:
    """Return Ray's token of this person, from where Ray itself looks for it."""
    if token := os.environ.get("RAY_AUTH_TOKEN"):
        return token.strip()
    file = os.environ.get("RAY_AUTH_TOKEN_PATH") or Path.home() / ".ray" / "auth_token"
    try:
        return Path(file).read_text(encoding="utf-8").strip() or None
    except (OSError, ValueError):
        return None


def _why(error: Exception, address: str) -> str:
    """Return why Ray did not connect, and what to do."""
    versions = _VERSIONS.findall(str(error))
    if len(versions) == 2:
        (ray, python), (ray_here, python_here) = versions
        return (
            f"it runs Ray {ray} with Python {python}, and this machine Ray {ray_here} with Python "
            f"{python_here}; install the same versions on both"
        )
    if address == LOCAL:
        return f"no cluster could be started here ({short(error)})"
    if address == AUTO and "Could not find any running" in str(error):
        return (
            "no Ray cluster runs on this machine; start one with `ray start --head`, or name one "
            "elsewhere as ray://HOST:10001"
        )
    if address == AUTO and "Failed to connect to Ray cluster" in str(error):
        return (
            "the Ray head of this machine does not answer, or was started by somebody whose token "
            "you lack" + _TOKEN
        )
    if type(error).__name__ == "AuthenticationError":
        return "it asks for a token" + _TOKEN
    return f"it can't be reached ({short(error)})"
