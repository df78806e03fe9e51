"""SFTP by a server in this process."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tests.servers import PASSWORD


@contextmanager
def ssh(folder: Path) -> Iterator[int]:
    """SFTP on a folder, for the user `tester` with PASSWORD; gives the port."""
    import asyncssh

    class Server(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == ("tester", PASSWORD)

    async def listen() -> Any:
        key = asyncssh.generate_private_key("ssh-ed25519")
        root = partial(asyncssh.SFTPServer, chroot=str(folder).encode())
        return await asyncssh.listen("127.0.0.1", 0, server_host_keys=[key], server_factory=Server, sftp_factory=root)

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    listening = asyncio.run_coroutine_threadsafe(listen(), loop).result()
    try:
        yield listening.get_port()
    finally:
        loop.call_soon_threadsafe(listening.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
