"""What is counted, on runs small enough to count by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import BadInputError
from engine.judging.verdict import Where
from engine.records import Arm
from engine.reports.document import Piece
from engine.reports.run.findings import Findings, gather
from engine.reports.run.jobs import pieces
from engine.runs.reading import RunFolder, find_run
from engine.statistics import Share
from tests.helpers.made_runs import EXPECTED, FENCED, PROSE, RIGHT, WRONG, Made, write_run


def found(tmp_path: Path, *jobs: Made) -> Findings:
    return gather(RunFolder(write_run(tmp_path, jobs)))


def test_the_arms_are_compared_job_by_job(tmp_path: Path) -> None:
    findings = found(
        tmp_path,
        Made(RIGHT, RIGHT, case="fine", expected=EXPECTED),
        Made(FENCED, RIGHT, case="wrapped", expected=EXPECTED),
        Made(PROSE, RIGHT, case="prose", expected=EXPECTED),
        Made(RIGHT, WRONG, case="harmed", expected=EXPECTED),
        Made(PROSE, WRONG, case="both", expected=EXPECTED),
        Made(PROSE, None, case="no constrained arm", expected=EXPECTED),
        Made(RIGHT, RIGHT, case="nothing expected", expected=None, mass=None),
    )
    prompt = findings.prompts["naive"]
    assert (prompt.fine.both, prompt.fine.only_second, prompt.fine.only_first, prompt.fine.neither) == (2, 2, 1, 1)
    assert (prompt.right.both, prompt.right.only_second, prompt.right.only_first, prompt.right.neither) == (2, 1, 1, 1)
    free, constrained = prompt.arms["free"], prompt.arms["constrained"]
    assert free.rates.strict == Share(3, 7)
    assert free.rates.unwrapped == Share(4, 7)
    assert free.rates.schema == Share(4, 7)
    assert free.rates.right == Share(3, 6)
    assert (constrained.rates.strict, constrained.rates.errors) == (Share(6, 6), 1)
    assert constrained.valid_wrong == Share(2, 5)
    assert free.classes == {"ok": 3, "code_fence": 1, "other_syntax": 3}
    assert list(prompt.removed) == [0.75] * 5, "the job with an arm that was not decoded has no say"
    assert prompt.forked == Share(5, 6)
    assert [job for _, job, _ in findings.broken] == [
        f"made/naive/{case}#0" for case in ("both", "harmed", "no constrained arm", "prose", "wrapped")
    ]


def test_examples_are_the_shortest_of_their_kind(tmp_path: Path) -> None:
    run = RunFolder(
        write_run(
            tmp_path,
            [
                Made(PROSE + " " * 50, RIGHT, case="long", expected=EXPECTED),
                Made(PROSE, RIGHT, case="short", expected=EXPECTED),
                Made(PROSE, WRONG, case="both", expected=EXPECTED),
                Made(FENCED, RIGHT, case="fence", expected=EXPECTED),
                Made(RIGHT, RIGHT, case="fine", expected=EXPECTED),
            ],
        )
    )
    chosen = {run.record_at(place).case: labels for place, labels in gather(run).examples.chosen()}
    assert chosen == {
        "short": ["rescued"],
        "both": ["both wrong", "other_syntax", "wrong_value"],
        "fence": ["code_fence"],
    }


def test_consistency_across_repeats_and_variations(tmp_path: Path) -> None:
    other_spaces, no_name = '{ "name" :"Ann" }', '{"name": ""}'
    findings = found(
        tmp_path,
        *(Made(text, case="same value", repeat=n, expected=EXPECTED) for n, text in enumerate([RIGHT, other_spaces])),
        *(Made(text, case="same verdict", repeat=n, expected=EXPECTED) for n, text in enumerate([WRONG, no_name])),
        *(Made(text, case="changes", repeat=n, expected=EXPECTED) for n, text in enumerate([RIGHT, FENCED, PROSE])),
        *(Made(PROSE, case="never a value", repeat=n, expected=EXPECTED) for n in range(2)),
        Made(WRONG, case="same value", variation="typos", expected=EXPECTED),
        Made(None, case="changes", variation="typos", expected=EXPECTED),
    )
    assert (findings.repeated, findings.varied) == (True, True)
    assert findings.consistency is not None
    key: tuple[str, Arm] = ("naive", "free")
    repeats = findings.consistency.repeats[key]
    assert repeats.verdict == Share(3, 4)
    assert repeats.values == Share(1, 4), "a case without any value has not the same value"
    assert (repeats.always, repeats.never) == (Share(1, 4), Share(2, 4))
    variations = findings.consistency.variations[key]
    assert (variations.verdict, variations.values) == (Share(0, 1), Share(0, 1)), "what was not decoded is no variation"
    assert findings.prompts["naive"].arms["free"].design_effect == pytest.approx((3 * 3 + 2 * 2 + 3 * 3 + 2 * 2) / 10)
    assert set(findings.variations) == {None, "typos"}


def test_a_run_of_single_replies_says_nothing_of_consistency(tmp_path: Path) -> None:
    assert found(tmp_path, Made(RIGHT)).consistency is None


def test_prompts_keep_the_order_of_the_manifest(tmp_path: Path) -> None:
    jobs = [Made(RIGHT, prompt=prompt) for prompt in ("unknown", "strict", "naive")]
    assert list(found(tmp_path, *jobs).prompts) == ["naive", "strict", "unknown"]


def test_lines_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [Made(RIGHT, case="one"), Made(RIGHT, case="two"), Made(RIGHT, case="three")])
    file = folder / "records.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + b'{"id": 3}\n' + b"\xff\n" + lines[1] + lines[2][:-5])
    run = RunFolder(folder)
    assert [record.case for _, record in run.records()] == ["one", "two"]
    assert (run.torn, run.unreadable) == (True, [2, 3])
    assert [run.record_at(place).case for place, _ in run.records()] == ["one", "two"]


def test_what_is_appended_while_the_report_is_made_is_left_out(tmp_path: Path) -> None:
    folder = write_run(tmp_path, [Made(RIGHT, case="one")])
    run = RunFolder(folder)
    file = folder / "records.jsonl"
    file.write_bytes(file.read_bytes() * 2)
    assert len(list(run.records())) == 1


def test_a_run_is_found_by_folder_by_name_and_as_the_last(tmp_path: Path) -> None:
    older = write_run(tmp_path, [Made(RIGHT)]).rename(tmp_path / "20250101T000000Z-made-made")
    newer = write_run(tmp_path, [Made(RIGHT)])
    (tmp_path / "zzz").mkdir()
    assert find_run(str(older), tmp_path / "nowhere").folder == older
    assert find_run(older.name, tmp_path).folder == older
    assert find_run("last", tmp_path).folder == newer
    with pytest.raises(BadInputError, match="did you mean"):
        find_run(older.name[:-1], tmp_path)
    with pytest.raises(BadInputError, match=r"no records.jsonl or run.json in it"):
        find_run(str(tmp_path / "zzz"), tmp_path)
    with pytest.raises(BadInputError, match="there are no runs here"):
        find_run("last", tmp_path / "zzz")
    with pytest.raises(BadInputError, match="no such run"):
        find_run("a\0b\x1b[31m", tmp_path)


def shown(text: str, start: int, end: int, fork: int | None, limit: int = 100) -> str:
    """The pieces with their marks."""
    marks = {"fork": "|", "text": "", "break": "", "cut": ""}
    return "".join(
        f"{marks[piece.kind]}{'<' * piece.opens}{piece.text}{'>' * piece.closes}"
        for piece in pieces(text, Where(start, end, 1, 1), fork, limit)
    )


@pytest.mark.parametrize(
    ("span", "fork", "marked"),
    [
        ((0, 3), None, "<abc>defghi"),
        ((3, 6), 0, "|abc<def>ghi"),
        ((3, 6), 4, "abc<d|ef>ghi"),
        ((3, 6), 3, "abc|<def>ghi"),
        ((3, 6), 6, "abc<def>|ghi"),
        ((9, 9), 9, "abcdefghi|<>"),
        ((4, 4), None, "abcd<>efghi"),
        ((7, 99), 42, "abcdefg<hi>"),
        ((6, 2), None, "abcdef<>ghi"),
    ],
)
def test_breaks_and_forks_are_marked_in_the_text(span: tuple[int, int], fork: int | None, marked: str) -> None:
    assert shown("abcdefghi", *span, fork) == marked


def test_of_a_long_text_the_break_is_shown() -> None:
    text = "a" * 5000 + "BREAK" + "b" * 5000
    cut = shown(text, 5000, 5005, 2, limit=20)
    assert cut == f"[4,990 characters left out]{'a' * 10}<BREAK>{'b' * 5}[4,995 characters left out]"
    assert pieces("", None, None, 10) == ()
    assert pieces("ok", None, None, 10) == (Piece("text", "ok"),)
