"""How the figures are computed."""

from __future__ import annotations

from engine.reports.document import Items, Section

_METHODS = (
    "Every figure comes from the records of this run. Nothing is filled in, and a reply that only a repair would make "
    "valid is not valid.",
    "Replies that could not be decoded have no verdict and are not in any share.",
    "Intervals of shares: Wilson's score interval, 95% (Wilson 1927, JASA 22, 209-212).",
    "Tests of paired outcomes: McNemar's exact test (McNemar 1947, Psychometrika 12, 153-157), two-sided. Where a case "
    "has several replies under a prompt, it counts once, for the arm in which it was as asked more often.",
    "Intervals of paired differences: method 10 of Newcombe 1998 (Statistics in Medicine 17, 2635-2650).",
    "Where a case has several replies under a prompt, intervals assume them to be identical: counts are divided by the "
    "design effect for an intraclass correlation of 1 (Kish 1965, Survey Sampling; Rao and Scott 1992, Biometrics 48, "
    "577-585). Replies are not that similar, so these intervals are too wide rather than too narrow.",
    "Quartiles: linear interpolation between neighbours (Hyndman and Fan 1996, definition 7).",
    "The cases were chosen, not drawn at random. Intervals cover chance alone, not how well the cases represent other "
    "inputs.",
)  # fmt: skip


def method() -> Section:
    """The methods, with their sources."""
    return Section("method", "How the figures are computed", (Items(tuple((line,) for line in _METHODS)),))
