"""What jobs are called on the screen."""

from __future__ import annotations

from engine.protocol.events import JobInfo
from tui.text.safe import one_line


def case_name(info: JobInfo) -> str:
    """The case of a job, with its variation and its repeat where it has them: "alice~typos#1"."""
    name = one_line(info.case) + (f"~{one_line(info.variation)}" if info.variation else "")
    return f"{name}#{info.repeat}" if info.repeat else name


def job_name(info: JobInfo) -> str:
    """Prompt and case: "json-only  alice~typos"."""
    return f"{one_line(info.prompt)}  {case_name(info)}"
