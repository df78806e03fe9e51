"""How fast the server answers beside `mlflow models serve` and a bare FastAPI app: the same model, the same rows.

`python benchmarks/serve.py --seconds 5 --times 3 --json` in the folder of the sample after `tidegate run`, with the
program wrk. All three serve at once and are asked in turn: requests a second and the latencies in milliseconds for 1
and 100 rows of features over 1 and 8 connections, medians of all times; then events, which only Tidegate answers. The
server checks and records as it does for its users.

`--swaps 4 --swap-seconds 30` measures instead what it costs that the champion changes every so many seconds between
the two newest versions: requests a second with and without swaps in turn, requests that failed, and answers that name
one version and predict as another. It needs a registry with two versions of the same features, and works on a copy.
`processor_percent` is how much more of the processor a request took, whoever else is on the machine.
"""

import argparse
import json
import os
import pickle
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import Request, urlopen

import mlflow
import pandas as pd
import swaps

from tidegate.contract.contract import read_contract
from tidegate.process import keys
from tidegate.serving.predictor import Predictor, predictor
from tidegate.tracking import journal, store
from tidegate.tracking.champion import champion_of

RIVALS = Path(__file__).parent / "rivals"
ROWS, CONNECTIONS = (1, 100), (1, 8)
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
START_SECONDS = 120
SCRIPT = 'wrk.method = "POST"; wrk.body = [==[{}]==]; wrk.headers["Content-Type"] = "application/json"'


class Load(NamedTuple):
    """What wrk measured: requests a second, the median and the 99th percentile of the latency in milliseconds."""

    rate: float
    p50: float
    p99: float


class Target(NamedTuple):
    """A server that is asked: the address, and the body for a number of rows."""

    address: str
    bodies: Mapping[int, str]


def load(target: Target, rows: int, connections: int, seconds: int, scratch: Path) -> Load:
    """Ask a server as fast as it answers; an answer that is none ends the benchmark."""
    script = scratch / "post.lua"
    script.write_text(SCRIPT.format(target.bodies[rows]))
    words = ["-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script), target.address]
    text = subprocess.run(["wrk", *words], check=True, capture_output=True, text=True).stdout
    assert "Non-2xx" not in text and "Socket errors" not in text, text
    times = {share: float(number) * UNITS[unit] for share, number, unit in
             re.findall(r"(50|99)%\s+([0-9.]+)(us|ms|s|m)", text)}  # fmt: skip
    (rate,) = re.findall(r"Requests/sec:\s+([0-9.]+)", text)
    return Load(float(rate), times["50"], times["99"])


def median(loads: Sequence[Load]) -> Load:
    """The median of each."""
    return Load(*(round(statistics.median(values), 3) for values in zip(*loads, strict=True)))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


@contextmanager
def running(
    command: Sequence[str], address: str, body: str, **environment: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A server while the block runs, from its first answer on."""
    with subprocess.Popen(
        command, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            _wait(process, address, body)
            yield process
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def _wait(process: "subprocess.Popen[bytes]", address: str, body: str) -> None:
    request = Request(address, body.encode(), {"Content-Type": "application/json"})
    for _ in range(START_SECONDS * 5):
        assert process.poll() is None, process.args
        try:
            with urlopen(request, timeout=10):
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError(f"{address}: expected an answer within {START_SECONDS} s")


def champion() -> Predictor:
    """The champion of the problem in this folder, as the server has it."""
    client, contract = store.connect(), read_contract(Path("contract.yaml"))
    serving = journal.unrepaired(client, contract.name, journal.history(client, contract.name))
    own = champion_of(client, contract.name, serving, keys.trusted(""))
    assert own is not None
    return predictor(own, None, "accept", max(ROWS))


def targets(stack: ExitStack, by: Predictor, scratch: Path) -> dict[str, Target]:
    """The three servers, of the same model, with the same rows."""
    columns = list(by.champion.record.features)
    golden = by.champion.reference[columns].head(max(ROWS))
    instances: list[dict[str, Any]] = json.loads(golden.to_json(orient="records"))
    bodies = {rows: json.dumps({"instances": instances[:rows]}) for rows in ROWS}
    split = {rows: json.dumps({"dataframe_records": instances[:rows]}) for rows in ROWS}
    name, ports = by.champion.contract.name, [free_port() for _ in range(4)]
    made = {
        "tidegate": Target(f"http://127.0.0.1:{ports[0]}/v1/models/{name}:predict", bodies),
        "bare": Target(f"http://127.0.0.1:{ports[2]}/predict", bodies),
        "mlflow": Target(f"http://127.0.0.1:{ports[3]}/invocations", split),
    }
    with (scratch / "model.pkl").open("wb") as file:
        pickle.dump((by.champion.model, columns), file)
    mlflow.sklearn.save_model(by.champion.model, scratch / "model", serialization_format="cloudpickle")
    python = [sys.executable, "-P", "-m"]
    options = ["--set", f"serve.record={scratch / 'asked'}", "--port", str(ports[0]), "--grpc-port", str(ports[1])]
    commands = {
        "tidegate": [*python, "tidegate", "serve", *options],
        "bare": [*python, "uvicorn", "--app-dir", str(RIVALS), "--port", str(ports[2]), "bare_app:app"],
        "mlflow": [*python, "mlflow", "models", "serve", "-m", str(scratch / "model"), "--env-manager", "local",
                   "--workers", "1", "--port", str(ports[3])],
    }  # fmt: skip
    for server, command in commands.items():
        environment = {"MODEL": str(scratch / "model.pkl")}
        stack.enter_context(running(command, made[server].address, made[server].bodies[1], **environment))
    return made


def events(by: Predictor, address: str) -> Target:
    """Events of the clean table, one in each request."""
    form, own = by.form.event, by.champion.contract
    table = pd.read_parquet(f"artifacts/validate/clean/{own.event}.parquet", columns=[*form])
    event = json.loads(table.tail(1).to_json(orient="records", date_format="iso"))[0]
    event[own.time] = event[own.time].partition(".")[0]
    return Target(address, {1: json.dumps({"instances": [event]})})


def measured(made: Mapping[str, Target], seconds: int, times: int, scratch: Path) -> dict[str, dict[str, Load]]:
    """For each number of rows and connections, what each server does."""
    results = {}
    for rows in ROWS:
        for connections in CONNECTIONS:
            rounds = [
                {name: load(target, rows, connections, seconds, scratch) for name, target in made.items()}
                for _ in range(times)
            ]
            results[f"{rows} rows, {connections} connections"] = {
                name: median([each[name] for each in rounds]) for name in made
            }
    return results


def swapped(seconds: float, count: int, times: int, scratch: Path) -> dict[str, Any]:
    """What swaps cost, over one and eight connections: medians of the rates, sums of what must not be."""
    name = read_contract(Path("contract.yaml")).name
    uri = swaps.copy_of(Path("mlflow.db"), scratch)
    os.environ["MLFLOW_TRACKING_URI"] = uri
    both = swaps.pair(name)
    if both is None:
        sys.exit("the registry: expected two versions with the same features and other predictions, found none")
    versions = both.versions[0].version, both.versions[1].version
    columns = list(both.versions[0].record.features)
    row = both.versions[0].reference[columns].iloc[[both.row]]
    body = json.dumps({"instances": json.loads(row.to_json(orient="records", double_precision=15))})
    ports = free_port(), free_port()
    address = f"http://127.0.0.1:{ports[0]}/v1/models/{name}:predict"
    options = ["--set", f"serve.record={scratch / 'asked'}", "--set", "serve.poll_seconds=1"]
    listen = ["--port", str(ports[0]), "--grpc-port", str(ports[1])]
    command = [sys.executable, "-P", "-m", "tidegate", "serve", *options, *listen]
    with running(command, address, body, MLFLOW_TRACKING_URI=uri) as server:
        return {
            f"{connections} connections": _swapped(
                name,
                versions,
                seconds,
                times,
                lambda connections=connections: swaps.asked(
                    swaps.Question(address, body, both.expected), connections, seconds * count, server.pid, scratch
                ),
            )
            for connections in CONNECTIONS
        }


def _swapped(
    name: str, versions: tuple[str, str], seconds: float, times: int, ask: Callable[[], swaps.Asked]
) -> dict[str, Any]:
    calm, moved, made = [], [], 0
    for _ in range(times):
        calm.append(ask())
        with swaps.swapping(name, versions, seconds) as champions:
            moved.append(ask())
        made += len(champions)
    rates = [statistics.median(each.rate for each in of) for of in (calm, moved)]
    costs = [statistics.median(each.milliseconds for each in of) for of in (calm, moved)]
    return {
        "rate without": round(rates[0], 1),
        "rate with": round(rates[1], 1),
        "lost_percent": round(100 * (1 - rates[1] / rates[0]), 1),
        "processor_percent": round(100 * (costs[1] / costs[0] - 1), 1),
        "swaps": made,
        "failed": sum(each.failed for each in (*calm, *moved)),
        "mixed": sum(each.mixed for each in (*calm, *moved)),
        "answers": {version: sum(each.by[version] for each in moved) for version in versions},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--swaps", type=int, default=0, metavar="N", help="measure N swaps of the champion instead")
    parser.add_argument("--swap-seconds", type=float, default=30, metavar="S", help="between two swaps; default: 30")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk: expected the program, found none; install it")
    if arguments.swaps:
        with tempfile.TemporaryDirectory() as folder:
            found = swapped(arguments.swap_seconds, arguments.swaps, arguments.times, Path(folder))
        if arguments.json:
            print(json.dumps(found))
            return
        for case, of in found.items():
            words = ", ".join(f"{key} {value}" for key, value in of.items())
            print(f"{case:14} {words}")
        return
    by = champion()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        scratch = Path(folder)
        made = targets(stack, by, scratch)
        results = measured(made, arguments.seconds, arguments.times, scratch)
        event = events(by, made["tidegate"].address)
        results["1 event, 1 connection"] = {
            "tidegate": median([load(event, 1, 1, arguments.seconds, scratch) for _ in range(arguments.times)])
        }
    if arguments.json:
        print(json.dumps({case: {name: each._asdict() for name, each in of.items()} for case, of in results.items()}))
        return
    for case, of in results.items():
        for name, each in of.items():
            ratio = f"{of['tidegate'].rate / each.rate:6.2f}" if name != "tidegate" else "     –"
            print(f"{case:24} {name:9} {each.rate:8.1f}/s  p50 {each.p50:8.2f} ms  p99 {each.p99:8.2f} ms  {ratio}")


if __name__ == "__main__":
    main()
