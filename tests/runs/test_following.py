"""A run is read while it is written: real records, appended by another process."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from engine.runs import owner
from engine.runs.following import follow
from engine.runs.store import MANIFEST, RECORDS
from engine.runs.summaries import SummaryReader
from tests.helpers.made_runs import RIGHT, Made, write_run

WRITER = """
import sys, time
from pathlib import Path
from engine.runs import owner
folder, lines = Path(sys.argv[1]), Path(sys.argv[2]).read_bytes().splitlines(keepends=True)
owner.claim(folder, None)
print("begun", flush=True)
for line in lines:
    sys.stdin.readline()
    with (folder / "records.jsonl").open("ab") as file:
        file.write(line[:40])
        file.flush()
        time.sleep(0.05)
        file.write(line[40:])
sys.stdin.readline()
"""


def test_it_ends_when_the_engine_has_gone(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [Made(RIGHT, case=f"case-{number}") for number in range(4)], ended=False)
    owner.release(folder)  # this process has only created the run
    records = folder / RECORDS
    lines = records.read_bytes().splitlines(keepends=True)
    records.write_bytes(lines[0])
    (tmp_path / "rest").write_bytes(b"".join(lines[1:]))
    command = [sys.executable, "-c", WRITER, str(folder), str(tmp_path / "rest")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        writer.stdout.readline()
        seen: list[str] = []
        end = time.monotonic() + 20
        for batch in follow(folder, SummaryReader(folder), poll_seconds=0.02):
            assert time.monotonic() < end, seen
            seen += [info.case for info, _ in batch]
            if not batch and len(seen) <= 3:
                writer.stdin.write(b"\n")
                writer.stdin.flush()
            elif len(seen) == 4:
                writer.stdin.close()
    assert seen == ["case-0", "case-1", "case-2", "case-3"]


def test_a_run_that_has_ended_is_read_once(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [Made(RIGHT)])
    owner.claim(folder, None)  # an engine that still runs, though its run has ended
    assert json.loads((folder / MANIFEST).read_text())["ended"]
    assert [len(batch) for batch in follow(folder, SummaryReader(folder))] == [1]


def test_an_interrupted_run_is_read_once(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [Made(RIGHT)], ended=False)
    owner.release(folder)
    assert [len(batch) for batch in follow(folder, SummaryReader(folder))] == [1]
