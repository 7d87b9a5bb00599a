"""LoRA adapters on a loaded model: none is merged, at most one is in use, and each is tested for whether it works."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from engine.backends import AdapterInUse
from engine.models.adapter_folder import CONFIG, WEIGHTS, AdapterFolder
from engine.models.loading import Emit, ModelError, first_sentence, quiet
from engine.protocol.events import Loading
from engine.text import printable


@dataclass(frozen=True, slots=True)
class _Loaded:
    folder: AdapterFolder
    key: str
    """Its name in PEFT, where it names modules and so cannot have dots."""
    sha256: str
    remarks: tuple[str, ...]


class Adapters:
    """The adapters on a model. Without any, the model is as if PEFT did not exist."""

    def __init__(self, model: PreTrainedModel, name: str, template: object, probe: Sequence[int]) -> None:
        """template: the model's chat template. probe: the tokens of the prompt that the adapters are tested with."""
        self._model, self._name, self._template = model, name, template
        self._probe = torch.tensor([list(probe)])
        self._loaded: dict[str, _Loaded] = {}
        self._peft: Any = None  # a PeftModel, from the first adapter on

    @property
    def names(self) -> tuple[str, ...]:
        """The names that `use` takes."""
        return tuple(self._loaded)

    def load(self, folders: Sequence[AdapterFolder], emit: Emit) -> None:
        """Put adapters on the model; afterwards the base alone is in use.

        Raises ModelError where one does not fit, and where one changes the base itself.
        """
        before = self._logits() if folders else None
        for number, folder in enumerate(folders):
            step = f"loading the adapter {folder.name}"
            emit(Loading(step))
            with quiet(step, emit), _as_model_error(folder, self._name):
                self._loaded[folder.name] = self._attach(folder, f"adapter{number}")
                self._model.eval()  # type: ignore[no-untyped-call]
                self._switch(None)
            if before is not None and not torch.equal(before, self._logits()):
                raise ModelError(
                    f"The adapter {folder.name} changes {self._name} itself (a trained bias, or init_lora_weights such "
                    "as pissa), so that the two could not be compared: convert it to a plain LoRA with PEFT."
                )

    def use(self, name: str | None) -> AdapterInUse | None:
        """Have the model answer with an adapter, or with the base alone (None), and test the adapter with the probe."""
        self._switch(name)
        if name is None:
            return None
        found = self._loaded[name]
        live = self._difference(name)
        remarks = (*found.remarks, self._describe_effect(name, live))
        return AdapterInUse(name, str(found.folder.path.absolute()), found.sha256, found.folder.base, live, remarks)

    def all_logits(self) -> torch.Tensor:
        """The logits of the probe, with the base and with each adapter: what must not change when layers are replaced.

        Afterwards the base alone is in use.
        """
        logits = []
        try:
            for name in (None, *self._loaded):
                self._switch(name)
                logits.append(self._logits())
        finally:
            self._switch(None)
        return torch.cat(logits)

    def _difference(self, name: str) -> float:
        self._switch(None)
        base = self._logits()
        self._switch(name)
        return float((self._logits() - base).abs().max())

    def _describe_effect(self, name: str, live: float) -> str:
        if live:
            return f"The adapter {name} is live: it moves the logits of a probe prompt by up to {live:.2g}."
        return (
            f"The adapter {name} does nothing: the logits of a probe prompt are those of {self._name} alone. Its "
            "weights are zero, or are for other layers than the model has."
        )

    @torch.inference_mode()
    def _logits(self) -> torch.Tensor:
        logits: torch.Tensor = self._model(input_ids=self._probe.to(self._model.device), use_cache=False).logits
        return logits.float()

    def _switch(self, name: str | None) -> None:
        if self._peft is None:
            return
        if name is None:
            self._peft.base_model.disable_adapter_layers()
        else:
            self._peft.base_model.enable_adapter_layers()
            self._peft.set_adapter(self._loaded[name].key)

    def _attach(self, folder: AdapterFolder, key: str) -> _Loaded:
        from peft import LoraConfig, PeftModel

        config: Any = LoraConfig.from_pretrained(str(folder.path))
        config.inference_mode = True
        if config.init_lora_weights is False:  # then weights missing from its file would be random
            config.init_lora_weights = True
        if self._peft is None:
            self._peft = PeftModel(self._model, config, key)
        else:
            self._peft.add_adapter(key, config)
        result: Any = self._peft.load_adapter(str(folder.path), key, torch_device="cpu")
        remarks = [
            *_remark_other_base(folder, self._name, self._model),
            *_remark_other_template(folder, self._name, self._template),
            *_remark_keys(folder, result.missing_keys, f"{WEIGHTS} lacks", "they do nothing"),
            *_remark_keys(folder, result.unexpected_keys, f"{self._name} has no place for", "they are left out"),
        ]
        return _Loaded(folder, key, folder.sha256(), tuple(remarks))


@contextmanager
def _as_model_error(folder: AdapterFolder, model: str) -> Iterator[None]:
    """Turn what PEFT raises for an adapter that does not fit the model into a ModelError."""
    try:
        yield
    except Exception as error:  # of any class: the folder is the user's, and PEFT does not check it
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        sized = next((line for line in lines if line.startswith("size mismatch")), None)
        said = printable(sized) if sized else first_sentence(error)
        place = printable(str(folder.path / CONFIG))
        raise ModelError(f"{place}: the adapter {folder.name} does not fit {model}: {said.rstrip('.')}.") from error


def _remark_other_base(folder: AdapterFolder, name: str, model: PreTrainedModel) -> Iterator[str]:
    """Compared by the last part of the names, since one model can be in many folders."""
    stated = folder.base
    if stated is None or os.path.realpath(stated) == os.path.realpath(str(model.name_or_path)):
        return
    if name.rstrip("/").rsplit("/", 1)[-1].casefold() not in stated.casefold():
        yield f"The adapter {folder.name} says that it was trained on {printable(stated)}; the model is {name}."


def _remark_other_template(folder: AdapterFolder, name: str, template: object) -> Iterator[str]:
    """Trainers save the tokenizer with the adapter, including the chat template that was used in training."""
    try:
        own: object = (folder.path / "chat_template.jinja").read_text(encoding="utf-8")
    except (OSError, ValueError):
        own = _json_value(folder.path / "tokenizer_config.json", "chat_template")
    if own is not None and own != template:
        yield (
            f"The adapter {folder.name} comes with a chat template of its own, which is not used: prompts are written "
            f"with that of {name}."
        )


def _json_value(file: Path, key: str) -> object:
    try:
        found: object = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return found.get(key) if isinstance(found, dict) else None


def _remark_keys(folder: AdapterFolder, keys: Sequence[str], what: str, so: str) -> Iterator[str]:
    if keys:
        first = printable(min(keys)).removeprefix("base_model.model.")
        yield f"The adapter {folder.name}: {what} {len(keys)} of its weights, {first} first; {so}."
