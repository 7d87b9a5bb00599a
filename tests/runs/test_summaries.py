"""Records read for lists: the same jobs and verdicts as the records have, whatever state the file is in."""

from __future__ import annotations

import gc
import json
from pathlib import Path

from engine.runs.job_facts import facts_of
from engine.runs.reading import RunFolder
from engine.runs.store import RECORDS
from engine.runs.summaries import BATCH, FIRST_BATCH, Summary, SummaryReader
from tests.helpers.large_run import write_large_run
from tests.helpers.made_runs import FENCED, PROSE, RIGHT, Made, write_run

JOBS = [Made(RIGHT), Made(FENCED, case="bob", variation="typos"), Made(None, None, case="eve"), Made(PROSE, repeat=1)]


def read(reader: SummaryReader) -> list[Summary]:
    return [summary for batch in reader.batches() for summary in batch]


def test_they_have_what_the_records_have(tmp_path: Path) -> None:
    folder = write_run(tmp_path, JOBS)
    records = dict(RunFolder(folder).records())
    summaries = read(SummaryReader(folder))
    assert len(summaries) == len(records) == 4
    for info, facts in summaries:
        assert facts.place is not None
        record = records[facts.place]
        assert (info.id, info.prompt, info.case, info.variation) == (
            record.id,
            record.prompt,
            record.case,
            record.variation,
        )
        assert (info.repeat, info.input, info.tags) == (record.repeat, record.input, record.tags)
        of_record = facts_of(record)
        assert (facts.free, facts.constrained, facts.agree) == (of_record.free, of_record.constrained, of_record.agree)
        assert RunFolder(folder).record_at(facts.place) == record


def test_equal_verdicts_are_one_object_and_the_collector_is_left_as_it_was(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [Made(RIGHT, case=f"case-{number}") for number in range(3)])
    (_, one), (_, two), (_, three) = read(SummaryReader(folder))
    assert one.free is two.free is three.free is three.constrained
    assert gc.isenabled()


def test_records_of_older_versions_have_no_tags_and_no_agreement(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [Made(RIGHT)])
    record = json.loads((folder / RECORDS).read_text())
    del record["tags"], record["agree"]
    (folder / RECORDS).write_text(json.dumps(record) + "\n")
    [(info, facts)] = read(SummaryReader(folder))
    assert (info.tags, facts.agree) == ((), None)


def test_what_cannot_be_read_is_counted_and_left_out(tmp_path: Path) -> None:
    folder = write_run(tmp_path, JOBS)
    lines = (folder / RECORDS).read_bytes().splitlines(keepends=True)
    spoiled = [lines[0], b"{}\n", b"\xff\n", lines[1], lines[2][:-20]]
    (folder / RECORDS).write_bytes(b"".join(spoiled))
    reader = SummaryReader(folder)
    assert [info.case for info, _ in read(reader)] == ["ann", "bob"]
    assert reader.unreadable == [2, 3]
    assert reader.torn
    places = [facts.place for _, facts in read(SummaryReader(folder))]
    assert places == [0, sum(map(len, spoiled[:3]))]


def test_a_line_that_is_being_written_is_read_when_it_is_whole(tmp_path: Path) -> None:
    folder = write_run(tmp_path, JOBS)
    lines = (folder / RECORDS).read_bytes().splitlines(keepends=True)
    (folder / RECORDS).write_bytes(lines[0] + lines[1][:50])
    reader = SummaryReader(folder)
    assert [info.case for info, _ in read(reader)] == ["ann"]
    assert reader.torn
    assert read(reader) == []
    with (folder / RECORDS).open("ab") as file:
        file.write(lines[1][50:] + lines[2])
    assert [info.case for info, _ in read(reader)] == ["bob", "eve"]
    assert not reader.torn
    assert not reader.grown
    assert read(reader) == []


def test_a_run_that_has_no_records_yet(tmp_path: Path) -> None:
    reader = SummaryReader(tmp_path)
    assert not reader.grown
    assert read(reader) == []


def test_the_first_batch_is_small_and_none_is_large(tmp_path: Path) -> None:
    folder = write_large_run(tmp_path, FIRST_BATCH + BATCH + 7)
    batches = list(SummaryReader(folder).batches())
    assert [len(batch) for batch in batches] == [FIRST_BATCH, BATCH, 7]
    ids = [info.id for batch in batches for info, _ in batch]
    assert len(set(ids)) == len(ids)
    assert ids == [record.id for _, record in RunFolder(folder).records()]
