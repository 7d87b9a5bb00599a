"""The findings of a search in sentences, for the comment of its TOML block, the command line and the interface."""

from __future__ import annotations

from engine.protocol.events import Found, Standing

LEGEND = "ok: the reply is JSON and nothing else, satisfies the schema and has the expected values"


def sentences(found: Found) -> list[str]:
    """The winner's result on held-out cases, its lead over the baseline, and what it was chosen by."""
    figure = f"{found.k} of {found.n} held-out cases ok"
    lines = [f"{found.prompt}: {figure}, {_share(found.k, found.n)} ({_interval(found.low, found.high)})."]
    if found.lead is None:
        lines.append("It is the suite's first prompt: nothing that was tried did better.")
    else:
        lead = found.lead
        p = "no case differs" if lead.p is None else f"McNemar's exact p {lead.p:.2g}"
        ends = f"95 % interval {lead.low * 100:+.0f} to {lead.high * 100:+.0f}, {p}"
        lines.append(f"{lead.yardstick}, the baseline: {lead.k} of {found.n} of the same cases ok.")
        lines.append(f"Difference: {lead.difference * 100:+.0f} points ({ends}).")
    chosen = f"{found.chosen_k} of {found.chosen_n} ok"
    return [*lines, f"It was chosen on other cases, by {chosen}; the share of the best of many is always too high."]


def failures_heading(found: Found) -> str:
    """The heading of the list of replies that are still wrong."""
    if not found.failures:
        return f"Nothing is wrong in any of its {found.n} held-out replies."
    return f"What it still gets wrong, {len(found.failures)} of {found.n} held-out cases, is the case for fine-tuning:"


def place(standing: Standing) -> tuple[str, str]:
    """A standing's share and interval, for a column each: "12/20 60%" and "39-78%"; "-" before the first reply."""
    if not standing.n:
        return "-", ""
    share = f"{standing.k}/{standing.n} {standing.k / standing.n:.0%}"
    return share, f"{standing.low * 100:.0f}-{standing.high:.0%}"


MARKS = {"in play": "..", "kept": "ok", "dropped": "--", "winner": "**"}
"""The mark of each state of a candidate, shown before the word."""


def _share(k: int, n: int) -> str:
    return f"{k / n:.0%}"


def _interval(low: float, high: float) -> str:
    return f"95 % interval {low * 100:.0f} to {high:.0%}"
