from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from engine.protocol import events
from engine.protocol.commands import GRACE, Pause, RenderPrompt, StartRun
from engine.protocol.events import Event, Loading, PromptRendered
from tests.helpers import story
from tui.process.client import PATIENCE, Client
from tui.process.runner import Runner
from tui.state.task import EngineDied, Phase


async def events_of(client: Client) -> list[Event | EngineDied]:
    return [event async for event in client.events()]


async def test_commands_go_in_and_events_come_out(tmp_path: Path) -> None:
    steps: list[story.Step] = [
        Loading("a"),
        {"do": "expect", "type": "pause"},
        events.Paused(True),
        {"do": "exit", "code": 0},
    ]
    client = Client(story.command(steps, tmp_path), tmp_path / "log")
    await client.start()
    await client.send(StartRun(Path("x.toml"), prompts=("naive",)))
    await client.send(Pause(True))
    assert await events_of(client) == [Loading("a"), events.Paused(True), EngineDied(0, ())]
    assert [command["type"] for command in story.received(tmp_path)] == ["start_run", "pause"]


async def test_a_death_tells_the_exit_code_and_the_end_of_the_log(tmp_path: Path) -> None:
    steps: list[story.Step] = [{"do": "stderr", "text": "first\nCUDA out of memory"}, {"do": "exit", "code": 3}]
    client = Client(story.command(steps, tmp_path), tmp_path / "log")
    await client.start()
    await client.send(StartRun(Path("x.toml")))
    [death] = await events_of(client)
    assert isinstance(death, EngineDied)
    assert death.sentence == "The engine ended unexpectedly with exit code 3."
    assert death.log == ("first", "CUDA out of memory")
    assert not client.alive


async def test_a_killed_engine_is_called_killed(tmp_path: Path) -> None:
    client = Client([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"], tmp_path / "log")
    await client.start()
    [death] = await events_of(client)
    assert isinstance(death, EngineDied)
    assert death.sentence == "The engine was killed by signal 9."


async def test_what_is_no_event_goes_to_the_log(tmp_path: Path) -> None:
    steps: list[story.Step] = [
        {"do": "raw", "line": "Downloading shards: 100%"},
        Loading("b"),
        {"do": "exit", "code": 0},
    ]
    client = Client(story.command(steps, tmp_path), tmp_path / "log")
    await client.start()
    await client.send(StartRun(Path("x.toml")))
    assert (await events_of(client))[0] == Loading("b")
    assert "Downloading shards" in (tmp_path / "log").read_text()


async def test_a_line_of_a_megabyte_arrives(tmp_path: Path) -> None:
    step = "é" * 1_000_000
    client = Client(story.command([Loading(step), {"do": "exit", "code": 0}], tmp_path), tmp_path / "log")
    await client.start()
    await client.send(StartRun(Path("x.toml")))
    assert (await events_of(client))[0] == Loading(step)


async def test_close_ends_an_engine_that_listens_and_one_that_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PATIENCE > GRACE, "the engine would be ended while it closes its files"
    monkeypatch.setattr("tui.process.client.PATIENCE", 0.5)
    monkeypatch.setattr("tui.process.client.FORCE_AFTER", 0.5)
    deaf = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(60)"]
    for command in (story.command([], tmp_path), deaf):
        client = Client(command, tmp_path / "log")
        await client.start()
        process = client._process
        assert process is not None
        reader = asyncio.create_task(events_of(client))
        await asyncio.sleep(0.3)
        await client.close()
        assert process.returncode is not None
        assert await reader == []  # it was asked to end: that is no death


async def test_a_program_that_does_not_exist_fails_the_run(tmp_path: Path) -> None:
    runner = Runner(["no-such-program-at-all"], tmp_path / "log")
    state = await runner.start(StartRun(Path("x.toml")))
    assert state.phase is Phase.FAILED
    assert state.failure == "The engine could not be started: No such file or directory."


async def test_two_runs_share_one_engine(tmp_path: Path) -> None:
    runner = Runner(story.command([{"do": "stderr", "text": "run"}, *story.people_run()], tmp_path), tmp_path / "log")
    for _ in range(2):
        state = await runner.start(StartRun(Path("x.toml")))
        while runner.busy:
            await asyncio.sleep(0.02)
        assert state.phase is Phase.FINISHED
    await runner.close()
    assert len(story.received(tmp_path)) == 2


async def test_a_run_stopped_while_the_model_loads_leaves_the_engine_to_the_next(tmp_path: Path) -> None:
    """The engine loads on; what it still says of the first run does not reach the second."""
    loading: list[story.Step] = [
        Loading("reading weights"),
        {"do": "expect", "type": "stop_run"},
        {"do": "gate", "name": "loaded"},
    ]
    records = story.people_records()[:1]
    begun = [*story.ready(), story.started(story.info(each.prompt, each.case) for each in records)]
    once = [*begun, *story.streamed(records[0]), story.finished(1, 1, stopped=True)]
    again = [{"do": "expect", "type": "start_run"}, *story.people_run()]
    runner = Runner(story.command([*loading, *once, *again], tmp_path), tmp_path / "log")
    first = await runner.start(StartRun(Path("x.toml")))
    while first.phase is not Phase.LOADING:
        await asyncio.sleep(0.02)
    client = runner._client
    await asyncio.wait_for(runner.stop(), 1)
    assert first.phase is Phase.STOPPED
    second = await runner.start(StartRun(Path("y.toml"), batch=3))
    assert runner._client is client
    story.open_gate(tmp_path, "loaded")
    while not second.over:
        await asyncio.sleep(0.02)
    assert (second.phase, second.done, first.done) == (Phase.FINISHED, 6, 0)
    await runner.close()


async def test_prompts_are_rendered_by_an_engine_that_does_nothing_else(tmp_path: Path) -> None:
    """Each question gets its own answer, in whatever order; two of one name are answered in turn."""
    ask = {"do": "expect", "type": "render_prompt"}
    answers = [PromptRendered(id, "m", text) for id, text in (("b", "other"), ("a", "first"), ("a", "second"))]
    steps: list[story.Step] = [ask, ask, *answers, ask, gate := story.gate("death"), {"do": "exit", "code": 3}]
    runner = Runner(story.command(steps, tmp_path, "render_prompt"), tmp_path / "log")
    given_up = asyncio.create_task(runner.render(RenderPrompt("a", ())))
    while not story.received(tmp_path):
        await asyncio.sleep(0.02)
    given_up.cancel()
    rendered = await asyncio.gather(*(runner.render(RenderPrompt(id, ())) for id in ("a", "b")))
    assert [(each.id, each.text) for each in rendered] == [("a", "second"), ("b", "other")]
    lost = asyncio.create_task(runner.render(RenderPrompt("c", ())))
    while len(story.received(tmp_path)) < 4:
        await asyncio.sleep(0.02)
    story.open_gate(tmp_path, str(gate["name"]))
    assert await lost == PromptRendered("c", "", error="The engine ended unexpectedly with exit code 3.")
    assert runner.task is None
    await runner.close()


async def test_prompts_are_rendered_while_a_run_is_on(tmp_path: Path) -> None:
    """The run is not affected; an engine that is ended, or cannot be started, is reported."""
    beginning, rest = story.people_run()[:3], story.people_run()[3:]
    ask = {"do": "expect", "type": "render_prompt"}
    steps = [*beginning, ask, PromptRendered("a", "m", "text", 1, ((0, 4),)), *rest, ask, story.gate("never")]
    runner = Runner(story.command(steps, tmp_path), tmp_path / "log")
    state = await runner.start(StartRun(Path("x.toml")))
    while not state.jobs:
        await asyncio.sleep(0.02)
    assert await runner.render(RenderPrompt("a", ())) == PromptRendered("a", "m", "text", 1, ((0, 4),))
    while not state.over:
        await asyncio.sleep(0.02)
    assert (state.phase, state.done) == (Phase.FINISHED, 6)
    lost = asyncio.create_task(runner.render(RenderPrompt("b", ())))
    while len(story.received(tmp_path)) < 3:
        await asyncio.sleep(0.02)
    await runner.close()
    assert (await lost).error == "The engine was ended."
    none = await Runner(["no-such-program-at-all"], tmp_path / "log").render(RenderPrompt("c", ()))
    assert none.error == "The engine could not be started: No such file or directory."


async def test_the_engine_ends_when_the_client_is_gone(tmp_path: Path) -> None:
    """Its stdin closes with us, whatever becomes of us."""
    code = (
        "import asyncio, os, sys; from pathlib import Path; from tui.process.client import Client\n"
        "async def main():\n"
        "    client = Client(sys.argv[2:], Path(sys.argv[1])); await client.start()\n"
        "    print(client._process.pid, flush=True); os._exit(0)\n"
        "asyncio.run(main())"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path / "log"), *story.command([], tmp_path), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    pid = int(output)
    for _ in range(200):
        if not alive(pid):
            return
        await asyncio.sleep(0.05)
    raise AssertionError("the engine outlived its parent")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
