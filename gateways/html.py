"""HTML to text: what a reader would see, line by line. Nothing is fetched."""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser

MAX_TAGS = 10_000
"""Of a page that is parsed: nested that deep takes lexbor half a second, and the square beyond."""

_HIDDEN = "[hidden], [style*='display:none'], [style*='display: none']"
_BLOCKS = "br, p, div, li, tr, h1, h2, h3, h4, blockquote"
_BREAK = "\x1e"  # ASCII's record separator: no text has it


def text_of(html: str | None) -> str:
    """Return the visible text of a page or of a mail's HTML part; empty for nothing."""
    if not html:
        return ""
    if html.count("<") > MAX_TAGS:
        return _tidy(re.sub(r"<[^<>]*>", " ", html))
    page = LexborHTMLParser(html)
    page.strip_tags(["script", "style", "head", "template", "noscript"])
    for node in page.css(_HIDDEN):
        node.decompose()
    for node in page.css(_BLOCKS):
        node.insert_before(_BREAK)
        node.insert_after(_BREAK)
    return _tidy(page.root.text() if page.root else "")


def _tidy(text: str) -> str:
    lines = (" ".join(line.split()) for line in text.split(_BREAK))
    return "\n".join(line for line in lines if line)
