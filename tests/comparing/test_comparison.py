"""What two runs add up to: against figures that were published, and against what can be counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.comparing.comparison import compare
from engine.errors import BadInputError
from engine.runs import owner
from engine.runs.reading import RunFolder
from engine.runs.store import RECORDS
from engine.statistics import Share
from tests.comparing.made import TUNED, compared, jobs, paired
from tests.helpers.made_runs import EXPECTED, FENCED, MANIFEST, PROSE, RIGHT, WRONG, Made, write_run


def test_the_figures_are_the_published_ones(tmp_path: Path) -> None:
    """Newcombe 1998, table III, method 10: cells 2, 97, 1, 0 give 0.8721 to 0.9854, first minus second."""
    found = compared(tmp_path, *paired(2, 97, 1, 0)).arms["free"].overall["ok"]
    assert (found.baseline, found.run) == (Share(99, 100), Share(3, 100))
    assert found.difference == pytest.approx(-0.96)
    assert found.interval == pytest.approx((-0.9854, -0.8721), abs=1.1e-4)
    assert (found.fixed, found.regressed, found.better, found.worse) == (1, 97, 1, 97)
    assert found.conclusion == "worse"


def test_the_test_is_the_published_one(tmp_path: Path) -> None:
    """Fagerland et al., Statistics in Medicine 33 (2014) 2850, Bentur's data: exact p = 18/256."""
    found = compared(tmp_path, *paired(1, 1, 7, 12)).arms["free"].overall["ok"]
    assert found.p == pytest.approx(18 / 256)


def test_a_difference_that_may_be_chance_is_called_none(tmp_path: Path) -> None:
    """Two of eight regressed and five fixed: exact p = 58/128, and zero lies in the interval."""
    run = compared(tmp_path, *paired(1, 2, 5, 0))
    found = run.arms["free"].overall["ok"]
    assert found.p == pytest.approx(58 / 128)
    assert found.interval is not None
    assert found.interval[0] < 0 < found.interval[1]
    assert found.conclusion == "no difference shown"
    nothing = run.arms["constrained"].overall["ok"]
    assert (nothing.difference, nothing.p, nothing.conclusion) == (0.0, None, "no difference shown")
    assert run.regressions == []


def test_both_the_interval_and_the_test_are_asked(tmp_path: Path) -> None:
    """Four of sixteen regressed, none fixed: the interval excludes zero, but chance would do it in one of eight."""
    found = compared(tmp_path, *paired(12, 4, 0, 0)).arms["free"].overall["ok"]
    assert found.interval is not None
    assert found.interval[1] < 0
    assert found.p == pytest.approx(2 / 16)
    assert found.conclusion == "no difference shown"
    found = compared(tmp_path, *paired(10, 6, 0, 0)).arms["free"].overall["ok"]
    assert (found.p, found.conclusion) == (pytest.approx(2 / 64), "worse")


def test_each_outcome_is_counted_by_itself(tmp_path: Path) -> None:
    before = [
        Made(FENCED, case="a", expected=EXPECTED),
        Made(WRONG, case="b", expected=EXPECTED),
        Made(PROSE, case="c"),
    ]
    after = [Made(RIGHT, case="a", expected=EXPECTED), Made(RIGHT, case="b", expected=EXPECTED), Made(RIGHT, case="c")]
    overall = compared(tmp_path, before, after).arms["free"].overall
    assert {outcome: (result.baseline, result.run) for outcome, result in overall.items()} == {
        "ok": (Share(0, 3), Share(3, 3)),
        "strict": (Share(1, 3), Share(3, 3)),
        "schema": (Share(2, 3), Share(3, 3)),
        "values": (Share(1, 2), Share(2, 2)),  # of case c nothing was expected
    }


def test_by_prompt_and_variation_and_class(tmp_path: Path) -> None:
    before = [
        *jobs([False, False, True], prompt="strict"),
        *jobs([True, True, False], prompt="naive", variation="typos"),
        Made(PROSE, case="other", prompt="naive"),
    ]
    after = [
        *jobs([True, True, False], prompt="strict"),
        *jobs([True, False, False], prompt="naive", variation="typos"),
        Made(FENCED, case="other", prompt="naive"),
    ]
    free = compared(tmp_path, before, after).arms["free"]
    assert list(free.prompts) == ["naive", "strict"], "in the manifest's order"
    assert {name: (each["ok"].fixed, each["ok"].regressed) for name, each in free.prompts.items()} == {
        "naive": (0, 1),
        "strict": (2, 1),
    }
    assert {name: (each.n, each.fixed, each.regressed) for name, each in free.variations.items()} == {
        None: (4, 2, 1),
        "typos": (3, 0, 1),
    }
    assert dict(free.classes) == {
        ("code_fence", "ok"): 2,
        ("ok", "code_fence"): 2,
        ("ok", "ok"): 1,
        ("code_fence", "code_fence"): 1,
        ("other_syntax", "code_fence"): 1,
    }
    assert [(change.job.id, change.before, change.after) for change in free.regressed] == [
        ("made/naive/case-1~typos#0", "ok", "code_fence"),
        ("made/strict/case-2#0", "ok", "code_fence"),
    ]
    assert [change.job.id for change in free.fixed] == ["made/strict/case-0#0", "made/strict/case-1#0"]


def test_the_jobs_of_one_case_count_once(tmp_path: Path) -> None:
    """Twenty repeats of one case that regressed are one piece of evidence, not twenty."""
    before = [Made(RIGHT, case="same", repeat=number) for number in range(20)]
    after = [Made(FENCED, case="same", repeat=number) for number in range(20)]
    run = compared(tmp_path, before, after)
    found = run.arms["free"].overall["ok"]
    assert (found.regressed, found.worse, found.p) == (20, 1, 1.0)
    assert found.conclusion == "no difference shown"


def test_a_regression_under_one_prompt_is_one(tmp_path: Path) -> None:
    before = [*jobs([True] * 12, prompt="naive"), *jobs([False] * 12, prompt="strict")]
    after = [*jobs([False] * 12, prompt="naive"), *jobs([True] * 12, prompt="strict")]
    run = compared(tmp_path, before, after)
    assert run.arms["free"].overall["ok"].conclusion == "no difference shown"
    assert [(each.arm, each.prompt) for each in run.regressions] == [("free", "naive")]
    both = [*jobs([True] * 12, prompt="naive"), *jobs([True] * 12, prompt="strict")]
    worse = compared(tmp_path, both, [*after[:12], *jobs([False] * 12, prompt="strict")])
    assert [each.prompt for each in worse.regressions] == [None, "naive", "strict"]


def test_what_has_no_partner_is_counted_and_left_out(tmp_path: Path) -> None:
    before = [*jobs([True, True]), Made(None, case="x"), Made(RIGHT, case="y"), Made(None, None, case="z")]
    after = [*jobs([True]), Made(RIGHT, case="x"), Made(None, case="y"), Made(None, None, case="z"), *jobs([True])[:1]]
    after += [Made(RIGHT, case="new")]
    run = compared(tmp_path, before, after)
    assert (run.pairs, run.only_in_baseline, run.only_in_run) == (4, 1, 2), "a job that is there twice is paired once"
    assert run.arms["free"].undecoded == {"baseline": 1, "run": 1, "both": 1}
    assert run.arms["constrained"].undecoded == {"both": 1}
    assert run.arms["free"].overall["ok"].n == 1


def test_lines_that_cannot_be_read_are_remarked(tmp_path: Path) -> None:
    baseline, run = write_run(tmp_path, jobs([True, True])), write_run(tmp_path, jobs([True, True]), ended=False)
    with (run / RECORDS).open("ab") as file:
        file.write(b'{}\n{"id"')
    found = compare(RunFolder(baseline), [RunFolder(run)])
    assert found.baseline.remarks == ()
    assert found.runs[0].remarks == (
        "Of the run: 1 line of records.jsonl cannot be read and count nowhere, the first is line 3.",
        "Of the run: The last line of records.jsonl was cut off, as a crash leaves it: that job counts nowhere.",
        "The run is still in progress: it is compared as far as it was written.",
    )
    owner.release(run)


def test_only_some_cases(tmp_path: Path) -> None:
    cases = frozenset({"case-1", "case-2", "absent"})
    baseline, run = write_run(tmp_path, jobs([True] * 4)), write_run(tmp_path, jobs([False, True, False, False, True]))
    found = compare(RunFolder(baseline), [RunFolder(run)], cases)
    assert (found.baseline.pairs, found.runs[0].pairs, found.unknown) == (2, 2, 1)
    assert found.runs[0].arms["free"].overall["ok"].run == Share(1, 2)
    assert (found.runs[0].only_in_baseline, found.runs[0].only_in_run) == (0, 0)
    with pytest.raises(BadInputError, match="it has no record of the cases to compare on; name another baseline"):
        compare(RunFolder(baseline), [RunFolder(run)], frozenset({"absent"}))


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"suite_sha256": "cd" * 32}, "the suite's file"),
        ({"schema": {"type": "array"}}, "the schema"),
        ({"generation": {"temperature": 0.0, "seed": 5}}, "temperature (0.7, 0.0)"),
        ({"prompts": [{"name": "naive", "user": "Other: {input}"}]}, "prompt naive"),
        ({"compare": {"/name": {"how": "casefold"}}}, "how values are compared"),
        ({"variations": {"use": ["typos"]}}, "the variations"),
    ],
)
def test_runs_that_were_not_asked_the_same_are_refused(tmp_path: Path, changed: dict[str, object], named: str) -> None:
    before, after = paired(2, 1, 1, 1)
    with pytest.raises(BadInputError) as refused:
        compared(tmp_path, before, after, {**TUNED, **changed})
    assert f"they differ in {named}; name runs of the same suite and settings, or compare them nevertheless with " in (
        str(refused.value)
    )
    run = compared(tmp_path, before, after, {**TUNED, **changed}, anyway=True)
    assert run.differences.asked == (named,)
    assert run.pairs == 5


def test_another_model_on_another_machine_is_what_one_compares(tmp_path: Path) -> None:
    changed = {"model": "other", "device": "cuda:0", "dtype": "bfloat16", "versions": {"python": "3.12.1"}}
    run = compared(tmp_path, *paired(2, 1, 1, 1), {**TUNED, **changed})
    assert run.differences.asked == ()
    assert len(run.differences.answered) == 5


def test_a_run_without_a_manifest_is_not_known_to_be_like(tmp_path: Path) -> None:
    baseline, run = write_run(tmp_path, jobs([True])), write_run(tmp_path, jobs([True]))
    (run / "run.json").unlink()
    with pytest.raises(BadInputError, match=r"what was run, which is not known: There is no run\.json; name runs"):
        compare(RunFolder(baseline), [RunFolder(run)])
    [found] = compare(RunFolder(baseline), [RunFolder(run)], anyway=True).runs
    assert found.pairs == 1


def test_pairs_with_another_input_are_counted(tmp_path: Path) -> None:
    before, after = jobs([True, True]), [*jobs([True]), Made(RIGHT, case="case-1", input="I was Ann.")]
    run = compared(tmp_path, before, after, {**TUNED, "suite_sha256": "cd" * 32}, anyway=True)
    assert run.reworded == 1


def test_nothing_in_common(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no job in common: they ran other prompts or cases"):
        compared(tmp_path, jobs([True]), [Made(RIGHT, case="new")])
    with pytest.raises(BadInputError, match="it has no records; name another baseline"):
        compared(tmp_path, [], jobs([True]))
    other = [Made(RIGHT, case="new")]
    with pytest.raises(BadInputError, match="their suites are made and other"):
        compared(tmp_path, jobs([True]), other, {**MANIFEST, "suite": "other"}, anyway=True)


def test_runs_are_labelled_by_what_distinguishes_them(tmp_path: Path) -> None:
    def labels(*folders: RunFolder) -> list[str]:
        found = compare(folders[0], folders[1:])
        return [run.label for run in (found.baseline, *found.runs)]

    made = (MANIFEST, TUNED, {**MANIFEST, "model": "other"}, MANIFEST)
    base, tuned, other, again = (RunFolder(write_run(tmp_path, jobs([True]), each)) for each in made)
    assert labels(base, tuned, other) == ["made-model", "tuned", "other"]
    assert labels(base, again) == [base.folder.name, again.folder.name]
    elsewhere = write_run(tmp_path / "elsewhere", jobs([True]))
    moved = elsewhere.rename(elsewhere.with_name("run"))
    (tmp_path / "run").mkdir()
    for file in moved.iterdir():
        (tmp_path / "run" / file.name).write_bytes(file.read_bytes())
    found = compare(RunFolder(tmp_path / "run"), [RunFolder(moved)])
    assert found.runs[0].label == str(moved.resolve())


def test_records_that_cannot_be_read(tmp_path: Path) -> None:
    baseline, run = write_run(tmp_path, jobs([True])), write_run(tmp_path, jobs([True]))
    folders = [RunFolder(baseline), RunFolder(run)]
    (run / RECORDS).unlink()
    (run / RECORDS).mkdir()
    with pytest.raises(BadInputError, match=r"records\.jsonl: cannot be read \(Is a directory\)"):
        compare(folders[0], folders[1:])
