"""How the figures are computed, and what is called a regression."""

from __future__ import annotations

from engine.reports.document import Items, Section

_METHODS = (
    "Jobs are paired by their ids. Every figure is of pairs whose reply was decoded in both runs; right values, of "
    "those with expected values. Nothing is filled in.",
    "Better and worse: the 95% interval of the difference excludes zero, and p is below 0.05. No difference shown: not "
    "both hold. That is no proof that there is none: the interval says how large it may be.",
    "A regression: an arm is worse in replies as asked, under one prompt or over all prompts. If nothing has changed, "
    "each of them has a chance of one in forty at most of being shown: the more prompts there are, the more often one "
    "is, by chance alone. What could not be compared is counted above, and is no regression.",
    "Intervals of shares: Wilson's score interval (Wilson 1927, JASA 22, 209-212).",
    "Intervals of paired differences: method 10 of Newcombe 1998 (Statistics in Medicine 17, 2635-2650).",
    "Tests: McNemar's exact test (McNemar 1947, Psychometrika 12, 153-157), two-sided. p is how often a split at least "
    "as uneven would occur if neither run were better. A case with several pairs counts once, for the run that has the "
    "outcome more often.",
    "Where a case has several pairs (repeats, variations, prompts), intervals assume them to be identical: counts are "
    "divided by the design effect for an intraclass correlation of 1 (Kish 1965, Survey Sampling; Rao and Scott 1992, "
    "Biometrics 48, 577-585). Replies are not that similar, so these intervals are too wide rather than too narrow.",
    "The cases were chosen, not drawn at random. Intervals cover chance alone, not how well the cases represent other "
    "inputs.",
)  # fmt: skip


def method() -> Section:
    """The methods, with their sources."""
    return Section("method", "How the figures are computed", (Items(tuple((line,) for line in _METHODS)),))
