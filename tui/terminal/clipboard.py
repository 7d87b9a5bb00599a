"""To the clipboard of the person at the far end of the connection, as well as can be, and what can honestly be said."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from pathlib import Path

import platformdirs
from textual.app import App

MOST_BYTES = 64 * 1024
"""Terminals drop longer ones: 100 kB of base64 is a common end."""
_PATIENCE = 2.0  # seconds that tmux has


async def copy(app: App[None], text: str, name: str) -> str:
    """Send a text to the clipboard by tmux, else by OSC 52, else write it to a file called `name`; a sentence on it."""
    data = text.encode("utf-8", "replace")
    if len(data) > MOST_BYTES:
        return await asyncio.to_thread(_write, data, name)
    if "TMUX" in os.environ and shutil.which("tmux"):
        if await _load_buffer(data, "-w"):
            return "Sent to tmux: its paste key gives it back. tmux hands it to the terminal's clipboard where it can."
        if await _load_buffer(data):
            return "Sent to tmux: its paste key gives it back. This tmux does not hand it to the terminal's clipboard."
    app.copy_to_clipboard(data.decode())  # half a character cannot be sent as it is
    return "Sent to the terminal as its clipboard (OSC 52). Not every terminal takes it."


async def _load_buffer(data: bytes, *options: str) -> bool:
    """Whether tmux took it. -w, which tmux has from 3.2 on: hand it to the terminal's clipboard too."""
    quiet = asyncio.subprocess.DEVNULL
    tmux = await asyncio.create_subprocess_exec(
        "tmux", "load-buffer", *options, "-", stdin=asyncio.subprocess.PIPE, stdout=quiet, stderr=quiet
    )
    try:
        await asyncio.wait_for(tmux.communicate(data), _PATIENCE)
    except TimeoutError:
        tmux.kill()
    return await tmux.wait() == 0


def _write(data: bytes, name: str) -> str:
    folder = platformdirs.user_cache_path("jsonbreak", appauthor=False) / "copied"
    file = folder / re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:100]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        Path(file).write_bytes(data)
    except OSError as error:
        return f"Too long for a clipboard ({len(data) // 1024} kB), and {file} cannot be written ({error.strerror})."
    return f"Too long for a clipboard ({len(data) // 1024} kB): written to {file}"
