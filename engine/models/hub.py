"""The folder of the model that the user names: a local one, or a download from the Hugging Face hub."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from huggingface_hub import constants, snapshot_download
from huggingface_hub.errors import GatedRepoError, HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # exported on first use
from tqdm import tqdm

from engine.models.loading import PAUSE, Emit, ModelError, first_sentence
from engine.models.local import local_folder
from engine.protocol.events import Loading
from engine.text import printable

SETTINGS = ("*.json", "*.jinja", "*.txt", "*.model", "*.tiktoken")
NOT_OURS = ("*/*", "consolidated*")  # sub-folders, and the same weights in their author's own format


def model_folder(name: str, emit: Emit, *, weights: bool = True) -> Path:
    """The folder of the model that `--model` names, downloaded if it is on the hub. Raises BadInputError.

    weights: whether it must contain them; without them the download takes seconds.
    """
    if (folder := local_folder(name)) is not None:
        return folder
    shown = printable(name)
    if not _could_be_on_the_hub(name):
        raise ModelError(f"There is no folder {shown}.")
    try:
        return _download(name, emit) if weights else _fetch(name, [*SETTINGS], emit)
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
    except Exception as error:  # of any class: from the network, the disk or the hub's client
        raise ModelError(f"{shown} could not be downloaded from the hub: {first_sentence(error)}") from error


def _could_be_on_the_hub(name: str) -> bool:
    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return True


def _download(name: str, emit: Emit) -> Path:
    """The model's files from the hub, or from its local cache where the hub cannot be reached."""
    folder = _fetch(name, [*SETTINGS, "*.safetensors"], emit)
    if not any(folder.glob("*.safetensors")):
        folder = _fetch(name, [*SETTINGS, "*.bin"], emit)  # models from before safetensors
    return folder


def _fetch(name: str, patterns: list[str], emit: Emit) -> Path:
    bars: list[Any] = []
    step = f"downloading {printable(name)} from the hub"
    emit(Loading(step))

    class Bar(tqdm):  # type: ignore[misc]  # the hub's client counts with it; it is never drawn
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
            emit(Loading(step, done, total, "bytes"))
    return Path(fetched.result())
