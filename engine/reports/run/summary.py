"""In short, and a glossary for the rest of the report."""

from __future__ import annotations

from engine.reports.document import Facts, Items, Line, Paragraph, Quoted, Section, paragraph
from engine.reports.figures import count_and_percent
from engine.reports.run.findings import ArmFindings, Findings, PromptFindings
from engine.statistics import Share
from engine.text import plural

_TERMS = (
    ("case", "One input of the suite, with what is expected of the reply."),
    ("prompt", "One way to ask: how the input is put into the messages that the model is sent."),
    ("arm", "How a reply is decoded: free (the prompt alone) or constrained (the same prompt, and a grammar made from "
     "the JSON Schema masks every token that would leave it)."),
    ("job", "One case under one prompt, decoded in both arms."),
    ("verdict", "The judge's findings on a reply: the four rates below, each yes or no, and what is wrong."),
    ("as asked", "The whole reply is JSON, satisfies the schema and, where values were expected, has those values."),
    ("break", "The first place where a reply stops being what was asked for."),
    ("fork", "The first token at which the two arms of a job choose differently."),
)  # fmt: skip
_VARIATION = ("variation", "A rewrite of a case's input that must not change the expected values.")
_REPEAT = ("repeat", "The same input decoded again, with another seed.")


def in_short(findings: Findings) -> Section:
    """A line for each prompt."""
    if not findings.records:
        return Section("short", "In short", (paragraph("No job of this run is finished: there is nothing to report."),))
    lines = tuple(_prompt_line(name, prompt) for name, prompt in findings.prompts.items())
    return Section("short", "In short", (Items(lines),))


def glossary(findings: Findings) -> Section:
    """A line for each term."""
    known = [*_TERMS, *[_VARIATION] * findings.varied, *[_REPEAT] * findings.repeated]
    rows: list[tuple[Line, Line]] = [((term,), (meaning,)) for term, meaning in known]
    return Section("words", "Words", (Facts(tuple(rows)),))


def _prompt_line(name: str, prompt: PromptFindings) -> Line:
    parts: list[str | Quoted] = [Quoted(name), f": {_as_asked(prompt)}."]
    failure = _most_common(prompt.arms["free"])
    if failure:
        parts += [" The most common failure with the prompt alone is ", Quoted(failure[0]), f", {failure[1]}."]
    pairs = prompt.fine
    if pairs.n:
        rescued, broken = plural(pairs.only_second, "job"), plural(pairs.only_first, "job")
        parts.append(
            f" The constraint rescued {rescued}, broke {broken}, and left {pairs.neither:,} wrong in both arms."
        )
    return tuple(parts)


def _as_asked(prompt: PromptFindings) -> str:
    free, constrained = (Share(arm.classes["ok"], arm.classes.total()) for arm in prompt.arms.values())
    alone = (
        f"{count_and_percent(free, 'none')} were as asked with the prompt alone" if free.n else "none could be decoded"
    )
    masked = count_and_percent(constrained, "none could be decoded")
    return f"of the replies, {alone}; constrained, {masked}"


def _most_common(arm: ArmFindings) -> tuple[str, str] | None:
    failures = [(count, failure) for failure, count in arm.classes.items() if failure != "ok"]
    if not failures:
        return None
    count, failure = max(failures)
    return failure, count_and_percent(Share(count, arm.classes.total()), "")


def nothing_finished() -> Paragraph:
    """Replaces a section of a run without records."""
    return paragraph("No job is finished, so there is nothing to count.")
