"""`jsonbreak judge`: rows in, verdicts out, whatever the rows are."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from engine.cli.judge_file import STANDARD, Tally, judge_file, summary
from engine.errors import BadInputError
from engine.judging.judge import Judge
from tests.judging.marked import ALICE, GOOD, PERSON
from tests.suites.test_compare_rules import SUITE

BAD: list[tuple[bytes, str]] = [
    (b"{", "this is not JSON: Expecting property name enclosed in double quotes at column 2; correct the row"),
    (b'{"raw": "x"}', 'the key "id" is missing; each row needs "id" and "raw"'),
    (b'{"id": 1}', 'the key "raw" is missing; each row needs "id" and "raw"'),
    (b'{"id": 1, "raw": 3}', '"raw" must be a string, the reply as the model wrote it, not 3; correct it'),
    (b'{"id": null, "raw": "x"}', '"id" must be a string or a whole number, not null; correct it'),
    (b'{"id": true, "raw": "x"}', '"id" must be a string or a whole number, not true; correct it'),
    (b'{"id": 1, "raw": "x", "finish": "\\u001b["}', '"finish" must be "stop" or "length", not "\\u001b["'),
    (b'{"id": 1, "raw": "x", "expected": NaN}', "this is not JSON that can be read: JSON has no NaN; correct the row"),
    (b'["x"]', 'a row is an object with "id" and "raw", not ["x"]; correct the row'),
    (b'{"id": 1, "raw": "\xff"}', "the byte 0xff is not UTF-8; save the file as UTF-8"),
    (b"[" * 100_000, "nested too deeply to be read"),
    (b"1" * 5000, "this is not JSON that can be read: Exceeds the limit"),
]


def judged(folder: Path, data: bytes, schema: Path | None = None) -> tuple[list[dict[str, Any]], list[str], Tally]:
    """The rows written, the complaints and the tally."""
    source, out = folder / "replies.jsonl", folder / "verdicts.jsonl"
    source.write_bytes(data)
    complaints: list[str] = []
    tally = judge_file(source, schema, out, complaints.append)
    written = out.read_bytes()
    assert not written or written.endswith(b"\n")
    return [json.loads(line) for line in written.splitlines()], complaints, tally


def row(**keys: Any) -> bytes:
    return json.dumps(keys).encode() + b"\n"


def test_rows_are_judged_in_order_with_the_schema_of_a_file(tmp_path: Path) -> None:
    schema = tmp_path / "person.schema.json"
    schema.write_text(json.dumps(PERSON), encoding="utf-8")
    replies = [GOOD, f"```json\n{GOOD}\n```", '{"name": "Alice", "age"', "\ud800"]
    data = b"".join(row(id=number, raw=raw, expected=ALICE, finish="length") for number, raw in enumerate(replies))
    rows, complaints, tally = judged(tmp_path, b"\xef\xbb\xbf" + data + b"\n" + data.rstrip(), schema)
    assert complaints == []
    assert [row["id"] for row in rows] == [0, 1, 2, 3] * 2
    for written, raw in zip(rows, replies, strict=False):
        verdict = Judge(PERSON).judge(raw, "length", ALICE)
        assert (tuple(written["classes"]), written["strict"]) == (verdict.classes, verdict.strict)
        assert (written["message"], written["repairable"]) == (verdict.message, verdict.repairable)
    assert (tally.judged, tally.bad, tally.ok.k, tally.shares["values"].n) == (8, 0, 2, 8)


@pytest.mark.parametrize(("bad", "sentence"), BAD, ids=range(len(BAD)))
def test_a_bad_row_is_told_with_its_line_and_the_rest_goes_on(tmp_path: Path, bad: bytes, sentence: str) -> None:
    good = row(id="a", raw="1")
    rows, complaints, tally = judged(tmp_path, good + bad + b"\n" + good)
    assert [row["id"] for row in rows] == ["a", "a"]
    assert len(complaints) == tally.bad == 1
    assert complaints[0].startswith(f"{tmp_path / 'replies.jsonl'}, line 2: {sentence}")
    assert complaints[0].isprintable()


def test_a_suite_gives_its_schema_and_how_values_are_compared(tmp_path: Path) -> None:
    suite = tmp_path / "order.toml"
    suite.write_text(SUITE.format(compare='"/name" = "casefold"'), encoding="utf-8")
    rows, _, _ = judged(tmp_path, row(id="a", raw='{"name": "AL"}', expected={"name": "al"}), suite)
    assert rows[0]["classes"] == ["ok"]


def test_without_a_schema_any_json_is_accepted_and_null_expects_nothing(tmp_path: Path) -> None:
    rows, _, tally = judged(
        tmp_path, row(id="\ud800", raw="null", expected=None) + row(id="b", raw="[1]", expected=[2])
    )
    assert [(row["id"], row["classes"], row["values"]) for row in rows] == [
        ("\ud800", ["ok"], None),
        ("b", ["wrong_value"], False),
    ]
    assert list(summary(tally)) == [
        "judged 2",
        "  ok                     1/2   50.0%  (9.5% to 90.5%)",
        "  strict                 2/2  100.0%  (34.2% to 100.0%)",
        "  unwrapped              2/2  100.0%  (34.2% to 100.0%)",
        "  schema                 2/2  100.0%  (34.2% to 100.0%)",
        "  values                 0/1    0.0%  (0.0% to 79.3%)",
        "  ok                   1",
        "  wrong_value          1",
    ]


def test_what_is_read_is_never_written_over(tmp_path: Path) -> None:
    source = tmp_path / "replies.jsonl"
    source.write_bytes(row(id="a", raw="1"))
    (tmp_path / "link").symlink_to(source)
    for out in (source, tmp_path / "link"):
        with pytest.raises(BadInputError, match="this is what is read; name another file with --out"):
            judge_file(source, None, out, print)
    assert source.read_bytes() == row(id="a", raw="1")
    with pytest.raises(BadInputError, match="cannot be read"):
        judge_file(tmp_path, None, STANDARD, print)


def test_one_row_is_in_memory_at_a_time(tmp_path: Path) -> None:
    def most(rows: int) -> int:
        data = row(id="a", raw=GOOD + " " * 2000) * rows
        source = tmp_path / "replies.jsonl"
        source.write_bytes(data)
        del data
        tracemalloc.start()
        judge_file(source, None, tmp_path / "verdicts.jsonl", print)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    most(10)  # imports
    assert most(800) < most(100) + 100_000  # 1.4 MB more of rows


def test_a_pipe_in_and_a_reader_that_leaves(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "engine", "judge", "-"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(row(id="a", raw="1"))
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["id"] == "a"  # written before the next row is there
    process.stdout.close()
    process.stdin.write(row(id="b", raw="2"))
    process.stdin.close()
    assert process.wait(60) == 1
    assert process.stderr.read() == b""
    process.stderr.close()


def test_bad_rows_make_exit_code_2(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "engine", "judge", "-"], input=b"no\n" + row(id="a", raw="1"), capture_output=True
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["id"] == "a"
    assert done.stderr.decode().splitlines()[:2] == [
        "stdin, line 1: this is not JSON: Expecting value at column 1; correct the row",
        "judged 1, left out 1 bad rows",
    ]
