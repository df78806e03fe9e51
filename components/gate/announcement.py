"""What people are told of a decision: that the gate opened, or that the champion is old and stays."""

from tidegate.documents.decision import Decision
from tidegate.tracking.alerts import Alert, alert
from tidegate.tracking.reader import Client


def announce(client: Client, run_id: str, name: str, decision: Decision, key: str, subject: str = "batch") -> None:
    """Send what is to be told of a decision, once; `subject` is what it was about."""
    window = decision.window
    about = f"{subject} {window.start[:16].replace('T', ' ')} to {window.end[:16].replace('T', ' ')}"
    if decision.retrain:
        alert(client, run_id, Alert("gate opened", name, about, decision.decision, decision.reasons), key)
        return
    for signal in decision.signals:
        if signal.signal == "age" and signal.state == "opens":
            alert(client, run_id, Alert("champion old", name, about, decision.decision, [signal.reason]), key)
