"""`jsonbreak compare` as people and other tools get it: its three forms, its exit codes, and its errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.comparing.made import TUNED, jobs
from tests.helpers.command import jsonbreak
from tests.helpers.made_runs import EXPECTED, FENCED, MANIFEST, RIGHT, Made, write_run
from tests.reports.test_report import Page


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A baseline, a run that is better under both prompts, one that is worse under one of them."""
    folder = tmp_path / "runs"
    first, rest = [True, False] * 8, [True] * 12 + [False] * 4
    baseline = [*jobs(first, prompt="naive"), *jobs(rest, prompt="strict", variation="typos")]
    better = [*jobs([True] * 16, prompt="naive"), *jobs([True] * 16, prompt="strict", variation="typos")]
    worse = [*jobs(first, prompt="naive"), *jobs([False] * 16, prompt="strict", variation="typos")]
    other = {**MANIFEST, "adapter": {**TUNED["adapter"], "name": "worse"}}
    return write_run(folder, baseline), write_run(folder, better, TUNED), write_run(folder, worse, other)


def test_markdown(
    runs: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert jsonbreak(monkeypatch, "compare", runs[0].name, runs[1].name, "--runs", runs[0].parent) == 0
    text = capfdbinary.readouterr().out.decode()
    assert text.startswith("# Comparison: `tuned` against `made-model`\n")
    assert "- free: better. 20 of 32, then 32 of 32: +37.5 points (" in text
    assert "- constrained: no difference shown. 32 of 32, then 32 of 32: 0.0 points (" in text
    assert "No regression is shown" in text
    assert "- What answered differs in: `adapter (none, tuned)`." in text
    assert "- 32 jobs compared, paired by id." in text
    assert "| `naive` | free | 8/16, 50% (28–72%) | 16/16, 100% (81–100%) | +50.0 (+" in text
    assert "| better | p = 0.0078 | 8 / 0 |" in text
    assert "| `code_fence` | 12 of 32 | 0 of 32 | 12 | 0 |" in text
    assert "| `typos` | 12/16, 75% (51–90%) | 16/16, 100% (81–100%) |" in text
    assert "### `made/naive/case-1#0`, free: `code_fence` → `ok`" in text
    assert "free: 12 jobs fixed from `code_fence`." in text
    assert "**baseline**: ✗ `code_fence`." in text
    assert "**run**: ✓ `ok`." in text
    assert "⟦```json⟧" in text, "the break is marked"
    assert "free: no job has regressed." in text
    assert "**12 jobs fixed, free**" in text
    assert "| `made/naive/case-1#0` | `code_fence` | `ok` |" in text


def test_a_page(runs: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "compared.html"
    assert jsonbreak(monkeypatch, "compare", runs[0], runs[2], "--out", file) == 0
    page = Page(file.read_text(encoding="utf-8"))
    words = " ".join(page.text.split())
    for said in (
        "Regressions, where fewer",
        "worse, free, prompt strict: −75.0 points (",
        "12 jobs regressed, free",
    ):
        assert said in words
    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert page.tags.count("table") == 4 + 2 + 2 + 1


def test_json(
    runs: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The keys stay: other tools read them."""
    assert jsonbreak(monkeypatch, "compare", runs[0], runs[1], runs[2], "--json") == 0
    found = json.loads(capfd.readouterr().out)
    assert list(found) == ["format", "cases", "baseline", "runs"]
    assert found["format"] == "jsonbreak-compare-1"
    identity = {"folder", "label", "suite", "model", "adapter", "started", "remarks"}
    assert set(found["baseline"]) == identity | {"rates"}
    assert found["baseline"]["rates"][0] == {
        "arm": "free",
        "prompt": None,
        "outcome": "ok",
        "k": 20,
        "n": 32,
        "interval": pytest.approx([0.3864, 0.8152], abs=1e-4),  # Wilson's of 10 of 16: each case has two jobs
    }
    run = found["runs"][1]
    assert set(run) == identity | {
        *("asked_differs", "answered_differs", "pairs", "only_in_baseline", "only_in_run", "reworded", "regressions"),
        *("results", "variations", "classes", "undecoded", "fixed", "regressed"),
    }
    assert (run["adapter"], run["pairs"], run["regressions"]) == ("worse", 32, [
        {"arm": "free", "prompt": None},
        {"arm": "free", "prompt": "strict"},
    ])  # fmt: skip
    strict = next(each for each in run["results"] if (each["prompt"], each["outcome"]) == ("strict", "ok"))
    assert set(strict) == {
        *("arm", "prompt", "outcome", "pairs", "baseline", "run", "difference", "interval", "p"),
        *("cases_better", "cases_worse", "fixed", "regressed", "conclusion"),
    }
    assert (strict["arm"], strict["difference"], strict["conclusion"]) == ("free", -0.75, "worse")
    assert strict["p"] == pytest.approx(2 / 2**12)
    assert run["regressed"][0] == {
        "job": "made/strict/case-0~typos#0",
        "arm": "free",
        "prompt": "strict",
        "case": "case-0",
        "variation": "typos",
        "repeat": 0,
        "before": "ok",
        "after": "code_fence",
    }
    assert (len(run["regressed"]), run["fixed"]) == (12, [])
    assert {"arm": "free", "before": "ok", "after": "code_fence", "pairs": 12} in run["classes"]


def test_several_runs_are_a_table_in_the_order_given(
    runs: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert jsonbreak(monkeypatch, "compare", *runs[:1], runs[2], runs[1]) == 0
    text = capfdbinary.readouterr().out.decode()
    table = text.split("**Replies as asked, free**")[1].split("**")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.strip().splitlines()[2:]]
    assert [row[:2] for row in rows] == [
        [prompt, run] for prompt in ("all", "`naive`", "`strict`") for run in ("`made-model`", "`worse`", "`tuned`")
    ]
    assert [row[4] for row in rows] == [
        *("the baseline", "worse", "better"),
        *("the baseline", "no difference shown", "better"),
        *("the baseline", "worse", "no difference shown"),
    ]
    assert rows[6][2:4] == ["12/16, 75% (51–90%)", ""]
    assert "- `tuned`, free: better. 20 of 32, then 32 of 32: " in text
    assert "- `worse`, free, prompt `strict`: −75.0 points (" in text
    assert "do not have the same jobs" not in text


def test_a_prompt_that_a_run_does_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    both = [*jobs([True, False], prompt="naive"), *jobs([True, False], prompt="strict")]
    found = [write_run(tmp_path, each) for each in (both, both[:2], both)]
    assert jsonbreak(monkeypatch, "compare", *found) == 0
    text = capfdbinary.readouterr().out.decode()
    assert f"| `strict` | `{found[1].name}` | no job of this prompt |" in text
    assert "The runs do not have the same jobs" in text
    assert f"- `{found[1].name}`: Not compared: 2 jobs only in the baseline." in text


def test_a_regression_fails_when_asked(
    runs: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert jsonbreak(monkeypatch, "compare", runs[0], runs[2]) == 0
    assert jsonbreak(monkeypatch, "compare", runs[0], runs[1], "--fail-on-regression") == 0
    assert capfd.readouterr().err == ""
    assert jsonbreak(monkeypatch, "compare", runs[0], runs[1], runs[2], "--fail-on-regression") == 1
    printed = capfd.readouterr()
    assert printed.out.startswith("# Comparison")
    overall, strict = printed.err.splitlines()
    assert overall.startswith("jsonbreak: a regression: worse, free, all prompts: −37.5 points (")
    assert strict.startswith("jsonbreak: a regression: worse, free, prompt strict: −75.0 points (")


def test_on_held_out_cases(
    runs: tuple[Path, Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    card = tmp_path / "card.json"
    card.write_text(json.dumps({"test_cases": ["case-1", "case-3", "gone"]}))
    assert jsonbreak(monkeypatch, "compare", runs[0], runs[1], "--only-cases", card) == 0
    text = capfdbinary.readouterr().out.decode()
    assert "The baseline has 4 jobs to compare with." in text
    assert "Only jobs of the 3 cases that were named are compared." in text
    assert "Of these the baseline does not have 1." in text
    assert "| `naive` | free | 0/2, 0% (0–66%) | 2/2, 100% (34–100%) |" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("{run}",), "RUN..."),
        (("{run}", "no-such-run"), "no-such-run: there is no such run"),
        (("{run}", "{run}", "--json", "--html"), "--json and --html are two forms; ask for one of them."),
        (("{run}", "{other}"), "they differ in the suite's file; name runs of the same suite and settings"),
        (("{run}", "{run}", "--only-cases", "absent.txt"), "absent.txt: there is no such file"),
        (("{run}", "{run}", "--only-cases", "{run}"), "this is a folder, not a file"),
        (("{run}", "{run}", "--out", "{run}"), "not a regular file"),
    ],
)
def test_errors_are_one_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    run = write_run(tmp_path, jobs([True]))
    other = write_run(tmp_path, jobs([True]), {**MANIFEST, "suite_sha256": "cd" * 32})
    assert jsonbreak(monkeypatch, "compare", *(each.format(run=run, other=other) for each in arguments)) == 2
    printed = capfd.readouterr()
    assert said in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""


def test_unlike_runs_are_compared_anyway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    before = write_run(tmp_path, [Made(RIGHT, expected=EXPECTED)])
    changed = {**MANIFEST, "suite_sha256": "cd" * 32, "model": "other"}
    after = write_run(tmp_path, [Made(FENCED, input="I was Ann.", expected=EXPECTED)], changed)
    assert jsonbreak(monkeypatch, "compare", before, after, "--anyway") == 0
    text = capfdbinary.readouterr().out.decode()
    assert "- The runs were not asked the same, so their figures are not comparable: `the suite's file`." in text
    assert "- What answered differs in: `model (made-model, other)`." in text
    assert "- In 1 pair the inputs differ." in text
