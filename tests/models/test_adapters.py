"""LoRA adapters made with PEFT: the model answers as PEFT's own would, and the base as if there were none."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from engine.backends import AdapterInUse, Finished
from engine.decoding.batch import SlotBatch
from engine.decoding.decoder import TwinDecoder
from engine.decoding.sampling import SamplingParams
from engine.decoding.twins import Request
from engine.errors import BadInputError
from engine.models.adapter_folder import CONFIG, WEIGHTS, AdapterFolder, read_adapters
from engine.models.model import LoadedModel, ModelError, ModelSpec, load_model
from engine.models.packing import PackedLinear
from tests.decoding.reference import free_of, generate
from tests.helpers.tiny_models import edit_json, save_model, save_tokenizer

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")
EVERYWHERE = (*ATTENTION, "gate_proj", "up_proj", "down_proj")
IDS = torch.tensor([[0, 3, 5, 6, 2, 4]])
NEW = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model, and beside it the adapters that the tests use."""
    folder = tmp_path_factory.mktemp("adapters")
    torch.manual_seed(0)
    save_model(folder / "tiny", vocab_size=199)
    save_tokenizer(folder / "tiny")
    make(folder, "one", 1)
    make(folder, "two.v2", 2, target_modules=EVERYWHERE, r=2, use_rslora=True)
    make(folder, "dora", 3, use_dora=True)
    make(folder, "dead", 4, strength=0.0)
    return folder


def make(folder: Path, name: str, seed: int, strength: float = 0.5, **config: Any) -> None:
    base = AutoModelForCausalLM.from_pretrained(folder / "tiny")
    torch.manual_seed(seed)
    options = {"r": 4, "lora_alpha": 8, "lora_dropout": 0.1, "target_modules": ATTENTION, "task_type": "CAUSAL_LM"}
    model = get_peft_model(base, LoraConfig(**{**options, **config}))
    for key, weight in model.named_parameters():
        if "lora_B" in key:
            torch.nn.init.normal_(weight, std=strength)
        elif key.endswith("bias"):
            torch.nn.init.normal_(weight)
    model.save_pretrained(str(folder / name))


def load(folder: Path, *adapters: str, **spec: str) -> LoadedModel:
    found = [each for each in read_adapters([str(folder / name) for name in adapters]) if each]
    return load_model(
        ModelSpec(str(folder / "tiny"), adapters=tuple(found), **{"device": "cpu", **spec}), lambda _: None
    )


def use(model: LoadedModel, name: str | None) -> AdapterInUse | None:
    assert model.adapters is not None
    return model.adapters.use(name)


def with_peft(folder: Path, name: str) -> LoadedModel:
    """What a user would run instead: transformers and PEFT alone."""
    model = load(folder)
    base = AutoModelForCausalLM.from_pretrained(folder / "tiny")
    adapted: Any = PeftModel.from_pretrained(base, str(folder / name)).eval()
    return LoadedModel("peft", adapted, model.tokenizer, model.device, model.dtype, model.stop_ids, model.context)


def logits(model: LoadedModel) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = model.model(input_ids=IDS).logits
    return found


def replies(model: LoadedModel, params: SamplingParams) -> list[list[int]]:
    """What the decoder says to a few prompts at once, the free arm alone."""
    rows = partial(SlotBatch, model, max_seq_len=len(IDS[0]) + NEW, max_prefill_tokens=128)
    decoder = TwinDecoder(model, rows, 4, params, NEW)
    for request in requests():
        decoder.submit(request)
    found: dict[str, list[int]] = {}
    while decoder.busy:
        found |= {each.id: list(free_of(each).tokens) for each in decoder.step() if isinstance(each, Finished)}
    return [found[request.id] for request in requests()]


def requests() -> list[Request]:
    return [Request(str(n), [*IDS[0, : 3 + n].tolist(), 7 * n], "", 100 + n, None) for n in range(3)]


# What answers


def test_the_base_says_what_it_says_without_adapters(folder: Path) -> None:
    plain, model = load(folder), load(folder, "one", "two.v2", "dora")
    counts = [sum(isinstance(each, PackedLinear) for each in loaded.model.modules()) for loaded in (plain, model)]
    assert counts == [2 * 7 + 1] * 2, "all layers of the base are as fast as without adapters"
    assert torch.equal(logits(model), logits(plain))
    for name in ("one", "dora", "two.v2"):
        use(model, name)
        use(model, None)
        assert torch.equal(logits(model), logits(plain))


@pytest.mark.parametrize(
    "params", [SamplingParams(), SamplingParams(temperature=0.9, top_k=40)], ids=["greedy", "drawn"]
)
def test_an_adapter_answers_as_with_transformers_and_peft(folder: Path, params: SamplingParams) -> None:
    model = load(folder, "one", "two.v2", "dora")
    said = {}
    for name in ("one", "two.v2", "dora", "one"):
        used = use(model, name)
        assert used is not None
        assert used.live is not None
        assert used.live > 1e-3
        reference = with_peft(folder, name)
        torch.testing.assert_close(logits(model), logits(reference), rtol=1e-4, atol=1e-4)
        said[name] = replies(model, params)
        assert said[name] == [generate(reference, each, params, NEW, masked=False).tokens for each in requests()]
    assert len({str(each) for each in said.values()}) == 3, "the adapters say different things"
    use(model, None)
    assert replies(model, params) == replies(load(folder), params)
    assert replies(model, params) not in said.values()


def test_other_precisions(folder: Path) -> None:
    model = load(folder, "one", dtype="bfloat16")
    base = logits(model)
    used = use(model, "one")
    assert used is not None
    assert used.live is not None
    assert used.live > 1e-2
    assert not torch.equal(logits(model), base)


# Whether it does anything


def test_what_a_run_tells_of_its_adapter(folder: Path) -> None:
    model = load(folder, "one")
    used = use(model, "one")
    assert used is not None
    assert used.live is not None
    assert (used.name, used.path, used.base) == ("one", str(folder / "one"), str(folder / "tiny"))
    assert used.sha256 == AdapterFolder("other", folder / "one").sha256()
    assert used.sha256 != AdapterFolder("dead", folder / "dead").sha256()
    assert used.remarks == (
        f"The adapter one is live: it moves the logits of a probe prompt by up to {used.live:.2g}.",
    )
    with torch.inference_mode():
        ids = torch.tensor([model.prompt_ids([{"role": "user", "content": "hello world"}])])
        with_adapter = model.model(ids).logits
        use(model, None)
        assert (with_adapter - model.model(ids).logits).abs().max() > used.live / 100, "the figure is of that size"


def test_an_adapter_that_does_nothing_is_reported(folder: Path) -> None:
    used = use(load(folder, "dead"), "dead")
    assert used is not None
    assert used.live is not None
    assert used.live == 0
    (remark,) = used.remarks
    assert remark.startswith("The adapter dead does nothing: the logits of a probe prompt are those of tiny alone.")


@pytest.fixture
def copied(folder: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Copies the model and an adapter, so that a test may damage them; gives the folder of both."""

    def copy(name: str) -> Path:
        for each in ("tiny", name):
            shutil.copytree(folder / each, tmp_path / each)
        return tmp_path

    return copy


def test_weights_that_do_not_fit_are_reported(copied: Callable[[str], Path]) -> None:
    folder = copied("one")
    weights = load_file(folder / "one" / WEIGHTS)
    gone, *_ = names = sorted(weights)
    weights["base_model.model.model.layers.7.self_attn.q_proj.lora_A.weight"] = weights.pop(gone)
    save_file(weights, folder / "one" / WEIGHTS)
    edit_json(folder / "one" / CONFIG, base_model_name_or_path="maker/other-model")
    used = use(load(folder, "one"), "one")
    assert used is not None
    assert used.live is not None
    assert used.live > 0
    remarks = " ".join(used.remarks)
    assert "chat template" not in remarks
    assert "says that it was trained on maker/other-model; the model is tiny." in remarks
    assert f"{WEIGHTS} lacks 1 of its weights, {names[0].removeprefix('base_model.model.')[:30]}" in remarks
    assert "tiny has no place for 1 of its weights, model.layers.7.self_attn.q_proj.lora_A" in remarks


def test_another_chat_template_beside_the_adapter_is_reported(copied: Callable[[str], Path]) -> None:
    folder = copied("one")
    save_tokenizer(folder / "one")
    used = use(load(folder, "one"), "one")
    assert used is not None
    assert used.live is not None
    assert len(used.remarks) == 1, "it is the model's own"
    save_tokenizer(folder / "one", "{{ messages[0].content }}")
    used = use(load(folder, "one"), "one")
    assert used is not None
    assert used.live is not None
    assert used.remarks[0].startswith("The adapter one comes with a chat template of its own, which is not used")
    (folder / "one" / "chat_template.jinja").unlink()
    edit_json(folder / "one" / "tokenizer_config.json", chat_template="{{ messages }}")
    used = use(load(folder, "one"), "one")
    assert used is not None
    assert used.live is not None
    assert "chat template" in used.remarks[0]


def test_what_only_the_file_lacks_does_nothing_even_where_it_would_be_random(copied: Callable[[str], Path]) -> None:
    folder = copied("one")
    weights = load_file(folder / "one" / WEIGHTS)
    save_file({"unknown": torch.zeros(1)}, folder / "one" / WEIGHTS)
    edit_json(folder / "one" / CONFIG, init_lora_weights=False)
    used = use(load(folder, "one"), "one")
    assert used is not None
    assert used.live is not None
    assert used.live == 0
    assert f"lacks {len(weights)} of its weights" in used.remarks[0]


# What is refused


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"init_lora_weights": "pissa"}, "changes tiny itself"),
        ({"bias": "lora_only"}, "changes tiny itself"),
        ({"target_modules": ["query"]}, "does not fit tiny: Target modules {'query'} not found in the base model"),
        ({"r": 3}, "does not fit tiny: size mismatch for "),
        ({"r": "four"}, "does not fit tiny: "),
        ({"surprise": 1, "r": 0}, "does not fit tiny: "),
    ],
)
def test_an_adapter_that_does_not_fit_is_refused(copied: Callable[[str], Path], config: Any, said: str) -> None:
    folder = copied("one")
    if config.get("bias"):
        save_model(folder / "tiny", vocab_size=199, attention_bias=True)
        make(folder, "one", 1, bias="lora_only")
    edit_json(folder / "one" / CONFIG, **config)
    with pytest.raises(ModelError) as caught:
        load(folder, "one")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_model_with_an_adapter_in_its_folder_is_refused(copied: Callable[[str], Path]) -> None:
    folder = copied("one")
    for file in (CONFIG, WEIGHTS):
        shutil.copy(folder / "one" / file, folder / "tiny")
    with pytest.raises(ModelError, match="has an adapter in it"):
        load(folder)


def test_names(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd = Path(shutil.copytree(folder / "one", tmp_path / "a=b"))
    monkeypatch.chdir(folder)
    found = read_adapters(["one", "base", "tuned=two.v2", f"x={odd}", "dead/"])
    assert [each and (each.name, each.path) for each in found] == [
        ("one", Path("one")),
        None,
        ("tuned", Path("two.v2")),
        ("x", odd),
        ("dead", Path("dead")),
    ]


def refusal(*given: str) -> str:
    with pytest.raises(BadInputError) as caught:
        read_adapters(given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_names_that_are_refused(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    shutil.copytree(folder / "one", tmp_path / "two words")
    assert refusal("nowhere") == "--adapter: nowhere is not there; name an adapter's folder."
    assert refusal("~no-such-user/x") == "--adapter: ~no-such-user/x is not there; name an adapter's folder."
    assert refusal("x" * 300).endswith(" is not there; name an adapter's folder.")
    assert "is a file; name the folder that it is in" in refusal(f"x=one/{CONFIG}")
    assert 'one" is given twice' in refusal("one", "one")
    assert 'base" is given twice' in refusal("base", "base")
    assert "the name base stands for the model without an adapter" in refusal("base=one")
    assert '"two words" is no name for an adapter; write NAME=PATH' in refusal(str(tmp_path / "two words"))
    assert '"" is no name' in refusal("=one")
    monkeypatch.setattr("engine.models.adapter_folder.find_spec", lambda name: None)
    assert read_adapters(["base"]) == (None,)
    assert refusal("one") == "--adapter needs the package peft: pip install 'jsonbreak[tune]'."


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("{", "line 1: this is not JSON"),
        ("[1]", "does not say what kind of adapter"),
        ('{"peft_type": "IA3"}', 'peft_type is "IA3", and jsonbreak takes "LORA" only'),
        ('{"peft_type": "LORA", "task_type": "SEQ_CLS"}', 'takes adapters for "CAUSAL_LM" only'),
        ('{"peft_type": "LORA", "layer_replication": [[0, 1]]}', "layer_replication is set"),
        ('{"peft_type": "LORA"}', f"there is no {WEIGHTS} in it; save the adapter again"),
    ],
)
def test_folders_that_are_no_adapters(tmp_path: Path, config: str, said: str) -> None:
    assert f"there is no {CONFIG} in it" in refusal(str(tmp_path))
    (tmp_path / CONFIG).write_text(config)
    assert said in refusal(f"x={tmp_path}")


def test_weights_that_cannot_be_trusted_or_read(copied: Callable[[str], Path]) -> None:
    folder = copied("one")
    file = folder / "one" / WEIGHTS
    file.write_bytes(file.read_bytes()[:-8])
    assert "it is damaged" in refusal(str(folder / "one"))
    save_file({}, file)
    assert "there are no weights in it" in refusal(str(folder / "one"))
    file.rename(folder / "one" / "adapter_model.bin")
    assert "adapter_model.bin is a pickle, which may run code" in refusal(str(folder / "one"))
    (folder / "one" / CONFIG).unlink()
    (folder / "one" / "config.json").write_text(json.dumps({"model_type": "llama"}))
    assert "--model takes whole models" in refusal(str(folder / "one"))
