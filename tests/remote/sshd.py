"""A real SSH server on this machine for a test: a key made for it, a port of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")


@contextmanager
def ssh_server(folder: Path) -> Iterator[str]:
    """Meanwhile the yielded command, with another after it, runs that one through the server."""
    assert SSHD is not None
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # without it sshd does not start for root
    port = _free_port()
    options = [
        f"Port={port}",
        "ListenAddress=127.0.0.1",
        f"HostKey={folder / 'host'}",
        f"AuthorizedKeysFile={folder / 'user.pub'}",
        "StrictModes=no",  # the folder of tests may be written by others
        "PasswordAuthentication=no",
        "UsePAM=no",
        "PidFile=none",
    ]
    arguments = [part for option in options for part in ("-o", option)]
    with subprocess.Popen([SSHD, "-D", "-e", "-f", "/dev/null", *arguments], stderr=subprocess.PIPE) as server:
        try:
            _wait_for(port, server)
            known = f"-o UserKnownHostsFile={folder / 'known'} -o StrictHostKeyChecking=accept-new -o BatchMode=yes"
            yield f"ssh -F none -p {port} -i {folder / 'user'} {known} {getpass.getuser()}@127.0.0.1"
        finally:
            server.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                assert server.stderr is not None
                raise AssertionError(server.stderr.read() if server.poll() is not None else "no answer") from None
            time.sleep(0.05)
        else:
            return
