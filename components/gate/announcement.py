"""What people are told of a decision: the gate opened, the champion is old and stays, its estimated loss rose."""

from tidegate.documents.decision import Decision, Policy
from tidegate.documents.signal import EstimateDetail, Signal
from tidegate.tracking.alerts import Alert, alert
from tidegate.tracking.reader import Client


def announce(client: Client, run_id: str, name: str, decision: Decision, key: str, subject: str = "batch") -> None:
    """Send what is to be told of a decision, once; `subject` is what it was about."""
    window = decision.window
    about = f"{subject} {window.start[:16].replace('T', ' ')} to {window.end[:16].replace('T', ' ')}"
    if decision.retrain:
        alert(client, run_id, Alert("gate opened", name, about, decision.decision, decision.reasons), key)
    for signal in decision.signals:
        if signal.signal == "age" and signal.state == "opens" and not decision.retrain:
            alert(client, run_id, Alert("champion old", name, about, decision.decision, [signal.reason]), key)
        if _rose(signal, decision.policy):
            alert(client, run_id, Alert("estimated loss rose", name, about, decision.decision, [signal.reason]), key)


def _rose(signal: Signal, policy: Policy) -> bool:
    """Whether the estimated loss grew beyond its limit, or else that of decay, as certainly as its record allows."""
    if not isinstance(signal.detail, EstimateDetail) or signal.detail.interval is None or signal.value is None:
        return False
    return signal.value > (policy.estimate or policy.decay) and signal.detail.interval[0] > 0
