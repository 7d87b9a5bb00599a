"""The tokens that are trained on, the training, and what is saved, on tiny models that are really trained."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from engine.cli.displays import tune as headless
from engine.errors import INTERRUPTED, BadInputError
from engine.models.adapter_folder import read_adapters
from engine.models.model import LoadedModel, ModelSpec, load_model
from engine.protocol.tune_events import TuneBegun, TuneEvent, TuneSaved, TuneStep, decode, encode
from engine.runs.reading import RunFolder
from engine.training.batches import RowTokenizer, TokenizedRow, end_token, make_batch
from engine.training.lora import Lora
from engine.training.orders import TuneOrder
from engine.training.planning import plan_tune
from engine.training.rows import Row
from engine.training.tuning import tune
from tests.helpers.command import Command
from tests.helpers.made_runs import MANIFEST, PROSE, Made, write_run
from tests.helpers.tiny_models import STOP, TEMPLATE, llama, loaded, save_model, save_tokenizer

CASES = [f"c{number}" for number in range(10)]


def tiny(**config: Any) -> LoadedModel:
    """Speaks bytes; its template ends a message with a token of its own."""
    torch.manual_seed(0)
    model = loaded(llama(**config))
    model.tokenizer.chat_template = TEMPLATE
    model.tokenizer.add_special_tokens({"additional_special_tokens": ["</s>"]})
    return model


def row(content: str, completion: str, prefill: str = "") -> Row:
    message = {"role": "user", "content": content}
    return Row(["job"], "p", "c", "expected", (message,), completion, prefill, {})  # type: ignore[arg-type]


def test_the_prompt_is_the_decoders_and_the_end_is_learned_too() -> None:
    model = tiny()
    for prefill in ("", '{"a'):
        made = row("hello", '{"a": 1}', prefill)
        example = RowTokenizer(model).tokenize(made)
        assert example.prompt == model.prompt_ids(made.messages, prefill)
        assert example.completion[-1] == STOP == end_token(model)
        assert model.tokenizer.decode(example.completion[:-1]) == '{"a": 1}'.removeprefix(prefill)


def test_a_prefill_that_ends_inside_a_token_is_continued(builtin_model: LoadedModel) -> None:
    """The model has one token for `{"`; the decoder, given `{`, continues after the token for that."""
    example = RowTokenizer(builtin_model).tokenize(row("x", '{"name": "Ann"}', "{"))
    assert example.prompt == builtin_model.prompt_ids(row("x", "").messages, "{")
    assert builtin_model.tokenizer.decode(example.completion) == '"name": "Ann"}<|im_end|>'
    assert end_token(builtin_model) in builtin_model.stop_ids


def test_the_loss_is_that_of_the_completions_alone_however_rows_are_padded() -> None:
    model = tiny()
    examples = [TokenizedRow([1, 2, 3], [4, 5, STOP]), TokenizedRow([9] * 20, [6, STOP]), TokenizedRow([7], [8] * 9)]
    losses, tokens = 0.0, 0
    for each in examples:
        ids = torch.tensor([each.prompt + each.completion])
        with torch.no_grad():
            logits = model.model(input_ids=ids).logits[0, len(each.prompt) - 1 : -1]
        losses += float(torch.nn.functional.cross_entropy(logits, torch.tensor(each.completion), reduction="sum"))
        tokens += len(each.completion)
    lora = Lora(model, 2)  # changes nothing yet: its second half is zero
    with torch.no_grad():
        assert float(lora._loss(make_batch(examples, model.device))) == pytest.approx(losses / tokens, rel=1e-5)


def test_training_lowers_the_loss_moves_only_the_adapter_and_is_the_same_twice() -> None:
    examples = [TokenizedRow([number, 30 + number], [40, 41, STOP]) for number in range(20)]
    emitted: list[TuneEvent] = []
    runs = []
    for _ in range(2):
        model = tiny()
        before = {name: weight.clone() for name, weight in model.model.named_parameters()}
        lora = Lora(model, 4)
        runs.append(lora.train(examples, 6, 5e-2, emitted.append))
        after = {name: weight for name, weight in model.model.named_parameters() if "lora" not in name}
        assert lora.size == sum(w.numel() for n, w in model.model.named_parameters() if "lora" in n)
        for name, weight in after.items():
            assert torch.equal(weight, before[name.replace(".base_layer", "")]), name
    assert runs[0] == runs[1]
    assert sum(runs[0][-3:]) / 3 < sum(runs[0][:3]) / 3 - 0.1
    steps = [each for each in emitted if isinstance(each, TuneStep)]
    assert [(each.step, each.steps, each.loss) for each in steps[:18]] == [
        (number, 18, loss) for number, loss in enumerate(runs[0], 1)
    ]
    assert steps[17].seconds_left == 0


def test_a_model_that_calls_its_projections_otherwise_is_tuned_in_all_linear_layers() -> None:
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    config = GPTNeoXConfig(
        vocab_size=STOP + 1, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4
    )
    lora = Lora(loaded(GPTNeoXForCausalLM(config)), 2)
    assert lora.targets == "all-linear"
    losses = lora.train([TokenizedRow([1, 2], [3, STOP])] * 8, 5, 1e-2, lambda _: None)
    assert losses[-1] < losses[0]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Ten cases, of a model in the same folder, in words that it knows."""
    torch.manual_seed(0)
    save_model(tmp_path / "tiny", max_position_embeddings=64)
    save_tokenizer(tmp_path / "tiny")
    manifest = {**MANIFEST, "schema": {}, "grammars": [], "suite_file": "made suite.toml"}
    manifest["selection"] = {"prompts": ["naive"]}
    jobs = [Made(PROSE, case=case, input=f"hello {case}", expected="world") for case in CASES]
    return RunFolder(write_run(tmp_path / "runs", jobs, manifest))


def test_what_is_saved_is_an_adapter_that_is_live_with_a_card_of_the_split(run: RunFolder, tmp_path: Path) -> None:
    order = TuneOrder(tmp_path / "new" / "tuned", str(tmp_path / "tiny"), "cpu", rank=2, epochs=1, lr=0.1, share=0.3)
    emitted: list[TuneEvent] = []
    tune(run, plan_tune(run, order), order, emitted.append)
    (begun,) = [each for each in emitted if isinstance(each, TuneBegun)]
    assert (begun.steps, begun.rows, begun.train_cases, begun.test_cases) == (1, 7, 7, 3)
    (saved,) = [each for each in emitted if isinstance(each, TuneSaved)]
    assert saved.next[0] == (
        f"jsonbreak run 'made suite.toml' --prompt naive --model {tmp_path / 'tiny'} --device cpu "
        f"--adapter {order.out} --out {tmp_path / 'runs'}"
    )
    assert saved.next[1] == (
        f"jsonbreak compare {run.folder} last --only-cases {order.out / 'card.json'} --runs {tmp_path / 'runs'}"
    )
    card = json.loads((order.out / "card.json").read_text(encoding="utf-8"))
    assert card["test_cases"] == ["c3", "c6", "c9"]
    assert card["base"]["model_sha256"] is not None
    assert len(card["losses"]) == card["counts"]["steps"] == 1
    assert [path.name for path in order.out.parent.iterdir()] == ["tuned"], "nothing half is left"
    adapters = read_adapters([str(order.out)])
    model = load_model(ModelSpec(order.model, "cpu", adapters=(adapters[0],)), lambda _: None)  # type: ignore[arg-type]
    assert model.adapters is not None
    used = model.adapters.use("tuned")
    assert used is not None
    assert used.live is not None
    assert used.live > 0
    assert all(decode(encode(each)) == each for each in emitted)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": None}, "The run is of made-model; say with --model where to find it."),
        ({"model": "./nowhere"}, "There is no folder ./nowhere."),
        ({"prompts": ("naiv",)}, r'--prompt: the run has no prompt "naiv"; did you mean "naive"\?'),
        ({"prompts": ("strict",)}, "nothing can be trained on: it has no records"),
        ({"out": Path("taken")}, "taken: this exists already; remove it, or name another folder with --out."),
    ],
)
def test_what_cannot_be_done_is_said_before_a_model_is_loaded(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    order = TuneOrder(**{"out": tmp_path / "tuned", "model": str(tmp_path / "tiny"), **changes})
    with pytest.raises(BadInputError, match=said):
        plan_tune(run, order)


def test_rows_that_the_context_does_not_hold_are_left_out_with_a_remark(run: RunFolder, tmp_path: Path) -> None:
    jobs = [Made(PROSE, case=case, input="hello " * 60, expected="world") for case in ("long", "longer")]
    jobs += [Made(PROSE, case="short", input="hello", expected="world")]
    manifest = {**MANIFEST, "schema": {}, "grammars": []}
    mixed = RunFolder(write_run(tmp_path / "runs", jobs, manifest))
    order = TuneOrder(tmp_path / "tuned", str(tmp_path / "tiny"), "cpu", rank=1, epochs=1, share=0)
    emitted: list[Any] = []
    tune(mixed, plan_tune(mixed, order), order, emitted.append)
    words = [each.message for each in emitted if each.type == "remark"]
    assert words == ["1 row left out: longer than the model's context of 64 tokens."], "two rows that are the same"


def test_a_base_in_half_precision_stays_so_and_its_adapter_is_float32(run: RunFolder, tmp_path: Path) -> None:
    """As on a GPU, where bfloat16 is usual."""
    model = load_model(ModelSpec(str(tmp_path / "tiny"), "cpu", "bfloat16"), lambda _: None, pack=False)
    lora = Lora(model, 2)
    losses = lora.train([TokenizedRow([3, 5], [6, 1])] * 8, 8, 5e-2, lambda _: None)
    assert losses[-1] < losses[0]
    found = {("lora" in name, weight.dtype) for name, weight in model.model.named_parameters()}
    assert found == {(True, torch.float32), (False, torch.bfloat16)}


def test_ctrl_c_saves_nothing_and_says_so(
    run: RunFolder, tmp_path: Path, jsonbreak: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    emit = headless._Lines.emit

    def interrupt(display: Any, event: TuneEvent) -> None:
        emit(display, event)
        if isinstance(event, TuneStep) and event.step == 2:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(headless._Lines, "emit", interrupt)
    options = ["--model", tmp_path / "tiny", "--device", "cpu", "--epochs", 100_000, "--plain"]
    stopped = jsonbreak("tune", run.folder, "--out", tmp_path / "tuned", *options)
    assert (stopped.returncode, stopped.stdout) == (INTERRUPTED, "")
    *_, step, said = stopped.stderr.splitlines()
    assert step.startswith("step 2/100000  loss ")
    assert step.endswith(" left")
    assert said == "Stopped: nothing was saved."
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs", "tiny"]
