"""The page of a search: the findings with the prompt to paste, then the leaderboard."""

from __future__ import annotations

from rich.cells import set_cell_size

from engine.protocol.events import Found, Leaderboard
from engine.search.wording import LEGEND, MARKS, failures_heading, place, sentences
from tui.text.page import Page
from tui.text.safe import one_line, shorten, visible

_NAME_CELLS_MIN = 12
_OTHER_CELLS = 44  # of a row: all but the name
_STYLES = {"winner": "text--heading", "dropped": "text--label"}


def search_page(board: Leaderboard | None, found: Found | None, width: int) -> Page:
    """The whole page, the newest first. width: of a line, in cells."""
    page = Page()
    if found is not None:
        _add_found(page, found)
    if board is not None:
        _add_board(page, board, width)
    return page


def _add_found(page: Page, found: Found) -> None:
    page.heading("What was found")
    for sentence in sentences(found):
        page.add(f"{visible(sentence)}\n")
    page.add("\n").heading("The case for fine-tuning")
    page.add(f"{failures_heading(found)}\n")
    for failure in found.failures:
        page.add(f"  !! {failure.failure}  {one_line(failure.case)}\n")
        page.add(f"     {one_line(failure.sentence)}\n", "text--label")
    page.add("\n").heading("The prompt, for a suite file: w writes it to a file, y copies it")
    page.add(visible(found.block)).add("\n")


def _add_board(page: Page, board: Leaderboard, width: int) -> None:
    name_cells = max(_NAME_CELLS_MIN, width - _OTHER_CELLS)
    page.add(_row("#", "LEADERBOARD", ("ok", "95 %"), "round", "state", name_cells), "text--heading").add("\n")
    for number, each in enumerate(board.standings, 1):
        state = f"{MARKS[each.state]} {each.state}"
        row = _row(str(number), one_line(each.prompt), place(each), str(each.round), state, name_cells)
        page.add(row, _STYLES.get(each.state)).add("\n")
    page.add(f"\nThe cases here are those that prompts are chosen by. {LEGEND}.\n", "text--label")


def _row(number: str, name: str, share: tuple[str, str], round_: str, state: str, name_cells: int) -> str:
    name = set_cell_size(shorten(name, name_cells), name_cells)
    return f"{number:>3} {name} {share[0]:<10} {share[1]:<7} {round_:>5}  {state:<10}".rstrip()


def format_stage(board: Leaderboard | None, rounds: int, candidates: int) -> str:
    """What is being decoded, in words."""
    if board is None:
        return f"{candidates} prompts"
    if board.round is None:
        return "the winner and the baseline on held-out cases"
    left = sum(each.state != "dropped" for each in board.standings)
    return f"round {board.round} of {rounds}: {left} of {candidates} prompts left"
