"""Copies text to the clipboard at the user's end of the connection, and says honestly how far that could be ensured."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from pathlib import Path

import platformdirs
from textual.app import App

MOST_BYTES = 64 * 1024
"""Terminals drop longer texts: 100 kB of base64 is a common limit."""
_TMUX_TIMEOUT = 2.0  # seconds


async def copy(app: App[None], text: str, name: str) -> str:
    """Send a text by tmux, else by OSC 52; write one that is too long to a file. Returns a sentence for the user."""
    data = text.encode("utf-8", "replace")
    if len(data) > MOST_BYTES:
        return await asyncio.to_thread(_write, data, name)
    if "TMUX" in os.environ and shutil.which("tmux"):
        if await _load_buffer(data, "-w"):
            return "Sent to tmux: its paste key gives it back. tmux hands it to the terminal's clipboard where it can."
        if await _load_buffer(data):
            return "Sent to tmux: its paste key gives it back. This tmux does not hand it to the terminal's clipboard."
    app.copy_to_clipboard(data.decode())  # as encoded above: a lone surrogate cannot be sent
    return "Sent to the terminal as its clipboard (OSC 52). Not every terminal takes it."


async def _load_buffer(data: bytes, *options: str) -> bool:
    """Whether tmux accepted it. -w (tmux 3.2 and later) passes it on to the terminal's clipboard."""
    quiet = asyncio.subprocess.DEVNULL
    tmux = await asyncio.create_subprocess_exec(
        "tmux", "load-buffer", *options, "-", stdin=asyncio.subprocess.PIPE, stdout=quiet, stderr=quiet
    )
    try:
        await asyncio.wait_for(tmux.communicate(data), _TMUX_TIMEOUT)
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
