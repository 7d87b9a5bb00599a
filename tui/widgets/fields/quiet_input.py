"""Keys of a field of text, in the order in which they are pressed."""

from __future__ import annotations

from textual import events
from textual.binding import NoBinding
from textual.widget import Widget


class KeysInOrder(Widget):
    """After a field's own class: what `end` or `backspace` is bound to happens at once.

    Textual runs a binding only when its key has come up to the app through all that is around the field, and a letter
    in the field itself. Over a slow link several keys come together, and the letters would be ahead of the others.
    """

    async def on_key(self, event: events.Key) -> None:
        """Take a key that this field binds."""
        try:
            bindings = self._bindings.get_bindings_for_key(event.key)
        except NoBinding:
            return
        for binding in bindings:
            if await self.app.run_action(binding.action, self):
                event.stop()
                event.prevent_default()
                return
