"""What models put around a value: thinking, prose and Markdown code fences, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.judging.breaks import Break
from engine.text import plural

_THINK = re.compile(r"\s*+<(think|thinking|thought|reasoning)>", re.IGNORECASE)
# A closing tag without an opening one (chat templates may write that) must begin or end its line: a tag inside a
# string of the value cannot, since JSON strings contain no line breaks.
_BARE_CLOSE = re.compile(r"^[ \t]*+</(?:think|thinking|thought|reasoning)>|</(?:think|thinking)>[ \t]*+(?:\n|\Z)", re.M)
_LANGUAGE = re.compile(r"[ \t]*+[\w+#.-]*+\Z")
_FENCES = ("`", "~")
_VISIBLE = re.compile(r"[^\n]")


@dataclass(frozen=True, slots=True)
class Thinking:
    """The thinking at the beginning of a reply."""

    end: int
    """Where the answer may begin."""
    open: bool
    """Whether the thinking was never closed."""
    breaks: tuple[Break, ...]


def find_thinking(text: str) -> Thinking:
    """The thinking of a reply. Thinking that is never closed ends right after its opening tag."""
    tag = _THINK.match(text)
    if tag is None:
        closing = _BARE_CLOSE.search(text)
        if closing is None:
            return Thinking(0, False, ())
        return _thinking(text, stripped(text, 0, closing.end())[1], False)
    end = re.compile(f"</{tag[1]}>", re.IGNORECASE).search(text, tag.end())
    return _thinking(text, tag.end() if end is None else end.end(), end is None)


def _thinking(text: str, end: int, is_open: bool) -> Thinking:
    start, _ = stripped(text, 0, end)
    sentence = f"Thinking before the JSON: {plural(end - start, 'character')}"
    return Thinking(end, is_open, (Break("think_tags", start, end, sentence),))


def find_wrapping(text: str, begin: int, start: int, end: int) -> list[Break]:
    """What surrounds the value from `start` to `end`, looked for from `begin` on, in the order of the text."""
    fence, before = _fence_before(text, begin, start)
    closing, after = _fence_after(text, end, fence is not None)
    fence = fence or closing
    wrapping = [_prose("prose_before", text, begin, before), fence, _prose("prose_after", text, after, len(text))]
    return [found for found in wrapping if found is not None]


def stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """The part of text[start:end] without the whitespace around it."""
    part = text[start:end]
    inner = part.lstrip()
    start = end - len(inner)
    return start, start + len(inner.rstrip())


def _fence_before(text: str, begin: int, start: int) -> tuple[Break | None, int]:
    """The opening fence right before the value, including its language, and where the text before it ends."""
    begin, end = stripped(text, begin, start)
    line = max(text.rfind("\n", begin, end) + 1, begin)
    marks = max(text.rfind(mark * 3, line, end) for mark in _FENCES)
    if marks >= 0 and _LANGUAGE.match(text, marks + 3, end):
        opening = _run_begin(text, line, marks)
        return Break("code_fence", opening, end, "A Markdown code fence around the JSON"), opening
    if begin < end and text[end - 1] == "`":
        return Break("code_fence", end - 1, end, "Markdown code marks around the JSON"), end - 1
    return None, start


def _run_begin(text: str, line: int, at: int) -> int:
    """The beginning of the run of equal characters that includes `at`."""
    while at > line and text[at - 1] == text[at]:
        at -= 1
    return at


def _fence_after(text: str, end: int, opened: bool) -> tuple[Break | None, int]:
    """The closing fence right after the value, and where the text after it begins."""
    start, _ = stripped(text, end, len(text))
    mark = text[start : start + 1]
    run = start
    while mark in _FENCES and run < len(text) and text[run] == mark:
        run += 1
    if run - start < (1 if opened else 3):
        return None, end
    return Break("code_fence", start, run, "A Markdown code fence after the JSON"), run


def _prose(side: str, text: str, start: int, end: int) -> Break | None:
    start, end = stripped(text, start, end)
    if start == end:
        return None
    if side == "prose_before":
        return Break("prose_before", start, end, f"Prose before the JSON: {plural(end - start, 'character')}")
    return Break("prose_after", start, end, f"Prose after the JSON: {plural(end - start, 'character')}")


def blank_thoughts(text: str, close: str) -> str:
    """The reply with everything up to and including the closing tag blanked; unchanged if it has no such tag.

    The answer keeps its offset, line and column, and the judge ignores blanks around a value.
    """
    thoughts, tag, answer = text.partition(close)
    return _VISIBLE.sub(" ", thoughts + tag) + answer if tag else text
