"""The adapters that `--adapter` names: folders in PEFT's format, checked before anything heavy is imported."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from engine.errors import BadInputError
from engine.records import BASE
from engine.text import printable, short_json

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_PICKLE = "adapter_model.bin"
_NAME = re.compile(r"[\w.+-]{1,40}")
_NOT_PLAIN = ("alora_invocation_tokens", "arrow_config", "layer_replication")


@dataclass(frozen=True, slots=True)
class AdapterFolder:
    """A LoRA adapter on disk."""

    name: str
    """What `--adapter` calls it."""
    path: Path
    base: str | None = None
    """The model that it was trained on, according to its configuration."""

    def sha256(self) -> str:
        """The adapter's fingerprint: the SHA-256 of its two files, `cat CONFIG WEIGHTS | sha256sum`."""
        digest = hashlib.sha256((self.path / CONFIG).read_bytes())
        with (self.path / WEIGHTS).open("rb") as weights:
            while block := weights.read(1 << 20):
                digest.update(block)
        return digest.hexdigest()


def read_adapters(given: Sequence[str]) -> tuple[AdapterFolder | None, ...]:
    """The adapter that each `[NAME=]PATH` names, in order; None is the base alone.

    Raises BadInputError where one is not a LoRA adapter with safe weights, and where PEFT is not installed.
    """
    found = tuple(_read(each) for each in given)
    names = [name_of(each) for each in found]
    for name in names:
        if names.count(name) > 1:
            raise BadInputError(
                f"--adapter: {short_json(name)} is given twice; name one of them otherwise with NAME=PATH."
            )
    if any(found) and find_spec("peft") is None:
        raise BadInputError("--adapter needs the package peft: pip install 'jsonbreak[tune]'.")
    return found


def name_of(adapter: AdapterFolder | None) -> str:
    """The name that `--adapter` takes."""
    return BASE if adapter is None else adapter.name


def _read(given: str) -> AdapterFolder | None:
    if given == BASE:
        return None
    name, path = _parts(given)
    if not os.path.isdir(path):  # as in _parts, no method of Path: those raise for unknown users and long names
        is_file = os.path.exists(path)
        what = "is a file; name the folder that it is in" if is_file else "is not there; name an adapter's folder"
        raise BadInputError(f"--adapter: {printable(str(path))} {what}.")
    if name == BASE:
        raise BadInputError(f"--adapter: the name {BASE} stands for the model without an adapter; take another.")
    if not _NAME.fullmatch(name):
        named = "write NAME=PATH, the name in up to 40 letters, digits and . _ + -"
        raise BadInputError(f"--adapter: {short_json(name)} is no name for an adapter; {named}.")
    config = _config(path)
    _check_weights(path)
    base = config.get("base_model_name_or_path")
    return AdapterFolder(name, path, base if isinstance(base, str) and base else None)


def _parts(given: str) -> tuple[str, Path]:
    """Name and path. A folder's name may contain `=`."""
    name, equals, path = given.partition("=")
    whole = os.path.expanduser(given)
    if not equals or os.path.exists(whole):
        return Path(whole).resolve().name, Path(whole)
    return name, Path(os.path.expanduser(path))


def _config(folder: Path) -> dict[str, Any]:
    """The adapter's configuration. Raises BadInputError unless it is a LoRA for a causal language model."""
    file = folder / CONFIG
    place = printable(str(file))
    try:
        config: Any = json.loads(file.read_bytes())
    except FileNotFoundError:
        instead = "; --model takes whole models" if (folder / "config.json").is_file() else ""
        name = printable(str(folder))
        raise BadInputError(
            f"{name}: there is no {CONFIG} in it, so it is no adapter in PEFT's format{instead}."
        ) from None
    except OSError as error:
        raise BadInputError(f"{place}: cannot be read ({error.strerror}).") from None
    except ValueError as error:
        line = f", line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadInputError(f"{place}{line}: this is not JSON; save the adapter again.") from None
    if not isinstance(config, dict) or "peft_type" not in config:
        raise BadInputError(f"{place}: it does not say what kind of adapter this is (peft_type); save it with PEFT.")
    if config["peft_type"] != "LORA":
        raise BadInputError(
            f'{place}: peft_type is {short_json(config["peft_type"])}, and jsonbreak takes "LORA" only.'
        )
    if config.get("task_type") not in (None, "CAUSAL_LM"):
        task = short_json(config["task_type"])
        raise BadInputError(f'{place}: task_type is {task}, and jsonbreak takes adapters for "CAUSAL_LM" only.')
    for key in _NOT_PLAIN:
        if config.get(key):
            raise BadInputError(f"{place}: {key} is set, and jsonbreak takes LoRA adapters without it only.")
    return config


def _check_weights(folder: Path) -> None:
    """Raise BadInputError unless there are weights as safetensors: a pickle runs any code that its author put in."""
    from safetensors import SafetensorError, safe_open

    file = folder / WEIGHTS
    if not file.is_file():
        pickled = f", and {_PICKLE} is a pickle, which may run code; save it as safetensors"
        why = pickled if (folder / _PICKLE).is_file() else "; save the adapter again"
        raise BadInputError(f"{printable(str(folder))}: there is no {WEIGHTS} in it{why}.")
    try:
        with safe_open(file, framework="numpy") as weights:
            empty = not weights.keys()
    except (SafetensorError, OSError) as error:
        raise BadInputError(
            f"{printable(str(file))}: it is damaged ({printable(str(error))}); copy it again."
        ) from None
    if empty:
        raise BadInputError(f"{printable(str(file))}: there are no weights in it; save the adapter again.")
