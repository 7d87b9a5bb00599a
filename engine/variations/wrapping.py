"""Variations of what surrounds the input: markup, and a frame in another language."""

from __future__ import annotations

import re

from engine.variations.draws import Draws
from engine.variations.facts import Facts

_MARKUP = re.compile(r"[<>&]")
_MARKDOWN = re.compile(r"[*_`\[\]<>\\#|~&]|^\s*(?:[-+]|\d+[.)])\s", re.MULTILINE)

# A line before and a line after. They contain no names or numbers, and no request.
_FRAMES = {
    "German": ("Guten Tag, die folgende Nachricht kam bei uns an:", "Mit freundlichen Grüßen und bestem Dank"),
    "French": ("Bonjour, voici le message que nous avons reçu :", "Avec nos salutations les meilleures"),
    "Spanish": ("Buenos días, este es el mensaje que nos ha llegado:", "Reciba un cordial saludo"),
    "Portuguese": ("Bom dia, esta é a mensagem que nos chegou:", "Com os melhores cumprimentos"),
    "Finnish": ("Hyvää päivää, saimme seuraavan viestin:", "Ystävällisin terveisin"),
    "Turkish": ("Merhaba, bize şu mesaj geldi:", "Saygılarımızla"),
    "Russian": ("Добрый день, нам пришло такое сообщение:", "С наилучшими пожеланиями"),
    "Japanese": ("こんにちは。次のメッセージが届きました。", "よろしくお願いいたします。"),
}


def html(facts: Facts, draws: Draws) -> str | None:
    """The input as a paragraph of an HTML page, or as preformatted text if it has several lines."""
    if _MARKUP.search(facts.text):
        return None  # it would have to be escaped, and so would the expected value
    tag = "pre" if "\n" in facts.text or "  " in facts.text else draws.pick(("p", "blockquote", "section"))
    before, after = f'<div class="{draws.pick(("entry", "body", "box"))}">\n<{tag}>', f"</{tag}>\n</div>"
    return None if facts.clashes(before + after) else f"{before}{facts.text}{after}"


def markdown(facts: Facts, draws: Draws) -> str | None:
    """The input as a quotation under a heading, or in a code fence if it has characters that are Markdown."""
    if "```" in facts.text:
        return None
    if _MARKDOWN.search(facts.text) or "\n" in facts.text:
        before, after = "```text\n", "\n```"
    else:
        before, after = f"## {draws.pick(('Text', 'Source', 'Original'))}\n\n> ", "\n\n---"
    return None if facts.clashes(f"{before} {after}") else f"{before}{facts.text}{after}"


def foreign_frame(facts: Facts, draws: Draws) -> str | None:
    """A line in another language before the input and one after it, as around a forwarded message."""
    if facts.language or facts.is_request or facts.free_text_at(end=False) or facts.free_text_at(end=True):
        return None
    words = set(re.findall(r"\w{3,}", facts.text.casefold()))
    frames = [
        frame
        for frame in _FRAMES.values()
        if not words & set(re.findall(r"\w{3,}", " ".join(frame).casefold())) and not facts.clashes(" ".join(frame))
    ]
    if not frames:
        return None
    before, after = draws.pick(frames)
    return f"{before}\n\n{facts.text}\n\n{after}"
