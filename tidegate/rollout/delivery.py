"""Promotes a version by way of its target: at once, or on KServe after its trial. Kubernetes is imported only then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from tidegate.process.errors import InputError, messages
from tidegate.process.keys import Trusted
from tidegate.rollout.target import Target
from tidegate.tracking.champion import champion_of, version_of
from tidegate.tracking.journal import history, unrepaired

if TYPE_CHECKING:
    from tidegate.rollout.golden import Golden
    from tidegate.rollout.service_client import ServiceClient
    from tidegate.tracking.reader import Client

Result = TypeVar("Result")
LIBRARY = "pip install 'tidegate[kubeflow]'"


@dataclass(frozen=True)
class Delivery:
    """A problem and where its versions go; `tell` takes a line for a person."""

    client: Client
    name: str
    trusted: Trusted
    target: Target
    tell: Callable[[str], None]

    def deliver(self, version: str, batch: str, promote: Callable[[], Result]) -> Result:
        """Promote a version, on KServe after its trial, and return what `promote` does.

        UnfitError when it does not pass, and is not promoted.
        """
        if not self.target.on_kserve:
            return promote()
        client = self._client()
        from tidegate.rollout.golden import golden
        from tidegate.rollout.rollout import roll_out
        from tidegate.rollout.trial import Trial

        own = golden(version_of(self.client, self.name, version, self.trusted))
        serving = unrepaired(self.client, self.name, history(self.client, self.name))
        champion = champion_of(self.client, self.name, serving, self.trusted)
        trial = Trial(client, self.target, own, batch, self.tell)
        return roll_out(trial, golden(champion) if champion else None, promote)

    def complete(self, version: str) -> None:
        """Do what a killed run has left to do for a version that is champion: nothing without KServe."""
        if not self.target.on_kserve:
            return
        client = self._client()
        from tidegate.rollout.rollout import finish

        finish(client, self._golden(version))

    def withdraw(self, version: str | None = None) -> None:
        """Remove the canary of a version, or any of ours, that a killed run has left: nothing without KServe.

        What is refused is told, and no error: a later run removes it.
        """
        if not self.target.on_kserve:
            return
        try:
            client = self._client()
            from tidegate.rollout.rollout import clear

            if left := clear(client, version):
                self.tell(f"the canary of version {left}, left over by another run, is removed from {client}")
        except (InputError, OSError) as error:
            self.tell(f"warning: whether a canary is left over was not seen: {messages(error)[0]}")

    def tidy(self) -> None:
        """Complete or remove what a killed run has left of any version: nothing without KServe.

        The canary of the champion goes once the predictor has followed. What is refused is told, and no error.
        """
        if not self.target.on_kserve:
            return
        try:
            left, champion = self._left_over(), history(self.client, self.name).champion
            if left and left == champion:
                self.complete(champion)
                self.tell(f"the canary of version {left}, which is champion, is removed: the predictor serves it")
            elif left:
                self.withdraw(left)
        except (InputError, OSError) as error:
            self.tell(f"warning: whether a canary is left over was not seen: {messages(error)[0]}")

    def _left_over(self) -> str | None:
        """The version of a canary that is there."""
        canary = self._client().read().canary
        return canary.version if canary else None

    def return_to(self, version: str) -> None:
        """After a rollback: remove the canary, and say how long it took until the predictor answered with the version.

        The journal has moved already, so what the cluster or its addresses refuse is told, and no error.
        """
        if not self.target.on_kserve:
            return
        self.withdraw()
        try:
            client = self._client()
            from tidegate.rollout.rollout import finish

            seconds = finish(client, self._golden(version))
            self.tell(f"{client} serves version {version}, {seconds:.0f} s after its promotion")
        except (InputError, OSError) as error:
            self.tell(f"warning: it was not seen to serve: {messages(error)[0]}")

    def _golden(self, version: str) -> Golden:
        from tidegate.rollout.golden import golden

        return golden(version_of(self.client, self.name, version, self.trusted))

    def _client(self) -> ServiceClient:
        try:
            from tidegate.rollout.service_client import service_client_of
        except ImportError:
            raise InputError("deploy.target kserve", "the library kubernetes", "none", LIBRARY) from None
        return service_client_of(self.target, self.name)


def tell(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)
