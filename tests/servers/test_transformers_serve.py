"""Against a real `transformers serve`: it answers 200 to a schema and ignores it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.protocol.commands import StartRun
from engine.protocol.events import RunStarted
from engine.runs.reading import RunFolder
from engine.runs.store import read_records
from engine.servers.spec import ServerSpec
from tests.helpers.suite_files import write_suite
from tests.servers.carry_out import carry_out
from tests.servers.real import transformers_serve

PROMPTS = """
[[prompt]]
name = "naive"
user = "Extract the name and age: {input}"
[[prompt]]
name = "begun"
user = "Extract the name and age: {input}"
prefill = "{"
"""


@pytest.mark.model
def test_the_free_arm_runs_and_that_the_schema_is_ignored_is_noticed(tmp_path: Path) -> None:
    suite = write_suite(tmp_path, prompts=PROMPTS, generation="max_new_tokens = 8")
    with transformers_serve(tmp_path / "server.log") as server:
        spec = ServerSpec(server.url, model=server.model, concurrency=1)
        events = carry_out(spec, StartRun(suite, cases=("bob",)), tmp_path)
    (started,) = (event for event in events if isinstance(event, RunStarted))
    assert started.constrained_error is not None
    assert "response_format json_schema: the server took it and ignored it" in started.constrained_error
    assert "structured_outputs: the server answered 422" in started.constrained_error
    by_prompt = {record.prompt: record for record in read_records(started.folder)}
    naive, begun = by_prompt["naive"], by_prompt["begun"]
    assert naive.free.text == "Bob is 25."
    assert (naive.free.finish, naive.free.p, naive.fork) == ("stop", (), None)
    assert naive.constrained.error == started.constrained_error
    assert begun.free.error is not None
    assert "does not continue a reply that is begun for it" in begun.free.error
    manifest = RunFolder(started.folder).manifest.model_dump()
    assert manifest["server"]["form"] is None
    assert manifest["server"]["weighing"] == "none"
