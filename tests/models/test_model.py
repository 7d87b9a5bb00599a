"""Any model: what is loaded, and the sentence for each that cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import BloomConfig, BloomForCausalLM
from transformers.utils import logging as transformers_logging

from engine.models.model import UNLIMITED, LoadedModel, ModelError, ModelSpec, load_model
from engine.protocol.events import Loading
from engine.records import Message
from tests.helpers.tiny_models import edit_json, save_model, save_tokenizer
from tests.models.loading import load, refusal

HELLO: list[Message] = [{"role": "user", "content": "hello world"}]
NO_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")


# What is loaded


def test_a_local_folder(tiny: Path) -> None:
    loaded = load(tiny)
    assert (loaded.name, loaded.device, loaded.dtype) == ("tiny", torch.device("cpu"), torch.float32)
    assert (loaded.stop_ids, loaded.context) == ((1,), 64)
    assert not loaded.model.training


def test_precision(tiny: Path) -> None:
    assert load(tiny, dtype="bfloat16").model.lm_head.weight.dtype == torch.bfloat16
    assert load(tiny, dtype="float16").dtype == torch.float16


def test_a_relative_folder_and_one_in_the_home(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tiny.parent)
    monkeypatch.setenv("HOME", str(tiny.parent))
    assert [load(name).name for name in ("tiny", "./tiny", "~/tiny")] == ["tiny"] * 3


def test_stop_tokens_are_those_of_generate(tiny: Path) -> None:
    edit_json(tiny / "generation_config.json", eos_token_id=[5, 1])
    assert load(tiny).stop_ids == (5, 1)
    (tiny / "generation_config.json").unlink()
    edit_json(tiny / "config.json", eos_token_id=6)
    assert load(tiny).stop_ids == (6,)


def test_stop_tokens_of_last_resort(tmp_path: Path) -> None:
    save_model(tmp_path, eos_token_id=None)
    (tmp_path / "generation_config.json").unlink()
    save_tokenizer(tmp_path)
    assert load(tmp_path).stop_ids == (1,)
    save_tokenizer(tmp_path, eos_token=None)
    assert "names no token that ends a reply" in refusal(tmp_path)


def test_a_model_without_a_limit(tmp_path: Path) -> None:
    sizes: dict[str, Any] = {
        "vocab_size": 7,
        "hidden_size": 8,
        "n_layer": 1,
        "n_head": 2,
        "bos_token_id": 0,
        "eos_token_id": 1,
    }
    BloomForCausalLM(BloomConfig(**sizes)).save_pretrained(tmp_path)
    save_tokenizer(tmp_path)
    assert load(tmp_path).context == UNLIMITED


def test_the_prompt_has_one_beginning(tiny: Path) -> None:
    loaded = load(tiny)
    tokenizer: Any = loaded.tokenizer
    expected = tokenizer.apply_chat_template(HELLO, add_generation_prompt=True)["input_ids"]
    assert loaded.tokenizer("hello")["input_ids"] == [0, 5]  # which is how the beginning would come in twice
    assert loaded.prompt_ids(HELLO) == expected == [0, 3, 5, 6, 1, 4]


def test_variables_reach_the_chat_template(tiny: Path) -> None:
    (tiny / "chat_template.jinja").write_text("{{ 'hello' if think is defined and not think else 'world' }}")
    loaded = load(tiny)
    off, on, unsaid = (loaded.prompt_ids(HELLO, "", said) for said in ({"think": False}, {"think": True}, None))
    assert loaded.tokenizer.decode(off) == "hello"
    assert loaded.tokenizer.decode(on) == loaded.tokenizer.decode(unsaid) == "world"


@pytest.mark.model
def test_the_built_in_models_prompt_is_chatml(builtin_model: LoadedModel) -> None:
    text = str(builtin_model.tokenizer.decode(builtin_model.prompt_ids(HELLO)))
    assert text.startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")
    assert text.endswith("<|im_end|>\n<|im_start|>user\nhello world<|im_end|>\n<|im_start|>assistant\n")
    assert builtin_model.prompt_ids(HELLO)[0] == builtin_model.tokenizer.bos_token_id == 1
    assert builtin_model.stop_ids == (builtin_model.tokenizer.convert_tokens_to_ids("<|im_end|>"),) == (2,)


@pytest.mark.model
def test_a_prefill_is_tokenised_with_the_prompt(builtin_model: LoadedModel) -> None:
    plain = builtin_model.prompt_ids(HELLO)
    newline, two_newlines = (
        builtin_model.tokenizer("\n\n{\n")["input_ids"][-1],
        builtin_model.tokenizer("\n\n")["input_ids"],
    )
    assert plain[-1] == newline
    assert builtin_model.prompt_ids(HELLO, "\n") == plain[:-1] + two_newlines
    brace_and_key = builtin_model.tokenizer('{"name":')["input_ids"]
    assert builtin_model.prompt_ids(HELLO, '{"name":') == plain + brace_and_key


@pytest.mark.model
def test_the_built_in_tokenizer_splits_digits_as_it_was_trained(builtin_model: LoadedModel) -> None:
    """The tokens that SmolLM2's own tokenizer.json gives: each digit alone, the blanks before it together."""
    tokens = builtin_model.tokenizer.tokenize('{\n    "age": 30}  42')
    assert tokens == ["{", "ĊĠĠĠ", 'Ġ"', "age", '":', "Ġ", "3", "0", "}", "ĠĠ", "4", "2"]


def test_loading_is_reported_and_nothing_is_printed(tiny: Path, capfd: pytest.CaptureFixture[str]) -> None:
    edit_json(tiny / "config.json", rope_parameters={"rope_type": "default", "rope_theta": 1.0, "surplus": 1})
    reports: list[Loading] = []
    load_model(ModelSpec(str(tiny), "cpu"), reports.append)
    packing = reports.pop()
    assert packing.step == "laying out the weights for this processor"
    assert {report.step for report in reports} == {"loading tiny"}
    assert (reports[-1].done, reports[-1].total, reports[-1].unit) == (21, 21, "tensors")
    assert capfd.readouterr() == ("", "")


def test_what_is_switched_off_for_loading_is_on_again(tiny: Path) -> None:
    before = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    (tiny / "config.json").write_text("{")
    refusal(tiny)
    assert (transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()) == before
    assert transformers_logging.set_tqdm_hook(None) is None


# What is refused


def test_no_chat_template(tiny: Path) -> None:
    (tiny / "chat_template.jinja").unlink()
    assert refusal(tiny) == "tiny has no chat template: jsonbreak needs a model that was trained to chat."


def test_a_template_that_refuses_the_messages(tiny: Path) -> None:
    (tiny / "chat_template.jinja").write_text("{{ raise_exception('System role not supported') }}")
    with pytest.raises(ModelError, match="The chat template of tiny refuses the prompt: System role not supported"):
        load(tiny).prompt_ids(HELLO)


def test_no_such_folder(tmp_path: Path, tiny: Path) -> None:
    for name in (f"{tmp_path}/none", "./none", "~/none", "~no-such-user/none", "a/b/c", "with blank"):
        assert refusal(name) == f"There is no folder {name}."
    assert refusal("esc\x1b[31m") == "There is no folder esc\\x1b[31m."
    assert "is a file; --model takes the folder it is in" in refusal(tiny / "config.json")


def test_an_unknown_name_while_offline() -> None:
    why = "no such model was downloaded from the hub before; HF_HUB_OFFLINE is set"
    assert refusal("nobody/nothing") == f"There is no folder nobody/nothing, and {why}."


def damage_config(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": ')


def cut_weights(folder: Path) -> None:
    weights = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(weights[:-10])


def drop_a_tensor(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights["lm_head.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def lose_a_part(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "model-00001-of-00002.safetensors").write_bytes(b"")


def lose_the_tokenizer(folder: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()


def config_of(model_type: str, **more: Any) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / "config.json").write_text(json.dumps({"model_type": model_type, **more}))

    return write


OWN_CODE = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda folder: (folder / "config.json").unlink(), "has no config.json: it is not a model in the transformers"),
        (damage_config, "config.json is not JSON"),
        (lambda folder: (folder / "config.json").write_text("[]"), "does not say what kind of model it is"),
        (config_of("unheard-of"), "has model type `unheard-of` but Transformers does not recognize this"),
        (config_of("t5"), "tiny is an encoder-decoder model (t5)"),
        (config_of("bart"), "tiny is an encoder-decoder model (bart)"),
        (config_of("vit"), "tiny is not a causal language model (its type is vit)"),
        (config_of("own", auto_map=OWN_CODE), "tiny needs program code that comes with it (trust_remote_code)"),
        (config_of("vit", auto_map=OWN_CODE), "tiny needs program code that comes with it (trust_remote_code)"),
        (lambda folder: (folder / "model.safetensors").unlink(), "has no weights: neither model.safetensors nor"),
        (cut_weights, "model.safetensors is damaged: "),
        (lose_a_part, "lacks 1 of 2 weight files, model-00002-of-00002.safetensors first"),
        (drop_a_tensor, "The files of tiny lack 1 of its weights, lm_head.weight first"),
        (lose_the_tokenizer, "tiny could not be loaded: "),
    ],
)
def test_a_folder_that_is_no_such_model(tiny: Path, damage: Callable[[Path], object], words: str) -> None:
    damage(tiny)
    assert words in refusal(tiny)


def test_code_that_comes_with_a_model_is_not_run(tiny: Path) -> None:
    edit_json(tiny / "config.json", model_type="own", auto_map=OWN_CODE)
    (tiny / "own.py").write_text(f"open({str(tiny / 'ran')!r}, 'w')")
    assert "jsonbreak does not run such code" in refusal(tiny)
    assert not (tiny / "ran").exists()
