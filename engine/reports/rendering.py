"""Renders a report as Markdown or as one HTML page. What is `Quoted` is shown literally; nothing in it takes effect."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from engine.errors import BadInputError
from engine.reports.document import Document, Line, Piece, Quoted
from engine.text import printable

_QUOTED_CHARACTERS = 400
_LAYOUT = "\n\t"  # kept in a text of several lines


def render(document: Document, *, html: bool) -> Iterator[str]:
    """The report in parts, as its sections are generated."""
    environment = Environment(
        loader=PackageLoader("engine.reports"),
        autoescape=html,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        finalize=_refuse_quoted,
    )
    if html:
        environment.filters |= {"line": _html_line, "plain": _plain_line, "pieces": _html_pieces, "visible": _html_text}
    else:
        environment.filters |= {"line": _markdown_line, "cell": _markdown_cell, "fenced": _fenced, "pieces": _marked}
    return environment.get_template("report.html.jinja" if html else "report.md.jinja").generate(document=document)


def visible(text: str) -> str:
    """`text` with everything that is not printable as an escape, except newlines and tabs."""
    if text.isprintable():
        return text
    return "".join(part if part in _LAYOUT else printable(part) for part in re.split(r"([\n\t])", text))


def _refuse_quoted(value: object) -> object:
    """Have a template that forgets a filter fail, instead of showing foreign text as its own."""
    if isinstance(value, Quoted | Piece | tuple):
        raise TypeError(f"{type(value).__name__} reached the page without a filter")
    return value


def _short(quoted: Quoted) -> str:
    """One visible line, not too long."""
    text = quoted.text
    if not text:
        return "(empty)"
    return printable(text[:_QUOTED_CHARACTERS]) + ("…" if len(text) > _QUOTED_CHARACTERS else "")


def _plain_line(line: Line) -> str:
    return "".join(part if isinstance(part, str) else _short(part) for part in line)


def _html_line(line: Line) -> Markup:
    return Markup("".join(escape(part) if isinstance(part, str) else _html_quoted(part) for part in line))


def _html_quoted(quoted: Quoted) -> Markup:
    tag = "q" if quoted.prose else "code"
    return Markup(f"<{tag}>{escape(_short(quoted))}</{tag}>")  # Markup.format would take four times as long


def _html_text(text: str) -> Markup:
    """Escaped, with unprintable characters as escapes that look different from the same letters in the text."""
    if text.isprintable():
        return escape(text)
    parts = re.split(r"([^\n\t -~\u00a1-\u00ac\u00ae-\u02ff]+)", text)  # plain text, which most is, skips the slow path
    return Markup("").join(part if number % 2 == 0 else _html_hidden(part) for number, part in enumerate(parts))


def _html_hidden(text: str) -> Markup:
    return Markup("").join(
        char if char.isprintable() else Markup('<i class="esc">{}</i>').format(printable(char)) for char in text
    )


def _html_pieces(pieces: tuple[Piece, ...]) -> Markup:
    return Markup("".join(_html_piece(piece) for piece in pieces))


def _html_piece(piece: Piece) -> Markup:
    if piece.kind == "break":
        opens, closes = "⟦" if piece.opens else "", "⟧" if piece.closes else ""
        return Markup(f"<mark>{opens}{_html_text(piece.text)}{closes}</mark>")
    if piece.kind == "fork":
        return Markup('<b class="fork">┊</b>')
    if piece.kind == "cut":
        return Markup('<i class="cut">{}</i>').format(piece.text)
    return _html_text(piece.text)


def _markdown_line(line: Line) -> str:
    return "".join(part if isinstance(part, str) else _code(_short(part)) for part in line)


def _markdown_cell(line: Line) -> str:
    """A bar would end the cell, even in code; GitHub's tables accept a backslash before it."""
    return _markdown_line(line).replace("|", "\\|")


def _code(text: str) -> str:
    """A code span of one line (CommonMark 6.1): its fence is longer than any run of backticks inside."""
    fence = "`" * (_longest_run(text) + 1)
    blank = " " if text.startswith("`") or text.endswith("`") or (text[0] == text[-1] == " ") else ""
    return f"{fence}{blank}{text}{blank}{fence}"


def _fenced(text: str) -> str:
    """A fenced code block (CommonMark 4.5), likewise; printable except for newlines and tabs."""
    shown = visible(text)
    fence = "`" * max(3, _longest_run(shown) + 1)
    return f"{fence}text\n{shown}\n{fence}"


def _marked(pieces: tuple[Piece, ...]) -> str:
    """A text with its marks as characters."""
    parts = []
    for piece in pieces:
        opens, closes = "⟦" if piece.opens else "", "⟧" if piece.closes else ""
        parts.append("┊" if piece.kind == "fork" else f"{opens}{piece.text}{closes}")
    return "".join(parts)


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def write_report(parts: Iterable[str], file: Path) -> None:
    """Write a report, whole or not at all. Raises BadInputError if that fails."""
    name, file = printable(str(file)), file.resolve()  # a link stays a link, its target is written
    fresh = file.parent / f"{file.name}.new"
    try:
        if file.exists() and not file.is_file():
            raise BadInputError(f"{name}: this is not a regular file; name another one with --out.")
        try:
            with fresh.open("w", encoding="utf-8", newline="\n") as out:
                out.writelines(parts)
            fresh.replace(file)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise BadInputError(f"{name}: cannot be written ({reason}); name another file with --out.") from error
