"""`tidegate`: the table of commands; a command imports its modules only when it runs."""

import argparse
import sys
import traceback
from collections.abc import Mapping

from tidegate.commands import (
    approve,
    backup,
    batches,
    card,
    code,
    collect,
    compile,
    contract,
    doctor,
    erase,
    feedback,
    history,
    init,
    keys,
    lineage,
    logs,
    manifests,
    monitor,
    package,
    parsing,
    predict,
    prune,
    reject,
    render,
    reproduce,
    restore,
    review,
    rollback,
    run,
    runs,
    schedule,
    serve,
    status,
    step,
    submit,
    upgrade,
    upload,
    validate,
    waiting,
    watch,
)
from tidegate.commands.command import INTERRUPTED, Command
from tidegate.documents.formats import discard
from tidegate.process.errors import InputError, messages


def greet(arguments: argparse.Namespace) -> None:
    """Print the version, and without --version also the problem and the next command."""
    from tidegate.commands.loop import greeting

    print(greeting.version() if arguments.tell else greeting.greeting())


SECTIONS: Mapping[str, Mapping[str, Command]] = {
    "the loop": {
        "init": init.COMMAND,
        "run": run.COMMAND,
        "status": status.COMMAND,
        "batches": batches.COMMAND,
        "upgrade": upgrade.COMMAND,
    },
    "data": {
        "collect": collect.COMMAND,
        "watch": watch.COMMAND,
        "validate": validate.COMMAND,
        **contract.COMMANDS,
    },
    "review and promotion": {
        "review": review.COMMAND,
        "feedback": feedback.COMMAND,
        "waiting": waiting.COMMAND,
        "approve": approve.COMMAND,
        "reject": reject.COMMAND,
        "history": history.COMMAND,
        "rollback": rollback.COMMAND,
        "lineage": lineage.COMMAND,
        "card": card.COMMAND,
        "reproduce": reproduce.COMMAND,
        **keys.COMMANDS,
    },
    "serving": {
        "serve": serve.COMMAND,
        "monitor": monitor.COMMAND,
        "predict": predict.COMMAND,
        "package": package.COMMAND,
    },
    "a cluster": {
        "doctor": doctor.COMMAND,
        "submit": submit.COMMAND,
        "runs": runs.COMMAND,
        "logs": logs.COMMAND,
        **schedule.COMMANDS,
        "upload": upload.COMMAND,
        "compile": compile.COMMAND,
        "manifests": manifests.COMMAND,
    },
    "upkeep": {
        "backup": backup.COMMAND,
        "restore": restore.COMMAND,
        "prune": prune.COMMAND,
        "erase": erase.COMMAND,
    },
    "development": {
        "step": step.COMMAND,
        "code": code.COMMAND,
        "render": render.COMMAND,
    },
}
GROUPS = {
    "contract": "draft and compare contracts",
    "keys": "make, show and use the key that signs versions",
    "schedule": "run the pipeline on the cluster by the clock",
}
COMMANDS = {name: command for section in SECTIONS.values() for name, command in section.items()}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    return parsing.parser(SECTIONS, GROUPS)


def main(argv: list[str] | None = None) -> None:
    """Run one command; exit 2 with a line per error for invalid input, 130 on Ctrl-C."""
    words = sys.argv[1:] if argv is None else argv
    try:
        if words[:1] == ["step"]:  # each step is a new process, so nothing else is imported first
            step.main(words[1:])
            return
        parsing.check(words, COMMANDS)
        arguments = parser().parse_args(words)
        (greet if arguments.tell or not arguments.run else arguments.run)(arguments)
    except (InputError, OSError) as error:
        if "--debug" in words:
            traceback.print_exc()
        for line in messages(error):
            print(f"error: {line}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        discard()
        if "--debug" in words:
            traceback.print_exc()
        print("\ninterrupted: nothing is half-written; run it again to go on", file=sys.stderr)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
