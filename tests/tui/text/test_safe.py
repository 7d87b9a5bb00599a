from __future__ import annotations

import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.text.safe import one_line, shorten, visible
from tui.text.wrap import character_cells, wrap


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("a\x00b\x07", "a␀b␇"),
        ("\r\n", "␍\n"),
        ("\x7f", "␡"),
        ("\x9b2J", "␦2J"),
        ("abc\u202edef", "abc␦def"),
        ("\u2066x\u2069", "␦x␦"),
        ("\ufeff{}", "␦{}"),
        ("\ud800", "\ufffd"),
        ("tab\tand 語 and é stay", "tab\tand 語 and é stay"),
    ],
)
def test_controls_become_pictures(hostile: str, shown: str) -> None:
    assert visible(hostile) == shown


@given(st.text(st.characters(codec=None), max_size=200))
def test_every_character_stays_one_character_and_none_steers_the_terminal(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert not [each for each in shown if unicodedata.category(each) in ("Cc", "Cs") and each not in "\n\t"]
    assert not {unicodedata.bidirectional(each) for each in shown} & {"RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "PDI"}


def test_one_line_has_one_line() -> None:
    assert one_line("a\nb\tc\x1b") == "a␤b␉c␛"


def test_shorten_counts_cells_not_characters() -> None:
    assert shorten("語語語語", 8) == "語語語語"
    assert cell_len(shorten("語語語語語", 8)) <= 8
    assert shorten("abcdef", 4) == "abc…"


def test_wrap_breaks_after_spaces_and_inside_long_words() -> None:
    text = "one two three abcdefghijkl\n\nend"
    assert [text[start:end] for start, end in wrap(text, 8)] == ["one two ", "three ", "abcdefgh", "ijkl", "", "end"]


def test_wrap_never_splits_a_wide_glyph() -> None:
    text = "語" * 9
    assert [text[start:end] for start, end in wrap(text, 5)] == ["語語", "語語", "語語", "語語", "語"]


def test_a_space_that_does_not_fit_hangs() -> None:
    assert wrap("abcd efgh", 4) == [(0, 5), (5, 9)]


def test_the_end_of_a_text_that_ends_with_a_newline_is_an_empty_row() -> None:
    assert wrap("a\n", 10) == [(0, 1), (2, 2)]
    assert wrap("", 10) == [(0, 0)]


_TEXTS = st.text(st.sampled_from(list("ab {}\n\t語é\u0301")), max_size=120)


@given(_TEXTS, st.integers(2, 20), st.dictionaries(st.integers(0, 60), st.just(1), max_size=2))
def test_rows_cover_the_text_and_keep_the_width(text: str, width: int, extra: dict[int, int]) -> None:
    rows = wrap(text, width, 0, extra)
    lost = [text[before[1] : after[0]] for before, after in pairwise(rows)]
    assert set(lost) <= {"", "\n"}
    assert rows[0][0] == 0
    assert rows[-1][1] == len(text)
    for start, end in rows:
        row = text[start:end].removesuffix(" ")
        cells = sum(character_cells(each) + extra.get(start + at, 0) for at, each in enumerate(row))
        assert cells <= width or len(row) == 1 or all(character_cells(each) == 0 for each in row[1:])


@given(_TEXTS, _TEXTS, st.integers(2, 20))
def test_wrapping_from_the_last_row_is_wrapping_it_all(text: str, more: str, width: int) -> None:
    rows = wrap(text, width)
    assert rows[:-1] + wrap(text + more, width, rows[-1][0]) == wrap(text + more, width)
