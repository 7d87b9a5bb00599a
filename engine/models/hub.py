"""From what the user names to a folder on this machine: a local one, or a download from the Hugging Face hub."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import GatedRepoError, HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # exported on first use
from tqdm import tqdm

from engine.models.loading import PAUSE, ModelError, Report, first_sentence
from engine.protocol.events import Loading
from engine.text import printable

SETTINGS = ("*.json", "*.jinja", "*.txt", "*.model", "*.tiktoken")
NOT_OURS = ("*/*", "consolidated*")  # sub-folders and the same weights in their maker's own format


def model_folder(name: str, report: Report, *, weights: bool = True) -> Path:
    """The folder of the model that `--model` names, downloaded if it is on the hub. Raises ModelError.

    weights: whether they are to be in it; without them it is a download of seconds.
    """
    folder = Path(name).expanduser()
    shown = printable(name)
    if folder.is_dir():
        return folder.resolve()
    if folder.exists():
        raise ModelError(f"{shown} is a file; --model takes the folder it is in, or a name on the hub.")
    if not _could_be_on_the_hub(name):
        raise ModelError(f"There is no folder {shown}.")
    try:
        return _download(name, report) if weights else _fetch(name, [*SETTINGS], report)
    except GatedRepoError as error:
        raise ModelError(f"{shown} is gated: accept its terms on its page on the hub, then `hf auth login`.") from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"There is no folder {shown}, and the hub knows no model of that name (or it is private: `hf auth login`)."
        ) from error
    except LocalEntryNotFoundError as error:
        why = "HF_HUB_OFFLINE is set" if constants.is_offline_mode() else "the hub cannot be reached"
        raise ModelError(
            f"There is no folder {shown}, and no such model was downloaded from the hub before; {why}."
        ) from error
    except Exception as error:  # whatever the network, the disk and the hub's client can come up with
        raise ModelError(f"{shown} could not be downloaded from the hub: {first_sentence(error)}") from error


def _could_be_on_the_hub(name: str) -> bool:
    if name.startswith((".", "~", os.sep)):
        return False
    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return True


def _download(name: str, report: Report) -> Path:
    """The model's files from the hub, or from its local cache when they are there and the hub cannot be asked."""
    folder = _fetch(name, [*SETTINGS, "*.safetensors"], report)
    if not any(folder.glob("*.safetensors")):
        folder = _fetch(name, [*SETTINGS, "*.bin"], report)  # models from before safetensors
    return folder


def _fetch(name: str, patterns: list[str], report: Report) -> Path:
    bars: list[Any] = []
    step = f"downloading {printable(name)} from the hub"
    report(Loading(step))

    class Bar(tqdm):  # type: ignore[misc]  # the hub's client counts in it, nobody sees it
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "file": io.StringIO()})
            if options.get("unit") == "B":
                bars.append(self)

    with ThreadPoolExecutor(1) as pool:
        fetched = pool.submit(
            snapshot_download, name, allow_patterns=patterns, ignore_patterns=list(NOT_OURS), tqdm_class=Bar
        )
        while not wait([fetched], timeout=PAUSE).done:
            furthest = max(bars, key=lambda bar: bar.n, default=None)
            done, total = (int(furthest.n), int(furthest.total or 0) or None) if furthest else (None, None)
            report(Loading(step, done, total, "bytes"))
    return Path(fetched.result())
