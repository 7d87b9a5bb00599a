"""Any model: what is loaded, and the sentence for each that cannot be."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, BloomConfig, BloomForCausalLM
from transformers.utils import logging as transformers_logging

from engine.errors import BadInputError
from engine.models.model import UNLIMITED, LoadedModel, ModelError, ModelSpec, load_model
from engine.models.placement import choose_device, choose_dtype, device_map, weight_bytes, weight_files
from engine.protocol.events import Loading
from engine.records import Message
from tests.helpers.tiny_models import edit_json, save_model, save_tokenizer

HELLO: list[Message] = [{"role": "user", "content": "hello world"}]
NO_CUDA = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "tiny"
    save_model(folder)
    save_tokenizer(folder)
    return folder


@pytest.fixture
def tiny(whole: Path, tmp_path: Path) -> Path:
    """A tiny model that a test may damage."""
    return Path(shutil.copytree(whole, tmp_path / "tiny"))


def load(folder: Path | str, **spec: Any) -> LoadedModel:
    return load_model(ModelSpec(str(folder), **{"device": "cpu", **spec}), lambda event: None)


def refusal(folder: Path | str, **spec: str) -> str:
    """The sentence with which a model is refused."""
    with pytest.raises(ModelError) as caught:
        load(folder, **spec)
    assert isinstance(caught.value, BadInputError)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
    return str(caught.value)


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
    for name in (f"{tmp_path}/none", "./none", "~/none", "a/b/c", "with blank"):
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


def test_too_little_memory_is_found_before_loading(tiny: Path) -> None:
    """A file that claims (and, being sparse, has) four times the weights that fit into this machine."""
    count = psutil.virtual_memory().total
    header = {"lm_head.weight": {"dtype": "F32", "shape": [count], "data_offsets": [0, 4 * count]}}
    packed = json.dumps(header).encode()
    with (tiny / "model.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(packed)) + packed)
        file.truncate(8 + len(packed) + 4 * count)
    started = time.monotonic()
    assert f"tiny needs {4 * count / 1e9:.1f} GB for its weights, and " in refusal(tiny)
    assert time.monotonic() - started < 30
    assert f"tiny needs {2 * count / 1e9:.1f} GB for its weights" in refusal(tiny, dtype="bfloat16")


def test_the_memory_that_weights_take(tiny: Path) -> None:
    for dtype in (torch.float32, torch.bfloat16):
        model = AutoModelForCausalLM.from_pretrained(tiny, dtype=dtype)
        taken = sum(weight.numel() * weight.element_size() for weight in model.parameters())
        assert weight_bytes(weight_files(tiny), dtype) == taken
    save_file({"a": torch.zeros(10, dtype=torch.int8), "b": torch.zeros(10)}, tiny / "model.safetensors")
    assert weight_bytes(weight_files(tiny), torch.bfloat16) == 10 + 20


@NO_CUDA
def test_a_gpu_that_is_not_there(tiny: Path) -> None:
    for device in ("cuda", "cuda:7"):
        assert refusal(tiny, device=device).startswith(f"--device {device}: there is no CUDA GPU that torch can use")


class TwoGpus:
    """What torch would say of two GPUs with 10 and 20 GB free; there is no such machine to test on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
        monkeypatch.setattr(torch.cuda, "mem_get_info", self.free)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "a GPU")

    def free(self, device: torch.device | int) -> tuple[int, int]:
        number = device if isinstance(device, int) else device.index or 0
        return (10_000_000_000 * (number + 1), 40_000_000_000)


@pytest.mark.parametrize(
    ("asked", "gigabytes", "expected"),
    [
        ("auto", 8, {"": torch.device("cuda")}),
        ("auto", 9, "auto"),  # it would fit on the first, but leave no room for caches
        ("cuda", 25, "auto"),
        ("cuda", 31, "m needs 31.0 GB for its weights, and 30.0 GB is free on 2 GPUs"),
        ("cuda:1", 19, {"": torch.device("cuda:1")}),
        ("cuda:1", 25, "m needs 25.0 GB for its weights, and 20.0 GB is free on a GPU"),
        ("cuda:2", 1, "--device cuda:2: there is no such GPU here; the last one is cuda:1."),
    ],
)
def test_which_gpus_a_model_goes_to(
    asked: str, gigabytes: int, expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    TwoGpus(monkeypatch)
    try:
        found: object = device_map("m", gigabytes * 1_000_000_000, asked, choose_device(asked))
    except ModelError as error:
        found = str(error).removesuffix(": take a smaller model, or a smaller --dtype (bfloat16).")
    assert found == expected


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu(tiny: Path) -> None:
    loaded = load(tiny, device="auto")
    assert (loaded.device, loaded.dtype) == (torch.device("cuda:0"), torch.bfloat16)
    assert "there is no such GPU here" in refusal(tiny, device="cuda:99")


@pytest.mark.parametrize("device", ["gpu", "cpu:1", "cuda:", "cuda:x", "mps:0", "", "\x1b"])
def test_a_device_that_is_none(tiny: Path, device: str) -> None:
    assert refusal(tiny, device=device).endswith(" is unknown: it takes auto, cpu, cuda, cuda:1 or mps.")


def test_a_precision_that_is_none(tiny: Path) -> None:
    assert refusal(tiny, dtype="int4") == "--dtype int4 is unknown: it takes auto, float32, bfloat16, float16."


def test_the_choice_of_precision() -> None:
    assert choose_dtype("auto", torch.device("cpu")) == torch.float32
    assert choose_dtype("auto", torch.device("cuda")) == torch.bfloat16
    assert choose_device("cpu") == torch.device("cpu")


# The hub: its client is real, the server is a small one here

COMMIT = "0123456789abcdef0123456789abcdef01234567"
ASK = """
import json, sys
from engine.models.hub import model_folder
from engine.errors import BadInputError
for name in sys.argv[2:]:
    steps = []
    try:
        answer = str(model_folder(name, lambda event: steps.append(event.step), weights=sys.argv[1] == "all"))
    except BadInputError as error:
        answer = str(error)
    print(json.dumps([answer, sorted(set(steps))]))
"""


@contextlib.contextmanager
def hub(folder: Path) -> Iterator[str]:
    """A server that has one model, some/tiny, knows of a gated one, some/gated, and of no other."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.startswith("/api/models/some/gated"):
                self.answer(403, b"{}", **{"X-Error-Code": "GatedRepo"})
            elif path in ("/api/models/some/tiny", "/api/models/some/tiny/revision/main"):
                self.answer(200, json.dumps({"id": "some/tiny", "sha": COMMIT, "siblings": []}).encode())
            elif path == f"/api/models/some/tiny/tree/{COMMIT}":
                files = sorted(folder.iterdir())
                entries = [
                    {"type": "file", "oid": "0", "path": file.name, "size": file.stat().st_size} for file in files
                ]
                self.answer(200, json.dumps(entries).encode())
            elif path.startswith(f"/some/tiny/resolve/{COMMIT}/"):
                content = (folder / path.rpartition("/")[2]).read_bytes()
                self.answer(200, content, ETag=f'"{path.rpartition("/")[2]}"', **{"X-Repo-Commit": COMMIT})
            else:
                self.answer(404, b"{}", **{"X-Error-Code": "RepoNotFound"})

        do_HEAD = do_GET

        def answer(self, status: int, content: bytes, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def ask(address: str, home: Path, *names: str, what: str = "all") -> list[tuple[str, list[str]]]:
    environment = {**os.environ, "HF_HUB_OFFLINE": "0", "HF_ENDPOINT": address, "HF_HOME": str(home)}
    ended = subprocess.run(
        [sys.executable, "-c", ASK, what, *names], env=environment, capture_output=True, text=True, timeout=120
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return [tuple(json.loads(line)) for line in ended.stdout.splitlines()]


def test_models_of_the_hub(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with hub(whole) as address:
        ((folder, _),) = ask(address, tmp_path, "some/tiny", what="no weights")
        assert {file.name for file in Path(folder).iterdir()} >= {"tokenizer.json", "chat_template.jinja"}
        assert not list(Path(folder).glob("*.safetensors"))
        found, unknown, gated = ask(address, tmp_path, "some/tiny", "some/other", "some/gated")
    assert found[1] == ["downloading some/tiny from the hub"]
    assert Path(found[0]).is_relative_to(tmp_path)
    assert unknown[0] == (
        "There is no folder some/other, and the hub knows no model of that name (or it is private: `hf auth login`)."
    )
    assert gated[0].startswith("some/gated is gated: accept its terms")
    again, unknown = ask("http://127.0.0.1:9", tmp_path, "some/tiny", "some/other")  # nobody listens there
    assert again == found
    assert unknown[0].endswith("no such model was downloaded from the hub before; the hub cannot be reached.")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    assert load("some/tiny").name == "some/tiny"
