"""Against a real llama_cpp.server, which takes one form of schema only and one request at a time.

Slow, since its environment is compiled where there is none (about five minutes): pytest -m slow tests/servers
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.protocol.commands import StartRun
from engine.protocol.events import RunStarted
from engine.runs.reading import RunFolder
from engine.servers.spec import ServerSpec
from tests.bench import environments
from tests.helpers.suite_files import write_suite
from tests.servers.carry_out import carry_out, records_of
from tests.servers.real import llama_cpp_server


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_form_that_holds_is_found_and_requests_do_not_end_each_other(tmp_path: Path) -> None:
    environments.install("llama-cpp")
    with llama_cpp_server(tmp_path / "server.log") as server:
        events = carry_out(ServerSpec(server.url), StartRun(write_suite(tmp_path)), tmp_path)
    (started,) = (event for event in events if isinstance(event, RunStarted))
    assert started.constrained_error is None
    assert any("one thing at a time" in remark for remark in started.remarks)
    serving = RunFolder(started.folder).manifest.model_dump()["server"]
    assert serving["form"] == "response_format json_object with schema"
    assert serving["weighing"] == "unmasked"
    assert "the server answered 500" in serving["failures"][0]
    for record in records_of(started.folder).values():
        assert record.free.error is record.constrained.error is None
        assert record.constrained.verdict is not None
        assert record.constrained.verdict.schema
        for reply in (record.free, record.constrained):
            assert len(reply.p) == len(reply.ends) == len(reply.tokens) > 0
            assert reply.ends[-1] == len(reply.text)
            assert all(0 < p <= 1 for p in reply.p)
        assert record.fork is not None
        assert record.fork.allowed_mass is None
        assert record.fork.wanted[0].p is not None
        assert record.fork.allowed[0].p is not None
        assert record.fork.wanted[0].p > record.fork.allowed[0].p, "greedy: the model wanted the other one more"
