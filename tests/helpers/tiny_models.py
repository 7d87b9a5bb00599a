"""Tiny random models, made on the spot, for what need not make sense."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from engine.models.model import LoadedModel

TEMPLATE = (
    "{{ '<s>' }}{% for message in messages %}{{ message['role'] + ' ' + message['content'] + ' </s> ' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'assistant' }}{% endif %}"
)
STOP = 256
"""The token behind those of the 256 bytes."""

CONTEXT = 256
SIZES: dict[str, Any] = {"vocab_size": STOP + 1, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 4}
HEADS: dict[str, Any] = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": CONTEXT}
IDS: dict[str, Any] = {"bos_token_id": STOP, "eos_token_id": STOP, "pad_token_id": STOP}
WORDS = ["<s>", "</s>", "<unk>", "user", "assistant", "hello", "world"]


def save_tokenizer(folder: Path, template: str | None = TEMPLATE, **special: Any) -> None:
    """A tokenizer of whole words that puts <s> before every text, as Llama's does."""
    words = Tokenizer(models.WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    words.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    special = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>", **special}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, **special)
    tokenizer.chat_template = template
    tokenizer.save_pretrained(folder)


def save_model(folder: Path, **config: Any) -> None:
    """A Llama that speaks words."""
    ids = {"vocab_size": len(WORDS), "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": None}
    llama(**{**ids, "num_hidden_layers": 2, "max_position_embeddings": 64, **config}).save_pretrained(folder)


def llama(**config: Any) -> LlamaForCausalLM:
    """A Llama of some ten thousand weights that speaks bytes."""
    return LlamaForCausalLM(LlamaConfig(**{**SIZES, **HEADS, **IDS, **config}))


def loaded(model: PreTrainedModel) -> LoadedModel:
    """A model that speaks bytes, as the decoder takes it."""
    return LoadedModel("tiny", model.eval(), byte_tokenizer(), torch.device("cpu"), torch.float32, (STOP,), CONTEXT)


def edit_json(file: Path, **changes: Any) -> None:
    """Set keys of a JSON file; None removes one."""
    content = {**json.loads(file.read_text()), **changes}
    file.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))


def save_byte_model(folder: Path) -> None:
    """A Llama that speaks bytes, and its tokenizer."""
    torch.manual_seed(0)
    llama().save_pretrained(folder)
    tokenizer = byte_tokenizer()
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """A token for each byte, by GPT-2's table: ids 0 to 255 in the order of its characters."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({char: number for number, char in enumerate(alphabet)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="</s>")
