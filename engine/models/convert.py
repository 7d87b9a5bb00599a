"""`python convert.py GGUF FOLDER`: turn the built-in model's GGUF file into a safetensors snapshot.

builtin.py runs this as a child process: it takes 10 to 30 s and several times the model's memory, it draws a progress
bar that cannot be turned off, and a child process can be stopped. It imports nothing of jsonbreak.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import gguf as gguf_package
import torch
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig, PreTrainedTokenizerFast

END = "<|im_end|>"  # ends every message of ChatML, so also every reply
START = "<|im_start|>"


def convert(gguf: Path, folder: Path) -> None:
    """Write the model and the tokenizer of a SmolLM2 GGUF file to a folder. Raises ValueError for any other model."""
    tokenizer = smollm_tokenizer(gguf)
    check_tokenizer(tokenizer)
    # float32: a Q4_1 weight is scale x (0..15) + minimum with float16 scale and minimum, which float32 holds exactly
    # and neither bfloat16 nor float16 does. Cast at load time, the snapshot then gives what a cast of the GGUF gives.
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True)
    )
    end = tokenizer.convert_tokens_to_ids(END)
    if model.config.eos_token_id != end or model.generation_config.eos_token_id != end:
        raise ValueError(f"the model does not end its replies with {END}")
    tokenizer.model_max_length = model.config.max_position_embeddings
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)


def read_once() -> None:
    """Let transformers keep what it would read from the file three times and the table it would make 397 times."""
    for name in ("GGUFReader", "get_tensor_name_map"):
        setattr(gguf_package, name, cache(getattr(gguf_package, name)))


def smollm_tokenizer(gguf: Path) -> PreTrainedTokenizerFast:
    """The tokenizer of the file, splitting text as SmolLM's does: every digit on its own, then as GPT-2.

    transformers 5.23 does not know the split that the file names ("smollm") and does not split digits. The text stays
    the same but the tokens do not: blanks before a digit ("{\\n  1") become single tokens, as in no training text.
    """
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise ValueError("the tokenizer is not one of the tokenizers library")
    tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    return tokenizer


def check_tokenizer(tokenizer: PreTrainedTokenizerFast) -> None:
    """Raise ValueError unless the tokenizer renders ChatML and has its markers as single tokens."""
    chat = tokenizer.apply_chat_template(
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        tokenize=False,
        add_generation_prompt=True,
    )
    expected = f"{START}system\nBe brief.{END}\n{START}user\nHi{END}\n{START}assistant\n"
    if chat != expected:
        raise ValueError(f"the chat template gives {chat!r}, not {expected!r}")
    marks = {START: (tokenizer.bos_token_id, 1), END: (tokenizer.eos_token_id, 2)}
    for mark, (found, wanted) in marks.items():
        if found != wanted or tokenizer(mark, add_special_tokens=False)["input_ids"] != [wanted]:
            raise ValueError(f"{mark} is not token {wanted}")


if __name__ == "__main__":
    read_once()
    convert(Path(sys.argv[1]), Path(sys.argv[2]))
