"""DVC's SSH file system without password prompts, and with host key checks if there is a known_hosts file."""

from pathlib import Path
from typing import Any

import asyncssh
import dvc_ssh

HOSTS = Path("~/.ssh/known_hosts")


class SSHFileSystem(dvc_ssh.SSHFileSystem):  # type: ignore[misc]
    """DVC's own prompts for passwords and checks no host keys; this class checks them by ~/.ssh/known_hosts."""

    def _prepare_credentials(self, **config: Any) -> dict[str, Any]:
        hosts = HOSTS.expanduser()
        return {
            **super()._prepare_credentials(**config),
            "client_factory": asyncssh.SSHClient,
            "known_hosts": str(hosts) if hosts.is_file() else None,
        }
