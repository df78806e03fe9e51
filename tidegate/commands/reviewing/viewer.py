"""A program with pages, run on this machine while a person looks at them: started, waited for, stopped whole."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import webbrowser
from collections.abc import Sequence
from types import FrameType
from typing import IO, NoReturn

from tidegate.process import limits
from tidegate.process.errors import InputError

HOST = "127.0.0.1"
QUIET = {
    "DO_NOT_TRACK": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DVC_NO_ANALYTICS": "1",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


def serve(name: str, command: Sequence[str], port: int, path: str, browse: bool) -> None:
    """Run a server until Ctrl-C or SIGTERM and print its address; InputError when it cannot be started."""
    check_free(port)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    with tempfile.TemporaryFile("w+") as log:
        # A group of its own: its workers end with it, and Ctrl-C reaches this process alone.
        process = subprocess.Popen(
            command, env={**os.environ, **QUIET}, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0
        )
        try:
            _wait(name, process, f"http://{HOST}:{port}{path}", log)
            address = f"http://{HOST}:{port}{path}"
            print(f"{name}: {address} (Ctrl-C ends it)", flush=True)
            open_(address, browse)
            process.wait()
            raise InputError(name, "to run until it is ended", f"its end: {_last(log)}", "start it again")
        except KeyboardInterrupt:
            print(f"{name} has ended")
        finally:
            _stop(process)


def open_(address: str, browse: bool) -> None:
    """Open an address in the browser, where there is a display or BROWSER names one."""
    display = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    if browse and (display or sys.platform in ("darwin", "win32")):
        webbrowser.open(address)


def check_free(port: int) -> None:
    """InputError unless this port of this machine is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            found = getattr(error, "strerror", None) or "a number that is none"
            raise InputError(f"--port {port}", "a free port of this machine", found, "choose another one") from None


def _wait(name: str, process: "subprocess.Popen[bytes]", address: str, log: IO[str]) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy reaches this machine's own ports
    end = time.monotonic() + limits.UI_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            direct.open(address, timeout=limits.KNOCK_SECONDS).close()
            return
        except OSError:
            time.sleep(0.2)
    raise InputError(name, f"to answer within {limits.UI_SECONDS:.0f} s", _last(log), "see what it says")


def _last(log: IO[str]) -> str:
    log.seek(0)
    return next((line.strip() for line in reversed(log.read().splitlines()) if line.strip()), "nothing")


def _end(_: int, __: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End the whole group; what a person pressed twice does not cut that short."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(limits.GRACE_SECONDS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue
