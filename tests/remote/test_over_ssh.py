"""The interface here and the engine at the other end of a real SSH connection, on the real model."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from engine import __version__
from engine.runs.store import read_records
from engine.worker.options import DecodingOptions, EngineOptions
from tests.helpers.stage import Stage
from tests.helpers.suite_files import numbered_cases, write_suite
from tests.remote.sshd import SSHD, ssh_server
from tui.app import JsonbreakApp
from tui.state.task import Phase

NEEDS_SSHD = pytest.mark.skipif(SSHD is None, reason="sshd is not installed (Debian: openssh-server)")
SCHEMA = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}


@pytest.fixture(scope="module")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ssh_server(tmp_path_factory.mktemp("ssh")) as command:
        yield command


def bridge(engine: str, out: Path) -> list[str]:
    return [sys.executable, "-m", "engine", "bridge", "--command", engine, "--out", str(out)]


def engine_at(ssh: str, out: Path, *options: object) -> str:
    command = [sys.executable, "-m", "engine", "engine", "--device", "cpu", "--out", out, *options]
    return f"{ssh} {shlex.quote(shlex.join(map(str, command)))}"


def manifest(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return found


def runs_in(out: Path) -> list[Path]:
    return sorted(path.parent for path in out.glob("*/run.json"))


@NEEDS_SSHD
async def test_a_run_is_mirrored_lost_resumed_and_tried_on(ssh: str, tmp_path: Path, byte_model: Path) -> None:
    here, there, suites = tmp_path / "here", tmp_path / "there", tmp_path / "suites"
    (suites / "schemas").mkdir(parents=True)
    (suites / "schemas" / "person.json").write_text(json.dumps(SCHEMA))
    cases = numbered_cases(16)
    suite = write_suite(suites, generation="max_new_tokens = 100", schema="", cases=cases)
    suite.write_text('schema_file = "schemas/person.json"\n' + suite.read_text())
    app = JsonbreakApp(
        suites,
        bridge(engine_at(ssh, there, "--model", byte_model), here),
        tmp_path / "log",
        options=EngineOptions(out=here),
        decoding=DecodingOptions(batch=2),
    )
    async with app.run_test(size=(120, 40), notifications=True) as pilot:
        it = Stage(app, pilot, tmp_path)
        await it.sees("Extract the name and age", "1 x 16 cases")
        await it.press("r")
        await it.until(lambda: it.runner.state is not None and it.run_state.progress is not None, 120)
        await it.until(lambda: it.run_state.progress is not None and it.run_state.progress.done >= 3, 60)
        assert it.runner._client is not None
        (connection,) = psutil.Process(it.runner._client.pid).children()
        connection.kill()
        await it.sees("The connection to the engine was lost")
        (mirrored,) = runs_in(here)
        kept = list(read_records(mirrored))
        assert 3 <= len(kept) < 16
        assert "ended" not in manifest(mirrored)

        await it.press("r")
        await it.until(lambda: it.run_state.phase is Phase.FINISHED, 240)
        await it.sees("ok finished  16 of 16 jobs")
        (original,) = runs_in(there)
        assert sorted(read_records(mirrored), key=lambda record: record.id) == sorted(
            read_records(original), key=lambda record: record.id
        )
        assert list(read_records(mirrored))[: len(kept)] == kept
        ours, theirs = manifest(mirrored), manifest(original)
        assert ours.pop("engine")["folder"] == str(original)
        assert ours.pop("suite_file") == str(suite)
        assert ours == {key: value for key, value in theirs.items() if key != "suite_file"}

        await it.press("g", "R")
        await it.press("enter")
        await it.until(lambda: it.runner.task is not it.runner.state, 120)
        work = it.runner.task
        assert work is not None
        await it.until(lambda: work.over, 120)
        assert work.failure is None
        (trial,) = [folder for folder in runs_in(here) if folder != mirrored]
        assert manifest(trial)["trial_of"] == mirrored.name
        assert len(list(read_records(trial))) == 1


@NEEDS_SSHD
async def test_what_ssh_says_is_told(ssh: str, tmp_path: Path) -> None:
    sentence = await failure(f"{ssh} jsonbreak-is-not-there engine", tmp_path)
    assert "no engine answered: it said" in sentence
    assert "not found" in sentence


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        (f'{{"type": "hello", "jsonbreak": "{__version__}9"}}', f"jsonbreak {__version__}9 there, {__version__} here"),
        ("Welcome!\n" * 200, "does it end with `jsonbreak engine`?"),
        ("", "no engine answered: it ended with exit code 0"),
    ],
)
async def test_who_is_no_engine_of_this_version_is_refused(says: str, sentence: str, tmp_path: Path) -> None:
    program = f"print({says!r})"
    assert sentence in await failure(f"{sys.executable} -c {shlex.quote(program)}", tmp_path)


async def failure(engine: str, tmp_path: Path) -> str:
    """What the interface tells of a run on such an engine."""
    write_suite(tmp_path)
    app = JsonbreakApp(
        tmp_path, bridge(engine, tmp_path / "runs"), tmp_path / "log", options=EngineOptions(out=tmp_path / "runs")
    )
    async with app.run_test(size=(120, 40)) as pilot:
        it = Stage(app, pilot, tmp_path)
        await it.sees("Extract the name and age")
        await it.press("r")
        await it.until(lambda: it.runner.state is not None and it.run_state.phase is Phase.FAILED)
        await it.sees("failed")
        assert it.run_state.failure is not None
        return it.run_state.failure


async def test_a_run_made_here_and_a_schema_of_this_machine_alone_are_refused(tmp_path: Path) -> None:
    from engine.errors import BadInputError
    from engine.remote.files import pack_suite, write_files
    from engine.remote.mirror import folder_there
    from tests.helpers.made_runs import RIGHT, Made, write_run

    with pytest.raises(BadInputError, match="was not made by an engine elsewhere"):
        folder_there(write_run(tmp_path / "runs", [Made(RIGHT)]))
    (tmp_path / "s.json").write_text(json.dumps(SCHEMA))
    suite = write_suite(tmp_path, schema="")
    suite.write_text(f'schema_file = "{tmp_path / "s.json"}"\n' + suite.read_text())
    with pytest.raises(BadInputError, match="is a path of this machine"):
        pack_suite(suite)
    with pytest.raises(BadInputError, match="no place for a file"):
        write_files({"../x": ""}, tmp_path / "kept")
