"""HTML to text: what a reader would see, line by line."""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser

_HIDDEN = "script, style, head, title, template, noscript, [hidden], [style*='display:none'], [style*='display: none']"
_BREAKS = "br, p, div, li, tr, h1, h2, h3, h4, blockquote"


def text_of(html: str | None) -> str:
    """Return the visible text of a page or of a mail's HTML part; empty for nothing."""
    if not html:
        return ""
    tree = LexborHTMLParser(html)
    for node in tree.css(_HIDDEN):
        node.decompose()
    for node in tree.css(_BREAKS):
        node.insert_before("\n")
    root = tree.body or tree.root
    return root.text(separator="").strip() if root else ""
