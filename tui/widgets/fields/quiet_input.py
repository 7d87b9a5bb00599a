"""A one-line field that does not blink and takes its keys in the order in which they are pressed."""

from __future__ import annotations

from textual import events
from textual.widget import Widget
from textual.widgets import Input


async def run_bound_actions(field: Widget, event: events.Key) -> None:
    """Run what a key is bound to in a field, or in what is around it on the screen, at once.

    Textual runs a binding only when its key has bubbled up to the app, but inserts a letter in the field itself. Over a
    slow link several keys arrive together, and the letters would overtake the others.
    """
    if event.is_printable:
        return  # a letter is typed, whatever it may be bound to elsewhere
    for node in field.ancestors_with_self:
        if node is field.screen:
            return
        bindings = node._bindings.copy()
        bindings.apply_keymap(field.app._keymap)
        for binding in bindings.key_to_bindings.get(event.key, ()):
            if await field.app.run_action(binding.action, node):
                event.stop()
                event.prevent_default()
                return


class QuietInput(Input):
    """The only one-line field of the interface: an idle screen writes nothing, so the cursor stays still."""

    def __init__(
        self,
        value: str = "",
        *,
        id: str | None = None,
        classes: str | None = None,
        restrict: str | None = None,
        select_on_focus: bool = True,
    ) -> None:
        super().__init__(
            value, id=id, classes=classes, restrict=restrict, select_on_focus=select_on_focus, compact=True
        )
        self.cursor_blink = False

    async def on_key(self, event: events.Key) -> None:
        """Take a key before Input does."""
        await run_bound_actions(self, event)
