"""`jsonbreak run --server`, as it is typed: what it prints, and how it goes on with a run."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from engine.errors import EngineError
from engine.protocol.commands import StartRun
from engine.servers.spec import ServerSpec
from tests.helpers.command import Command
from tests.helpers.suite_files import numbered_cases, write_suite
from tests.servers.carry_out import HASTY, carry_out, records_of
from tests.servers.faulty import Fault, FaultyServer


def test_a_run_that_lost_its_server_is_gone_on_with_by_resume_last(
    tmp_path: Path, jsonbreak: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-of-the-environment"
    monkeypatch.setenv("MY_KEY", key)
    suite, out = write_suite(tmp_path, cases=numbered_cases(8)), tmp_path / "runs"

    def fault(body: dict[str, Any], number: int) -> Fault | None:
        if "Person 5 " in body["messages"][-1]["content"]:
            threading.Thread(target=server.close).start()
        return None

    server = FaultyServer(fault)
    spec = ServerSpec(server.url, key=key, concurrency=1, retry=HASTY)
    with pytest.raises(EngineError, match="The server is gone"):
        carry_out(spec, StartRun(suite), out)
    (folder,) = out.iterdir()
    assert 4 <= len(records_of(folder)) < 8
    another = FaultyServer()
    try:
        asked = ("--server", another.url, "--api-key-env", "MY_KEY", "--resume", "last")
        whole = jsonbreak("run", str(suite), "--out", str(out), "--plain", *asked)
    finally:
        another.close()
    assert whole.returncode == 0, whole.stderr
    assert whole.stdout.splitlines() == [str(folder)]
    assert len(records_of(folder)) == 8
    assert {each.key for each in (*server.asked, *another.asked)} == {f"Bearer {key}"}
    kept = b"".join(file.read_bytes() for file in folder.iterdir() if file.is_file())
    assert key.encode() not in kept
    assert key not in whole.stdout + whole.stderr


def test_options_that_do_not_go_together_are_refused_in_a_sentence(tmp_path: Path, jsonbreak: Command) -> None:
    suite = str(write_suite(tmp_path))
    for arguments, words in (
        (("--server", "localhost:8000"), "--server localhost:8000: this is no address"),
        (("--server", "http://me:secret@host/v1"), "the address holds a user or a password"),
        (("--server", "http://host/v1", "--batch", "2"), "--batch is for a model on this machine"),
        (("--concurrency", "2"), "--concurrency is for a server"),
        (("--server", "http://host/v1", "--api-key-env", "NOT_SET"), "this environment variable is not set"),
    ):
        refused = jsonbreak("run", suite, "--plain", *arguments)
        assert refused.returncode == 2
        (sentence,) = refused.stderr.splitlines()
        assert words in sentence
        assert "secret" not in sentence
