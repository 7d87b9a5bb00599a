"""Whatever models, suites and files contain, nothing of it takes effect in a comparison."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from engine.comparing.comparison import Comparison, compare
from engine.reports.comparison.report import format_regressions, report
from engine.runs.reading import RunFolder
from tests.helpers.made_runs import FENCED, MANIFEST, RIGHT, Made, write_run
from tests.reports.test_report import HOSTILE, Page, assert_printable


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    def manifest(model: str, adapter: str) -> dict[str, Any]:
        prompts = [{"name": text, "system": text, "user": text + model} for text in HOSTILE]
        hostile = {"suite": HOSTILE[0], "model": model, "prompts": prompts, "started": "".join(HOSTILE)}
        return {**MANIFEST, **hostile, "adapter": {"name": adapter}, "generation": dict.fromkeys(HOSTILE, model)}

    def made(reply: str) -> list[Made]:
        return [
            Made(reply, case=f"{number}{text}{case}", prompt=text, variation=text)
            for number, text in enumerate(HOSTILE)
            for case in range(8)
        ]

    baseline = write_run(tmp_path, made(RIGHT), manifest(HOSTILE[1], HOSTILE[2]))
    run = write_run(tmp_path, made(FENCED), manifest(HOSTILE[3], HOSTILE[5]))
    return compare(RunFolder(baseline), [RunFolder(run)], anyway=True)


def test_in_the_page(comparison: Comparison) -> None:
    text = "".join(report(comparison, "html"))
    page = Page(text)
    known = {"html", "head", "meta", "title", "style", "body", "header", "nav", "main", "section", "h1", "h2", "div"}
    known |= {"p", "ul", "li", "a", "dl", "dt", "dd", "code", "table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert set(page.tags) <= known | {"span", "svg", "path", "q", "article", "h3", "pre", "mark", "b", "i"}
    assert not {name for name, _ in page.attributes if name.startswith("on")}
    assert all(value and value.startswith("#") for name, value in page.attributes if name == "href")
    assert HOSTILE[0] in page.text
    assert_printable(text)


def test_in_the_markdown(comparison: Comparison) -> None:
    text = "".join(report(comparison, "markdown"))
    assert_printable(text)
    tokens = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table").parse(text)
    inline = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in [*tokens, *inline]}
    assert not kinds & {"html_block", "html_inline", "link_open", "image", "code_block", "hr", "blockquote_open"}
    assert not [token.content for token in inline if token.type == "text" and "owned" in token.content]
    assert sum(token.type == "table_open" for token in tokens) == 4 + 2 + 2 + 1
    rows = sum(token.type == "tr_open" for token in tokens)
    assert rows == 9 + 4 * 2 * (1 + len(HOSTILE)) + (2 + 1) + 2 * len(HOSTILE) + 8 * len(HOSTILE), "no cell ends a row"


def test_in_the_json_and_on_the_terminal(comparison: Comparison) -> None:
    text = "".join(report(comparison, "json"))
    assert text.isascii()
    assert {char for char in text if not char.isprintable()} == {"\n"}
    assert json.loads(text)["runs"][0]["regressed"][0]["prompt"] == HOSTILE[0]
    lines = list(format_regressions(comparison))
    assert len(lines) == 1 + len(HOSTILE)
    assert all(line.isprintable() for line in lines)
