"""The first screen: suites on the left, the chosen one's prompts, schema and cases on the right."""

from __future__ import annotations

from pathlib import Path

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from tui import keys
from tui.messages import RunRequested, RunsRequested, SearchRequested, SuitesRead
from tui.suites import (
    Page,
    SuiteFile,
    cases_page,
    error_page,
    prompts_page,
    read_suites,
    schema_page,
    search_fault,
    summary,
)
from tui.text import one_line, visible
from tui.widgets.key_line import KeyLine
from tui.widgets.suite_list import SuiteList
from tui.widgets.tab_line import TabLine
from tui.widgets.text_view import TextView

_PAGES = {"prompts": prompts_page, "schema": schema_page, "cases": cases_page}


class BrowseScreen(Screen[None]):
    """Reads the suites after the first paint, and again when it is asked to."""

    BINDINGS = keys.BROWSE
    AUTO_FOCUS = "#suites"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._files: list[SuiteFile] = []
        self._tab = "prompts"

    def compose(self) -> ComposeResult:
        """Two columns over the footer."""
        with Horizontal():
            yield SuiteList(id="suites")
            with Vertical(id="suite"):
                yield Static(id="about", markup=False)
                yield TabLine(tuple(_PAGES), id="tabs")
                yield TextView(id="page")
        yield KeyLine()

    def on_mount(self) -> None:
        """Say what is going on and read the suites."""
        self.query_one("#suites").border_title = "SUITES"
        self._show_page(Page().add("Reading the suites ...", "text--label"))
        self.call_after_refresh(self._read)

    @work(thread=True, exclusive=True, group="suites")
    def _read(self) -> None:
        self.post_message(SuitesRead(read_suites(self._path)))

    @on(SuitesRead)
    def _list_suites(self, message: SuitesRead) -> None:
        """Fill the list, keeping the choice when the suites were read again."""
        chosen = self._chosen
        self._files = message.suites
        suites = self.query_one(SuiteList)
        suites.clear_options()
        suites.add_options([Option(_entry(file), id=str(number)) for number, file in enumerate(self._files)])
        paths = [file.path for file in self._files]
        if self._files:
            suites.highlighted = paths.index(chosen.path) if chosen and chosen.path in paths else 0
        self._show_chosen()

    @on(OptionList.OptionHighlighted)
    def _highlighted(self) -> None:
        self._show_chosen()

    @on(OptionList.OptionSelected)
    def _selected(self) -> None:
        self.action_run()

    @property
    def _chosen(self) -> SuiteFile | None:
        number = self.query_one(SuiteList).highlighted
        return self._files[number] if number is not None and number < len(self._files) else None

    def action_run(self) -> None:
        """Run the chosen suite."""
        file = self._usable()
        if file is not None:
            self.app.post_message(RunRequested(file.path))

    def action_runs(self) -> None:
        """List the runs there are."""
        self.app.post_message(RunsRequested())

    def action_search(self) -> None:
        """Search for the chosen suite's best prompt, if it has what a search needs."""
        file = self._usable()
        if file is None:
            return
        if reason := search_fault(file):
            self.notify(one_line(reason), severity="warning", markup=False)
        else:
            self.app.post_message(SearchRequested(file.path))

    def _usable(self) -> SuiteFile | None:
        """The chosen suite, where it can be run; else the user is told why not."""
        file = self._chosen
        if file is None:
            self.notify("There is no suite to run.", severity="warning", markup=False)
        elif file.suite is None:
            self.notify("Mend this suite first.", severity="warning", markup=False)
        else:
            return file
        return None

    def action_tab(self, name: str) -> None:
        """Show another part of the suite."""
        self._tab = name
        if self._files:  # else they are still being read, or there are none, which the page says
            self._show_chosen()

    def action_reload(self) -> None:
        """Read the suites again."""
        self._read()

    def _show_chosen(self) -> None:
        file = self._chosen
        if file is None:
            self._show_page(_empty_page(self._path))
        elif file.suite is None:
            self._show_page(error_page(file), title=file.path.name)
        else:
            suite = file.suite
            about = visible(suite.description.strip())
            self._show_page(_PAGES[self._tab](suite), suite.name, f"{about}\n{summary(suite, file.jobs)}".strip())

    def _show_page(self, page: Page, title: str = "", about: str = "") -> None:
        self.query_one("#suite").border_title = Content(one_line(title))
        line = self.query_one("#about", Static)
        line.update(Content(about))
        line.display = bool(about)
        tabs = self.query_one(TabLine)
        tabs.display = bool(about)
        tabs.show(self._tab)
        view = self.query_one("#page", TextView)
        view.show(page.text, page.spans)
        view.scroll_to(y=0, animate=False)


def _entry(file: SuiteFile) -> Content:
    """A suite's entry in the list: its name and its size, or that it does not load."""
    if file.suite is None:
        return Content.assemble(one_line(file.path.name), "\n", ("!! does not load", "$text-error"))
    prompts, cases = len(file.suite.prompts), len(file.suite.cases)
    return Content.assemble(one_line(file.suite.name), "\n", (f"{prompts} x {cases} cases", "$text-muted"))


def _empty_page(path: Path) -> Page:
    """What to do when there is no suite."""
    page = Page().heading("No suites here").add("\n")
    page.add(f"There is no .toml file in {visible(str(path))}.\n\n")
    page.add("A suite is a TOML file with a schema, prompts and cases. Put one there and press F5,\n")
    page.add("or quit and name another folder: jsonbreak PATH\n\n")
    return page.add(_SAMPLE, "text--label")


_SAMPLE = """\
name = "people"

[schema]
type = "object"
required = ["name"]
[schema.properties.name]
type = "string"

[[prompt]]
name = "naive"
user = "Extract the name: {input}"

[[case]]
id = "alice"
input = "My name is Alice."
expected = { name = "Alice" }
"""
