"""Milliseconds of ``/validate`` in process over TLS: ``python -m benchmarks.admission [--reviews 2000]``.

With one connection and with sixteen, which are kept; beside it an empty handler of the same server in the same run, in
turns, which is what client, TLS and server cost by themselves.  Client and server share the machine.
"""

import argparse
import json
import os
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http.client import HTTPException, HTTPSConnection
from itertools import product
from pathlib import Path

import trustme

REVIEWS = 2000
CONNECTIONS = (1, 16)
Connect = Callable[[], HTTPSConnection]

ROUNDS = 4
"""Turns that the paths take."""
READY_SECONDS = 60.0
SERVER = (
    "import os; from admission.http.server import serve; from admission.settings import AdmissionSettings; "
    "from worker.settings import Settings; serve(Settings.from_environment(os.environ), "
    "AdmissionSettings.from_environment(os.environ), 'benchmarks.admission.app:create')"
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.admission", description=__doc__)
    parser.add_argument(
        "--reviews", type=int, default=REVIEWS, help="calls of each path with each number of connections"
    )
    asked = parser.parse_args()
    bodies = list(_reviews())
    print(
        f"{len(bodies)} different Deployments; load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    print(f"{'path':10} {'connections':>11} {'a second':>9} {'p50':>7} {'p90':>7} {'p99':>7} {'slowest':>8}  ms")
    with tempfile.TemporaryDirectory() as folder, _front_door(Path(folder)) as connect:
        for path in ("/empty", "/validate"):
            _asked(connect, path, bodies, 1)
        calls = [bodies[call % len(bodies)] for call in range(asked.reviews // ROUNDS)]
        for connections in CONNECTIONS:
            taken: dict[str, list[float]] = {"/empty": [], "/validate": []}
            lasted = dict.fromkeys(taken, 0.0)
            for _, path in product(range(ROUNDS), taken):
                began = time.perf_counter()
                taken[path] += _asked(connect, path, calls, connections)
                lasted[path] += time.perf_counter() - began
            for path, seconds in taken.items():
                _print(path, connections, seconds, lasted[path])


def _print(path: str, connections: int, seconds: Sequence[float], lasted: float) -> None:
    parts = statistics.quantiles(seconds, n=100)
    told = " ".join(f"{1000 * each:7.1f}" for each in (parts[49], parts[89], parts[98]))
    print(f"{path:10} {connections:11} {len(seconds) / lasted:9.0f} {told} {1000 * max(seconds):8.1f}")


def _asked(connect: Connect, path: str, bodies: Sequence[bytes], connections: int) -> list[float]:
    """Seconds of each call, one a body, shared among so many connections."""

    def lane(number: int) -> list[float]:
        connection = connect()
        connection.connect()
        taken: list[float] = []
        for body in bodies[number::connections]:
            began = time.perf_counter()
            connection.request("POST", path, body)
            reply = connection.getresponse()
            reply.read()
            taken.append(time.perf_counter() - began)
            if reply.status != 200:  # noqa: PLR2004 - OK
                raise SystemExit(f"{path} answered {reply.status}")
        connection.close()
        return taken

    with ThreadPoolExecutor(connections) as lanes:
        return [each for taken in lanes.map(lane, range(connections)) for each in taken]


def _reviews() -> Iterator[bytes]:
    """Reviews of Deployments: some fit, most do not and have their alternatives weighed."""
    models = (
        "Qwen/Qwen3-8B",
        "Qwen/Qwen3-32B",
        "meta-llama/Llama-3.1-70B-Instruct",
        "mistralai/Mistral-7B-Instruct-v0.3",
    )
    products = ("NVIDIA-GeForce-RTX-4090", "NVIDIA-H100-80GB-HBM3", "NVIDIA-L4", "NVIDIA-A100-SXM4-80GB")
    for number, (model, product_name, length, gpus) in enumerate(product(models, products, (4096, 32768), (1, 4))):
        container = {
            "name": "vllm",
            "image": "vllm/vllm-openai:v0.19.0",
            "args": ["--model", model, "--max-model-len", str(length), "--tensor-parallel-size", str(gpus)],
            "resources": {"limits": {"nvidia.com/gpu": str(gpus)}},
        }
        spec = {"nodeSelector": {"nvidia.com/gpu.product": product_name}, "containers": [container]}
        made = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": f"server-{number}", "namespace": "models"},
            "spec": {"replicas": 1, "template": {"spec": spec}},
        }
        request = {"uid": f"uid-{number}", "operation": "CREATE", "object": made}
        review = {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}
        yield json.dumps(review).encode()


@contextmanager
def _front_door(folder: Path) -> Iterator[Connect]:
    """Connections to it, which verify who answers."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost")
    certificate, key = folder / "tls.crt", folder / "tls.key"
    certificate.write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(key)
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
    variables = {
        "WEIGHBRIDGE_HOME": str(folder / "home"),
        "WEIGHBRIDGE_ADMISSION_PORT": str(port),
        "WEIGHBRIDGE_ADMISSION_TLS_CERT_FILE": str(certificate),
        "WEIGHBRIDGE_ADMISSION_TLS_KEY_FILE": str(key),
        "WEIGHBRIDGE_ADMISSION_MODE": "enforce",
        # Nothing measured is to be cut short.
        "WEIGHBRIDGE_ADMISSION_DEADLINE_SECONDS": "25",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WEIGHBRIDGE_")}
    with subprocess.Popen((sys.executable, "-c", SERVER), env={**kept, **variables}) as server:
        try:
            connect = partial(HTTPSConnection, "localhost", port, context=trust, timeout=60)
            _wait(connect)
            yield connect
        finally:
            server.terminate()
            server.wait()


def _wait(connect: Connect) -> None:
    due = time.monotonic() + READY_SECONDS
    while time.monotonic() < due:
        connection = connect()
        try:
            connection.request("GET", "/readyz")
            connection.getresponse().read()
        except (OSError, HTTPException):
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    raise SystemExit("the front door does not answer")


if __name__ == "__main__":
    main()
