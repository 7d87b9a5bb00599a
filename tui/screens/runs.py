"""The list of runs, past and in progress: opens, follows, compares and stops them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from textual import on, work
from textual.app import ComposeResult
from textual.content import Content
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widgets import OptionList, Static
from typing_extensions import override

from engine.errors import BadInputError, EngineError
from engine.runs.baseline import baseline_of, mark_baseline
from engine.runs.listing import Ending, ListedRun, list_runs
from engine.runs.owner import owner_of, stop
from tui import keys
from tui.messages import CompareRequested, MoveRequested, OpenRunRequested, RunsRead
from tui.pages.run_list import details, matches
from tui.reports import write_findings
from tui.screens.dialogs import Answer, ConfirmScreen
from tui.state import intervals
from tui.text.safe import one_line
from tui.widgets.lines.find_line import FindLine
from tui.widgets.lines.key_line import KeyLine
from tui.widgets.lists.run_list import RunList


class RunsScreen(Screen[None]):
    """Lists the runs of a folder, which is read after the first paint and whenever the screen comes to the front."""

    BINDINGS = keys.RUNS
    AUTO_FOCUS = "#runs"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._runs: list[ListedRun] | None = None  # without the trials of listed runs
        self._trials: Counter[str] = Counter()
        self._baseline: str | None = None

    @override
    def compose(self) -> ComposeResult:
        yield FindLine(id="find")
        yield RunList(id="runs")
        yield Static("Reading the runs ...", id="run-details", markup=False)
        yield KeyLine()

    def on_screen_resume(self) -> None:
        """Read the folder again: a run that was shown may have continued."""
        self.call_after_refresh(self._read)

    @work(thread=True, exclusive=True, group="runs")
    def _read(self) -> None:
        try:
            self.post_message(RunsRead(list_runs(self._folder)))
        except OSError as error:
            self.post_message(RunsRead([], f"{self._folder}: cannot be read ({error.strerror})."))
        intervals.load()
        self.app.call_from_thread(self._show_details)

    @on(RunsRead)
    def _apply(self, message: RunsRead) -> None:
        names = {run.folder.name for run in message.runs}
        self._runs = [run for run in message.runs if run.trial_of not in names]
        self._trials = Counter(run.trial_of for run in message.runs if run.trial_of in names)
        self._baseline = baseline_of(self._folder)
        if message.error is not None:
            self._inform(message.error, "error")
        self._show()

    @on(FindLine.Changed)
    def _show(self) -> None:
        """List the runs that match the text."""
        runs, find = self._runs or [], self.query_one(FindLine)
        needle = find.text.casefold()
        found = [run for run in runs if matches(run, needle)]
        self.query_one(RunList).show(found, self._baseline)
        find.show_note(f"{len(found)} of {len(runs)}")
        self._show_details()

    @on(OptionList.OptionHighlighted)
    def _show_details(self) -> None:
        if self._runs is not None:
            self.query_one("#run-details", Static).update(Content(self._details()))

    def _details(self) -> str:
        run = self.query_one(RunList).chosen
        if run is not None:
            trials = self._trials[run.folder.name]
            return details(run, run.folder.name == self._baseline, trials, self.size.width)
        if self._runs:
            return "No run has this text. Escape clears it."
        folder = one_line(str(self._folder))
        return f"No runs in {folder} yet.\nRun a suite on the first screen (esc, then r): it is kept here."

    @on(FindLine.Closed)
    def _back_to_list(self) -> None:
        self.query_one(RunList).focus()

    @on(MoveRequested)
    def _move(self, message: MoveRequested) -> None:
        self.query_one(RunList).move(message.direction)

    @on(OptionList.OptionSelected)
    def _selected(self) -> None:
        self.action_open()

    def _chosen(self) -> ListedRun | None:
        """The run under the cursor; if there is none, the user is told."""
        run = self.query_one(RunList).chosen
        if run is None:
            self._inform("There is no run here.")
        return run

    def _inform(self, sentence: str, severity: SeverityLevel = "information") -> None:
        self.notify(one_line(sentence), severity=severity, markup=False)

    def action_open(self) -> None:
        """Open the run; follow it while it is in progress."""
        run = self._chosen()
        if run is not None:
            self.app.post_message(OpenRunRequested(run.folder))

    def action_baseline(self) -> None:
        """Mark the run as the baseline, or remove the mark."""
        run = self._chosen()
        if run is None:
            return
        name = None if run.folder.name == self._baseline else run.folder.name
        try:
            mark_baseline(self._folder, name)
        except EngineError as error:
            self._inform(str(error), "error")
            return
        self._baseline = name
        self._show()

    def action_compare(self) -> None:
        """Compare the run with the baseline."""
        run = self._chosen()
        if run is None:
            return
        baseline = next((other for other in self._runs or [] if other.folder.name == self._baseline), None)
        if baseline is None:
            self._inform("There is no baseline yet: b marks the run under the cursor as one.")
        elif baseline.folder == run.folder:
            self._inform("This is the baseline itself: put the cursor on another run.")
        else:
            self.app.post_message(CompareRequested(baseline.folder, run.folder))

    def action_stop(self) -> None:
        """Stop the engine that works on the run, asking first."""
        run = self._chosen()
        if run is None:
            return
        if run.ending is not Ending.RUNNING:
            self._inform("No engine works on this run.")
            return
        question = f"Stop the run of {one_line(run.suite or '?')}? What is finished stays on disk."

        def answered(answer: Answer | None) -> None:
            if answer == "stop":
                self._stop(run)

        self.app.push_screen(ConfirmScreen(question, "Stop it"), answered)

    @work(thread=True, group="stopping")
    def _stop(self, run: ListedRun) -> None:
        worker = owner_of(run.folder)
        if worker is not None:
            stop(worker)
        self.app.call_from_thread(self._read)

    @work(thread=True, exclusive=True, group="report")
    def action_report(self) -> None:
        """Write the report of the run next to its folder."""
        run = self._chosen()
        if run is None:
            return
        self.app.call_from_thread(self._inform, "Writing the report ...")
        try:
            file = write_findings(run.folder)
        except BadInputError as error:
            self.app.call_from_thread(self._inform, str(error), "error")
        else:
            self.app.call_from_thread(self._inform, f"Written: {file}")

    def action_filter(self) -> None:
        """Find runs by a text."""
        self.query_one(FindLine).edit()

    def action_reload(self) -> None:
        """Read the folder again."""
        self._read()

    def action_back(self) -> None:
        """Clear the text; then back to the suites."""
        find = self.query_one(FindLine)
        if find.text:
            find.clear()
        else:
            self.dismiss()
