"""`tidegate serve`: answers requests with the champion."""

import argparse
import gc
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tidegate.commands.command import SET, Command
from tidegate.process.errors import InputError

if TYPE_CHECKING:
    from tidegate.serving.champion_model import ChampionModel

PORT, GRPC_PORT, HOST = 8080, 8081, "127.0.0.1"
CONTRACT, PARAMETERS = Path("contract.yaml"), Path("params.yaml")
TABLES = Path("artifacts/validate/clean")
SIGN = "deploy.sign"
# One thread for each request: a model that starts several for a few rows takes longer.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def serve(arguments: argparse.Namespace) -> None:
    """Answer requests with the champion, over REST (V1 and V2 of KServe) and gRPC, until Ctrl-C or SIGTERM.

    A request holds events (what is known before them), whose features the champion's own SQL computes from the clean
    tables, or features by name. A new champion is checked and takes over between two requests. The section `serve` of
    params.yaml says how; /docs describes every request, /metrics is for Prometheus.
    """
    for name in THREADS:
        os.environ.setdefault(name, "1")
    if arguments.name is None and not CONTRACT.is_file():
        cure = "go to the folder of a problem, or name a registered model: --name"
        raise InputError(CONTRACT, "the contract of a problem", "nothing", cure)
    gc.disable()  # what is imported stays, so looking for garbage there is in vain
    # First: it looks for hundreds of functions in every module that is loaded, which after kserve takes seconds.
    import skops.io  # noqa: F401

    try:
        import kserve  # noqa: F401
    except ImportError:
        raise InputError("tidegate serve", "the extra serve", "no kserve", "pip install 'tidegate[serve]'") from None
    from tidegate.contract.contract import read_contract
    from tidegate.process.keys import trusted
    from tidegate.serving.champion_model import ChampionModel
    from tidegate.serving.follower import Follower
    from tidegate.serving.options import settings
    from tidegate.serving.server import ChampionServer

    name = arguments.name or read_contract(CONTRACT).name
    parameters = values(arguments.set)
    keys, how = trusted(parameters["deploy"]["sign"]), settings(parameters["serve"], str(TABLES))
    follower = Follower(name, keys, how, tell, arguments.version)
    model = ChampionModel(follower)
    server = ChampionServer(model, arguments.host, arguments.port, arguments.grpc_port)
    if model.load():
        print(example(model, server.address), flush=True)
    gc.freeze()
    gc.enable()
    server.run()


def values(overrides: Sequence[str], known: Collection[str] = ()) -> dict[str, dict[str, Any]]:
    """The sections of params.yaml that the server reads, with `overrides`; without the file those that it may lack.

    InputError for an override of none of `known`, by default all that the server reads.
    """
    from tidegate.documents.formats import parse_yaml
    from tidegate.documents.parameters import check_parameter, defaults, read_parameters

    none = {name: defaults(name) for name in ("serve", "deploy")}
    here = read_parameters(PARAMETERS) if PARAMETERS.is_file() else none
    known = known or {*(f"serve.{name}" for name in defaults("serve")), SIGN}
    for override in overrides:
        full, _, text = override.partition("=")
        if full not in known:
            raise InputError(
                f"--set {override}", f"one of {', '.join(sorted(known))}", full, "as in --set serve.unknown=refuse"
            )
        section, name = full.split(".")
        here[section][name] = parse_yaml(text, f"--set {full}") if text else ""
        check_parameter(section, name, here[section][name], f"--set {full}", "correct it")
    return here


def tell(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def example(model: "ChampionModel", address: str) -> str:
    """What the server answers at, and a command that asks it."""
    import json
    import shlex

    body = shlex.quote(json.dumps({"instances": [model.current().example]}, ensure_ascii=False))
    url = f"{address}/v1/models/{model.name}:predict"
    return f"{address}/docs describes every request; Ctrl-C ends it. Ask it:\n\n" + (
        f"curl {shlex.quote(url)} -H 'Content-Type: application/json' -d {body}\n"
    )


COMMAND = Command(
    "answer requests with the champion, over REST and gRPC",
    serve,
    {
        "--port": {"type": int, "default": PORT, "metavar": "PORT", "help": f"of REST; default: {PORT}"},
        "--grpc-port": {
            "type": int,
            "default": GRPC_PORT,
            "metavar": "PORT",
            "help": f"of gRPC; 0: no gRPC; default: {GRPC_PORT}",
        },
        "--host": {"default": HOST, "metavar": "ADDRESS", "help": f"the address to listen at; default: {HOST}"},
        "--set": {**SET, "help": "override a value of the section serve, or deploy.sign; may be repeated"},
        "--name": {"metavar": "NAME", "help": "the registered model; default: the name in contract.yaml"},
        "--version": {"metavar": "VERSION", "help": "serve this version of the registry, whoever is champion"},
    },
)
