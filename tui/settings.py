"""The user's settings for the interface: `settings.toml` in the user's configuration folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import msgspec
import platformdirs

from tui.themes import ThemeName

Keys = Annotated[str, msgspec.Meta(pattern=r"^[^,]*[^,\s][^,]*(,[^,]*[^,\s][^,]*)*$")]


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a settings file can hold."""

    theme: ThemeName | None = None
    """None: the one that suits the terminal."""

    keep_running: bool = False
    """Whether a run continues when the connection drops."""

    keys: dict[str, Keys] = {}  # msgspec copies it for each instance
    """Other keys for some of tui.keys, by their names."""


DEFAULTS = Settings()


def settings_file() -> Path:
    """Where the settings are, if there are any."""
    return platformdirs.user_config_path("jsonbreak", appauthor=False) / "settings.toml"


def default_settings() -> Settings:
    """Those without a file. Over SSH, where connections drop, a run keeps running."""
    return Settings(keep_running="SSH_CONNECTION" in os.environ)
