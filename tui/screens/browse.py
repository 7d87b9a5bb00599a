"""The first screen: suites on the left, the prompts, schema and cases of the selected one on the right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from typing_extensions import override

from tui import keys
from tui.messages import LastResultsRead, MoveRequested, RunRequested, RunsRequested, SearchRequested, SuitesRead
from tui.pages.suite import cases_page, empty_page, error_page, nothing_found_page, prompts_page, schema_page, summary
from tui.state.adapters import AdapterChoice
from tui.state.suites import SuiteFile, read_suites, search_unavailable_reason
from tui.text.page import Page
from tui.text.safe import one_line, visible
from tui.widgets.job.sent_view import SentView
from tui.widgets.lines.find_line import FindLine
from tui.widgets.lines.key_line import KeyLine
from tui.widgets.lines.tab_line import TabLine
from tui.widgets.lists.suite_list import SuiteList
from tui.widgets.views.text_view import TextView

if TYPE_CHECKING:
    from engine.runs.listing import ListedRun
    from tui.process.runner import Runner

_PAGES = {"prompts": prompts_page, "schema": schema_page, "cases": cases_page}
_SENT = "as sent"


class BrowseScreen(Screen[None]):
    """Reads the suites after the first paint, and again on request; then their last results.

    runs: the folder of the runs. runner: makes the engine's runner when it is needed. adapters: what runs can use.
    """

    BINDINGS = keys.BROWSE
    AUTO_FOCUS = "#suites"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012

    def __init__(self, path: Path, runs: Path, runner: Callable[[], Runner], adapters: AdapterChoice) -> None:
        super().__init__()
        self._adapters = adapters
        self._path, self._runs, self._runner = path, runs, runner
        self._files: list[SuiteFile] | None = None  # None: they are still being read
        self._last: dict[str, ListedRun] | None = None  # by the suite's name
        self._tab = "prompts"

    @override
    def compose(self) -> ComposeResult:
        yield FindLine(id="find")
        with Horizontal():
            yield SuiteList(id="suites")
            with Vertical(id="suite"):
                yield Static(id="about", markup=False)
                yield TabLine((*_PAGES, _SENT), id="tabs")
                yield TextView(id="page")
                yield SentView(self._runner, id="sent")
        yield KeyLine()

    def on_mount(self) -> None:
        """Read the suites after the first paint."""
        self.query_one("#suites").border_title = "SUITES"
        self.query_one(SentView).display = False
        self._show_page(Page().add("Reading the suites ...", "text--label"))
        self.call_after_refresh(self._read)

    def on_screen_resume(self) -> None:
        """Coming back from a run: it may be the latest of its suite."""
        if self._files is not None:
            self._read_last_results()

    @work(thread=True, exclusive=True, group="suites")
    def _read(self) -> None:
        self.post_message(SuitesRead(read_suites(self._path)))

    @work(thread=True, exclusive=True, group="last results")
    def _read_last_results(self) -> None:
        from engine.runs.listing import last_results
        from tui.state import intervals

        try:
            last = last_results(self._runs)
        except OSError:  # the list of runs says why
            return
        self.post_message(LastResultsRead(last))
        if last and not intervals.ready():
            intervals.load()
            self.post_message(LastResultsRead(last))

    @on(SuitesRead)
    def _take_suites(self, message: SuitesRead) -> None:
        self._files = message.suites
        self.query_one(SentView).forget()
        self._list_suites()
        self._read_last_results()

    @on(LastResultsRead)
    def _take_last_results(self, message: LastResultsRead) -> None:
        self._last = message.last
        self.query_one(SuiteList).show_results(message.last)
        self._show_about(self._chosen)

    @on(FindLine.Changed)
    def _list_suites(self) -> None:
        """List the suites that match the text."""
        files, find = self._files or [], self.query_one(FindLine)
        found = [file for file in files if file.matches(find.text)]
        find.show_note(f"{len(found)} of {len(files)}")
        self.query_one(SuiteList).show(found)
        self._show_chosen()

    @on(MoveRequested)
    def _move(self, message: MoveRequested) -> None:
        self.query_one(SuiteList).move(message.direction)

    @on(FindLine.Closed)
    def _back_to_list(self) -> None:
        self.query_one(SuiteList).focus()

    @on(OptionList.OptionHighlighted)
    def _highlighted(self) -> None:
        self._show_chosen()

    @on(TabLine.Selected)
    def _tab_selected(self, message: TabLine.Selected) -> None:
        self.action_tab(message.name)

    @property
    def _chosen(self) -> SuiteFile | None:
        return self.query_one(SuiteList).chosen

    def action_run(self) -> None:
        """Run the selected suite."""
        file = self._usable()
        if file is not None:
            self.app.post_message(RunRequested(file.path, adapter=self._adapters.chosen))

    def action_adapter(self) -> None:
        """Run with the next adapter."""
        self._adapters.next()
        self._show_about(self._chosen)

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "adapter" or bool(self._adapters.names)

    def action_runs(self) -> None:
        """List the runs."""
        self.app.post_message(RunsRequested())

    def action_search(self) -> None:
        """Search for the best prompt of the selected suite, if it has what a search needs."""
        file = self._usable()
        if file is None:
            return
        if reason := search_unavailable_reason(file):
            self.notify(one_line(reason), severity="warning", markup=False)
        else:
            self.app.post_message(SearchRequested(file.path))

    def _usable(self) -> SuiteFile | None:
        """The selected suite, if it can be run; else the user is told why not."""
        file = self._chosen
        if file is None:
            self.notify("There is no suite to run.", severity="warning", markup=False)
        elif file.suite is None:
            self.notify("Fix this suite first.", severity="warning", markup=False)
        else:
            return file
        return None

    def action_tab(self, name: str) -> None:
        """Show another part of the suite."""
        self._tab = name
        self._show_chosen()

    def action_special(self) -> None:
        """Show or hide the special tokens; first show the prompts as sent."""
        if self._tab == _SENT:
            self.query_one(SentView).toggle_special()
        else:
            self.action_tab(_SENT)

    def action_filter(self) -> None:
        """Find suites by a text."""
        self.query_one(FindLine).edit()

    def action_back(self) -> None:
        """Show all suites again."""
        self.query_one(FindLine).clear()

    def action_reload(self) -> None:
        """Read the suites again."""
        self._read()

    def _show_chosen(self) -> None:
        if self._files is None:
            return  # the page says that they are being read
        file = self._chosen
        if file is None:
            self._show_page(nothing_found_page() if self._files else empty_page(self._path))
        elif file.suite is None:
            self._show_page(error_page(file), file.path.name)
        elif self._tab == _SENT:
            self._show_page(None, file.suite.name)
            self.query_one(SentView).show_suite(file.suite)
        else:
            self._show_page(_PAGES[self._tab](file.suite), file.suite.name)
        self._show_about(file)

    def _show_page(self, page: Page | None, title: str = "") -> None:
        """Show a page; None for the prompts as sent, which come from the engine."""
        self.query_one("#suite").border_title = Content(one_line(title))
        view, sent = self.query_one("#page", TextView), self.query_one(SentView)
        view.display, sent.display = page is not None, page is None
        if page is not None:
            sent.leave()
            view.show(page.text, page.spans)
            view.scroll_to(y=0, animate=False)

    def _show_about(self, file: SuiteFile | None) -> None:
        """Above the page: what the suite is, how many jobs it has, and the result of its last run."""
        from tui.pages.last_results import describe_last_run

        line, tabs = self.query_one("#about", Static), self.query_one(TabLine)
        suite = file.suite if file is not None else None
        line.display = tabs.display = suite is not None
        tabs.show(self._tab)
        if file is not None and suite is not None:
            words = [visible(suite.description.strip()), summary(suite, file.jobs)]
            last = self._last.get(suite.name) if self._last else None
            words += [describe_last_run(last)] if last is not None else []
            words += [one_line(self._adapters.describe())] if self._adapters.names else []
            line.update(Content("\n".join(words).strip()))
