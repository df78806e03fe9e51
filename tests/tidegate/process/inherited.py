"""A program that writes what it inherited, for the tests of the server that forks programs."""

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path


def main() -> None:
    """`tell` prints it, `wait FILE` writes its id there and waits for a signal, `leave CODE` ends so."""
    verb, *rest = sys.argv[1:]
    if verb == "leave":
        print(sys.stdin.read().upper(), end="")
        print("to stderr", file=sys.stderr)
        sys.stdout.flush()
        os._exit(int(rest[0]))
    if verb == "wait":
        Path(rest[0]).write_text(str(os.getpid()))
        while True:  # a signal just before a long sleep would be handled after it
            time.sleep(0.05)
    if verb == "raise":
        raise RuntimeError("a fault of the program")
    mask = os.umask(0)
    document = {
        "words": sys.argv[1:],
        "folder": str(Path.cwd()),
        "environment": dict(os.environ),
        "mask": mask,
        "path": sys.path,
        "ignores_ctrl_c": signal.getsignal(signal.SIGINT) is signal.SIG_IGN,
        "threads": threading.active_count(),
        "parent": os.getppid(),
        "time": time.strftime("%H", time.localtime(0)),
        "modules": sorted(sys.modules),
        "computing": _threads_of_libraries(),
    }
    print(json.dumps(document), flush=True)
    os._exit(0)


def _threads_of_libraries() -> list[tuple[str, int]]:
    import numpy as np
    import sklearn.ensemble  # noqa: F401
    from threadpoolctl import threadpool_info

    np.ones((300, 300)) @ np.ones((300, 300))
    return sorted((each["internal_api"], each["num_threads"]) for each in threadpool_info())


main()
