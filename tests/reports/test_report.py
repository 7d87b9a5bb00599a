"""The report as users get it: its content, that hostile text stays text, and the command's errors."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import pytest
from markdown_it import MarkdownIt

from engine.judging.verdict import FailureClass
from engine.reports.run.failures import MEANINGS
from engine.reports.run.report import report
from tests.helpers.command import jsonbreak
from tests.helpers.made_runs import EXPECTED, FENCED, MANIFEST, PROSE, RIGHT, WRONG, Made, write_run

HOSTILE = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\"><a href='javascript:owned()'>",
    "</pre></textarea></style><b>\"quoted\" & 'quoted'",
    "\x1b[31mred\x1b]0;title\x07 \x00 \x9b2J \x7f",
    "left \u202eright\u2066 \u200b\ufeff\u2028\U000e0041",
    "```\n# owned\n```\n~~~\n````\n[link](http://owned)\n",
    "| cell | cell |\n| --- | --- |\n<!-- comment",
    "`` ` ``` `",
    " <http://owned> ![image](http://owned) ",
    "{{ 7 * 7 }} {% raw %}",
    "\r\rline\r\n",
)
VOID = {"meta", "link", "img", "br", "hr", "input"}


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """Four cases under two prompts, with each outcome."""
    jobs = [
        Made(replies[0], replies[1], case=f"case-{number}", prompt=prompt, expected=EXPECTED)
        for prompt in ("naive", "strict")
        for number, replies in enumerate([(RIGHT, RIGHT), (FENCED, RIGHT), (RIGHT, WRONG), (PROSE, WRONG)])
    ]
    return write_run(tmp_path / "runs", jobs)


def markdown_of(run: Path) -> str:
    return "".join(report(str(run), run.parent, html=False))


def html_of(run: Path) -> str:
    return "".join(report(str(run), run.parent, html=True))


class Page(HTMLParser):
    """What is in a page: its elements, attributes and text. Fails if elements do not nest."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError("the page has a comment")


def test_the_markdown_says_what_was_counted(few: Path) -> None:
    text = markdown_of(few)
    assert "The run is complete: 8 of 8 jobs finished, with 4 cases." in text
    assert "| `naive` | free | 2/4, 50% (15–85%) | 3/4, 75% (30–95%) | 3/4, 75% (30–95%) | 3/4, 75% (30–95%) |" in text
    assert "| `naive` | 4 | 1 | 1 | 1 | 1 | 0.0 points (" in text
    assert "`naive`: no difference shown (p = 1.00; 1 case better constrained, 1 better with the prompt alone)." in text
    assert "not enforced: `minimum at /properties/age/minimum`." in text
    assert "| `naive` | 4 of 4 (100%) | 4 of 4 | 75.0% | 75.0% | 75.0% |" in text
    assert "**took**: 5 s from start to end" in text
    assert "6 of 8 jobs failed in one arm or both" in text
    assert text.count("### ") == 3 + 6, "examples: rescued, broken by constraint, both wrong have all the classes"
    assert "```json⟧" in text, "the break is marked"
    assert "- `naive`: 1 of 2 (50%)" in text, "a repair would fix the fenced one"
    assert '**constrained**: ✗ `wrong_value`. `Expected "Ann" at /name, got "Bob"' in text


def test_the_page_says_the_same(few: Path) -> None:
    page = Page(html_of(few))
    words = " ".join(page.text.split())
    for said in ("2/4, 50% (15–85%)", "no difference shown", "6 of 8 jobs failed", "The arms fork at token 1."):
        assert said in words
    assert page.tags.count("details") == 6 + 2 + 1, "broken jobs, prompts, schema"
    assert page.tags.count("mark") >= 9


def test_the_page_is_self_contained(few: Path) -> None:
    page = Page(html_of(few))
    assert not {"script", "link", "img", "iframe", "object", "form", "base"} & set(page.tags)
    names = {name for name, _ in page.attributes}
    assert not {name for name in names if name.startswith("on")} | {"src", "srcset", "action"} & names
    assert all(value and value.startswith("#") for name, value in page.attributes if name == "href")
    assert not re.search(r"https?:|url\(|@import", html_of(few))


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """Everything that a model, a suite or a file can say is hostile, in each of these ways."""
    jobs = [
        Made(
            text,
            json.dumps({"name": text}),
            case=f"{number}{text}",
            prompt=text,
            variation=text,
            input=text,
            expected={text: text},
            wanted=text,
        )
        for number, text in enumerate(HOSTILE)
    ]
    manifest = {
        **MANIFEST,
        "suite": HOSTILE[0],
        "model": HOSTILE[1],
        "prompts": [{"name": text, "system": text, "user": text} for text in HOSTILE],
        "generation": {text: text for text in HOSTILE},
        "constrained_error": "".join(HOSTILE),
        "grammars": [{"prompts": list(HOSTILE), "backend": None, "error": "".join(HOSTILE)}],
        "schema": {text: text for text in HOSTILE},
        "".join(HOSTILE): "".join(HOSTILE),
    }
    return write_run(tmp_path, jobs, manifest)


def test_hostile_text_is_text_in_the_page(hostile: Path, few: Path) -> None:
    page = Page(html_of(hostile))
    assert set(page.tags) <= set(Page(html_of(few)).tags) | {"i", "b"}, "no foreign text becomes an element"
    names = {name for name, _ in page.attributes}
    assert names <= {name for name, _ in Page(html_of(few)).attributes}
    assert HOSTILE[0] in page.text
    assert HOSTILE[9] in page.text, "nor are they a template"
    assert "left \\u202eright\\u2066 \\u200b\\ufeff\\u2028\\U000e0041" in page.text
    assert_printable(html_of(hostile))


def test_hostile_text_is_text_in_the_markdown(hostile: Path) -> None:
    text = markdown_of(hostile)
    assert_printable(text)
    tokens = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in [*tokens, *inline]}
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "code_block", "hr", "blockquote_open"}
    ours = [token.content for token in inline if token.type == "text"]
    assert not [said for said in ours if "owned" in said or "quoted" in said]
    fences = [token.content for token in tokens if token.type == "fence"]
    assert any("# owned\n```\n~~~\n````\n" in fence for fence in fences), "a fence in a reply does not end ours"
    assert sum(token.type == "table_open" for token in tokens) == 10
    heads = [token for token in tokens if token.type == "heading_open"]
    assert sum(token.tag == "h2" for token in heads) == 11


def assert_printable(text: str) -> None:
    assert {char for char in text if not char.isprintable()} == {"\n"}


def test_control_characters_differ_from_their_escapes(tmp_path: Path) -> None:
    page = html_of(write_run(tmp_path, [Made("real \x1b, written \\x1b")]))
    assert 'real <i class="esc">\\x1b</i>, written \\x1b' in page


def test_an_unfinished_and_torn_run_is_reported_as_such(few: Path) -> None:
    manifest = json.loads((few / "run.json").read_text())
    for key in ("ended", "done", "stopped", "cancelled"):
        del manifest[key]
    (few / "run.json").write_text(json.dumps(manifest))
    file = few / "records.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:4], b"nonsense\n", lines[4], lines[5][:99]]))
    text = markdown_of(few)
    assert "The run is unfinished: it is still in progress, or its process was killed: 5 of 8 jobs finished" in text
    assert "The last line of the records is cut off" in text
    assert "1 line of the records cannot be read and are counted nowhere: line 5." in text


def test_a_run_that_was_stopped_and_cancelled(few: Path) -> None:
    manifest = json.loads((few / "run.json").read_text())
    (few / "run.json").write_text(json.dumps(manifest | {"stopped": True, "cancelled": 2, "done": 9}))
    text = markdown_of(few)
    assert "The run was stopped before its end: 8 of 8 jobs finished" in text
    assert "2 jobs were cancelled by the user" in text
    assert "By the manifest 9 jobs are finished, by the records 8." in text


@pytest.mark.parametrize("manifest", [None, "{", "[]", '{"jobs": "many"}'])
def test_without_a_manifest_the_records_speak(few: Path, manifest: str | None) -> None:
    (few / "run.json").unlink()
    if manifest is not None:
        (few / "run.json").write_text(manifest)
    text = markdown_of(few)
    assert "what was run is not known" in text
    assert "| `strict` | 4 | 1 | 1 | 1 | 1 |" in text


def test_a_run_without_records_has_words_and_no_numbers(tmp_path: Path) -> None:
    for empty in (write_run(tmp_path, []), write_run(tmp_path, [], ended=False)):
        (empty / "records.jsonl").unlink()
        for text in (markdown_of(empty), html_of(empty)):
            assert "No job of this run is finished" in text
            assert "nan" not in text.lower().replace("nan_infinity", "")
            assert not re.search(r"\b\d+/0\b|of 0\b", text)


def test_an_arm_that_was_never_decoded_has_words_and_no_number(tmp_path: Path) -> None:
    text = markdown_of(write_run(tmp_path, [Made(None, None, case="a"), Made(None, None, case="b")]))
    assert "| `naive` | free | none decoded (2 errors) |" in text
    assert "No job was decoded in both arms, so there is nothing to compare." in text
    assert "not decoded: `the prompt is too long`" in text
    alone = markdown_of(write_run(tmp_path, [Made(RIGHT, None), Made(RIGHT, None, case="b", expected=EXPECTED)]))
    assert "| `naive` | constrained | none decoded (2 errors) |" in alone
    assert "| `naive` | free | 2/2, 100% (34–100%) |" in alone


def test_several_replies_to_a_case(tmp_path: Path) -> None:
    jobs = [
        Made(PROSE if repeat else RIGHT, case=case, repeat=repeat, variation=variation, expected=EXPECTED)
        for case in ("a", "b")
        for repeat in range(3)
        for variation in (None, "typos")
    ]
    text = markdown_of(write_run(tmp_path, jobs))
    assert "**Across repeats of a case's own input, with different seeds**" in text
    assert "| `naive` | constrained | 2/2, 100% (34–100%) | 2/2, 100% (34–100%) | 2 of 2 | 0 of 2 | 0 of 2 |" in text
    assert "| `naive` | free | 0/2, 0% (0–66%) | 0/2, 0% (0–66%) | 0 of 2 | 2 of 2 | 0 of 2 |" in text
    assert "**First classes by variation, with the prompt alone, all prompts**" in text
    assert "| as written | 6 | 2 (33%) | 4 (67%) |" in text
    assert "**`typos`**: Swaps two letters" in text
    assert "no difference shown (p = 0.50; 2 cases better constrained" in text, "two cases, not eight jobs"
    assert "tests count cases" in text
    assert "| `naive` | constrained | 12/12, 100% (34–100%) |" in text, (
        "an interval of two cases, not of twelve replies"
    )


def test_every_class_has_a_meaning() -> None:
    assert set(MEANINGS) == set(get_args(FailureClass))


def test_the_command(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert jsonbreak(monkeypatch, "report", "last", "--runs", few.parent) == 0
    assert capfdbinary.readouterr().out.decode() == markdown_of(few)
    assert jsonbreak(monkeypatch, "report", few.name, "--runs", few.parent, "--html") == 0
    assert capfdbinary.readouterr().out.decode() == html_of(few)
    file = tmp_path / "findings.html"
    file.write_text("old")
    assert jsonbreak(monkeypatch, "report", few, "--out", file) == 0
    assert capfdbinary.readouterr().out.decode() == f"{file}\n"
    assert file.read_text(encoding="utf-8") == html_of(few)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["findings.html", "runs"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no-such-run",), "no-such-run: there is no such run"),
        (("last", "--runs", "nowhere"), "there are no runs here"),
        (("{run}", "--out", "{run}"), "not a regular file"),
        (("{run}", "--out", "{run}/run.json/page.html"), "cannot be written"),
        (("{run}", "--out", "/dev/null"), "not a regular file"),
        (("{run}", "--out", "/"), "not a regular file"),
        (("{run}", "--out", "x" * 300), "cannot be written"),
        ((), "RUN"),
    ],
)
def test_errors_are_one_sentence(
    few: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    said: str,
) -> None:
    monkeypatch.chdir(few.parent)
    assert jsonbreak(monkeypatch, "report", *(each.format(run=few) for each in arguments)) == 2
    printed = capfd.readouterr()
    assert said in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""
