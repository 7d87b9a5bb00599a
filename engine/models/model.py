"""A model that is ready to decode: loaded, checked, and with all that the decoder needs to know about it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from engine.models.adapter_folder import CONFIG as ADAPTER_CONFIG
from engine.models.adapter_folder import AdapterFolder
from engine.models.adapters import Adapters
from engine.models.chat import Chat, chat_in, locate
from engine.models.fingerprints import Fingerprints, Hashing
from engine.models.loading import Emit, ModelError, first_sentence, quiet
from engine.models.packing import pack_linears
from engine.models.placement import choose_device, choose_dtype, device_map, weight_bytes, weight_files
from engine.protocol.events import Loading
from engine.records import Message

__all__ = ["LoadedModel", "ModelError", "ModelSpec", "load_model"]

UNLIMITED = 1 << 30
"""The context, in tokens, of a model that states none (a state-space model, for instance)."""

_PROBE: list[Message] = [{"role": "user", "content": "Reply with a JSON object: name and age of Alice, who is 30."}]


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Which model to load, and how."""

    name: str | None = None
    """A folder or a name on the hub; None is the built-in model."""
    device: str = "auto"
    """As `--device` takes it."""
    dtype: str = "auto"
    """As `--dtype` takes it."""
    adapters: tuple[AdapterFolder, ...] = ()
    """Loaded with the model; a run uses one of them or none."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in eval mode with its tokenizer."""

    name: str
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    device: torch.device
    """Where inputs go."""
    dtype: torch.dtype
    stop_ids: tuple[int, ...]
    """The tokens that end a reply: those at which `model.generate` stops."""
    context: int
    """How many tokens prompt and reply may have together."""
    adapters: Adapters | None = None
    """At first the base alone is in use. None where no adapter was loaded."""
    fingerprints: Fingerprints | None = None
    """Of its files; None where it has none, as the models made in tests."""

    @property
    def dtype_name(self) -> str:
        """The dtype as `--dtype` takes it: "float32"."""
        return str(self.dtype).removeprefix("torch.")

    def prompt_ids(
        self, messages: Sequence[Message], prefill: str = "", template_kwargs: Mapping[str, Any] | None = None
    ) -> list[int]:
        """The tokens of the chat up to where the reply begins (see Chat.text). Raises ModelError as that does."""
        chat = Chat(self.name, self.tokenizer)
        return chat.ids(chat.text(messages, prefill, template_kwargs))


def load_model(spec: ModelSpec, emit: Emit, *, pack: bool = True) -> LoadedModel:
    """Load a model, downloading it or making the built-in one if necessary. Raises ModelError, BuiltinError.

    pack: on a processor, lay the weights out for it, which is faster, but then nothing can be trained.
    Nothing is printed, no code that comes with a model is run, and `emit` is called from this thread only.
    """
    device = choose_device(spec.device)
    dtype = choose_dtype(spec.dtype, device)
    folder, name = locate(spec.name, emit)
    step = f"loading {name}"
    emit(Loading(step))
    with quiet(step, emit), _as_model_error(name):
        config = _config(folder, name)
        tokenizer = chat_in(folder, name).tokenizer
        weights = weight_files(folder)
        where = device_map(name, weight_bytes(weights, dtype), spec.device, device)
        with Hashing(folder, weights, tokenizer) as hashing:
            model = _weights(folder, name, config, dtype, where)
            fingerprints = hashing.result(f"hashing the files of {name}", emit)
    probe = Chat(name, tokenizer)
    adapters = Adapters(model, name, tokenizer.chat_template, probe.ids(probe.text(_PROBE))) if spec.adapters else None
    if adapters is not None:
        adapters.load(spec.adapters, emit)  # before packing: PEFT does not know packed layers
    if pack and device.type == "cpu" and dtype == torch.float32:
        emit(Loading("laying out the weights for this processor"))
        pack_linears(model, adapters.all_logits if adapters is not None else None)
    return LoadedModel(
        name=name,
        model=model,
        tokenizer=tokenizer,
        device=next(model.get_input_embeddings().parameters()).device,
        dtype=model.dtype,
        stop_ids=_stop_ids(name, model, tokenizer),
        context=getattr(config.get_text_config(), "max_position_embeddings", None) or UNLIMITED,
        adapters=adapters,
        fingerprints=fingerprints,
    )


@contextmanager
def _as_model_error(name: str) -> Iterator[None]:
    """Turn what transformers raises for a model that it cannot load into a ModelError."""
    try:
        yield
    except ModelError:
        raise
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise ModelError(f"{name} does not fit in memory: take a smaller model, or a smaller --dtype.") from error
    except Exception as error:  # of any class: the folder is the user's, and transformers does not check it
        said = str(error)
        if "allocate memory" in said or "not enough memory" in said:
            raise ModelError(f"{name} does not fit in memory: take a smaller model, or a smaller --dtype.") from error
        if "custom code" in said or "trust_remote_code" in said:
            raise ModelError(_needs_code(name)) from error
        raise ModelError(f"{name} could not be loaded: {first_sentence(error)}") from error


def _needs_code(name: str) -> str:
    return f"{name} needs program code that comes with it (trust_remote_code), and jsonbreak does not run such code."


def _config(folder: Path, name: str) -> PreTrainedConfig:
    """The model's configuration. Raises ModelError unless it is a causal language model."""
    if (folder / ADAPTER_CONFIG).is_file():  # transformers would put it on the model unasked
        raise ModelError(f"{folder} has an adapter in it; put it into a folder of its own, and give that by --adapter.")
    try:
        stated: Any = json.loads((folder / "config.json").read_bytes())
    except FileNotFoundError as error:
        raise ModelError(f"{folder} has no config.json: it is not a model in the transformers format.") from error
    except ValueError as error:
        raise ModelError(f"{folder / 'config.json'} is not JSON: {first_sentence(error)}") from error
    if not isinstance(stated, dict) or not stated.get("model_type"):
        raise ModelError(f"{folder / 'config.json'} does not say what kind of model it is (model_type).")
    config: PreTrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    if config.is_encoder_decoder:
        raise ModelError(f"{name} is an encoder-decoder model ({config.model_type}); jsonbreak takes causal ones.")
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        if "AutoModelForCausalLM" in (stated.get("auto_map") or {}):
            raise ModelError(_needs_code(name))
        raise ModelError(f"{name} is not a causal language model (its type is {config.model_type}).")
    return config


def _weights(folder: Path, name: str, config: PreTrainedConfig, dtype: torch.dtype, where: Any) -> PreTrainedModel:
    """The model with its weights on their devices, in eval mode."""
    loaded: Any = AutoModelForCausalLM.from_pretrained(
        folder, config=config, dtype=dtype, device_map=where, trust_remote_code=False, output_loading_info=True
    )
    model: PreTrainedModel = loaded[0]
    info: dict[str, Any] = loaded[1]
    if info["missing_keys"]:  # transformers fills them with random numbers
        first = min(info["missing_keys"])
        raise ModelError(f"The files of {name} lack {len(info['missing_keys'])} of its weights, {first} first.")
    outside = {str(place) for place in getattr(model, "hf_device_map", {}).values()} & {"cpu", "disk"}
    if where == "auto" and outside:
        raise ModelError(f"{name} does not fit on the GPUs together: take a smaller model, or a smaller --dtype.")
    model.eval()  # type: ignore[no-untyped-call]
    return model


def _stop_ids(name: str, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
    """The end tokens: those of the generation config, as for `generate`, else of the config, else of the tokenizer."""
    for stated in (
        model.generation_config.eos_token_id if model.generation_config else None,
        getattr(model.config.get_text_config(), "eos_token_id", None),
        tokenizer.eos_token_id,
    ):
        if stated is not None:
            return tuple(stated) if isinstance(stated, list | tuple) else (int(stated),)
    raise ModelError(f"{name} names no token that ends a reply (eos_token_id).")
