"""The themes: a dark one, a light one, one of high contrast, and the terminal's own colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from textual.theme import Theme

ThemeName: TypeAlias = Literal["dark", "light", "contrast", "ansi-dark", "ansi-light"]
"""In the order in which F2 goes through them."""

NAMES: tuple[ThemeName, ...] = get_args(ThemeName)

DEFAULT_THEME = "textual-dark"
"""The one that Textual starts with."""


def own_themes() -> list[Theme]:
    """The three that Textual does not have."""
    from textual.theme import Theme

    return [
        Theme(
            name="dark",
            primary="#4fa3d1",
            secondary="#7c9a5e",
            accent="#d19a66",
            warning="#e0af4c",
            error="#e5606c",
            success="#6fbf73",
            foreground="#d7dae0",
            background="#14171c",
            surface="#1c2027",
            panel="#252a33",
            dark=True,
        ),
        Theme(
            name="light",
            primary="#0b5c8a",
            secondary="#4b6b2f",
            accent="#8a4b08",
            warning="#8a5a00",
            error="#b3202f",
            success="#1e6b2b",
            foreground="#1c1f24",
            background="#fbfbf9",
            surface="#f0f0ec",
            panel="#e4e4de",
            dark=False,
        ),
        Theme(
            name="contrast",
            primary="#00d7ff",
            secondary="#ffffff",
            accent="#ffd700",
            warning="#ffd700",
            error="#ff5f5f",
            success="#5fff5f",
            foreground="#ffffff",
            background="#000000",
            surface="#000000",
            panel="#1a1a1a",
            dark=True,
            variables={"text-muted": "#ffffff"},
        ),
    ]
