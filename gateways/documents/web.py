"""Web pages and Markdown: the words that a reader sees, with their headings. Nothing runs."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from selectolax.lexbor import LexborHTMLParser, LexborNode

from gateways.documents.paper import Paper, Unreadable
from gateways.html import is_sound, text_of
from knowledge.chunks import Block

_MAIN = "main, article, [role=main]"
_BESIDE = (
    "script, style, template, noscript, svg, math, nav, footer, aside, form, button, iframe"
    ", [role=navigation], [role=banner], [role=contentinfo], [role=search], [aria-hidden=true]"
    ", [hidden], [style*='display:none'], [style*='display: none']"
)
_BLOCKS = "br, p, div, li, tr, hr, dt, dd, pre, section, blockquote, caption, summary"
_HEADINGS = "h1, h2, h3, h4, h5, h6"
_BREAK, _HEADING = "\x1e", "\x1d"  # of ASCII's separators: no text has them
LEAST_CHARACTERS = 200
"""Of a page's main part; with fewer, all of the page is taken."""


def read_page(html: str, name: str) -> Paper:
    """Read a web page; `name` stands for its title where it has none.

    Raises
    ------
    Unreadable
        It shows no words: it is made by a program in the browser, or empty.
    """
    html = html.replace(_BREAK, " ").replace(_HEADING, " ")
    if not is_sound(html):  # not parsed: it would take for ever; its words are taken line by line
        blocks = [Block(line) for line in text_of(html).splitlines()]
        remark = "is nested or tagged beyond measure: read without its headings"
        return _checked(Paper(name, blocks, remarks=(remark,)))
    page = LexborHTMLParser(html)
    title = page.css_first("title")
    told = " ".join(title.text().split()) if title else ""
    for node in page.css(_BESIDE):
        node.decompose()
    if page.body is None:
        return _checked(Paper(told or name, []))
    mains = [node for node in page.css(_MAIN) if len(node.text()) >= LEAST_CHARACTERS]
    blocks = _blocks(mains[0] if mains else page.body)
    first = next((block.text for block in blocks if block.level == 1), "")
    return _checked(Paper((first or told or name)[:512], blocks))


def read_markdown(text: str, name: str) -> Paper:
    """Read Markdown. Raises as `read_page`."""
    return read_page(MarkdownIt("commonmark").enable("table").render(text), name)


def read_text(text: str, name: str) -> Paper:
    """Read plain text, whose paragraphs have empty lines between them. Raises as `read_page`."""
    return _checked(Paper(name, [Block(part) for part in re.split(r"\n\s*\n", text)]))


def name_of(source: str) -> str:
    """Return what a document is called by its path or address: `hp-m404.pdf` is « hp m404 »."""
    path = urlsplit(source).path if "://" in source else source.replace("\\", "/")
    stem = PurePosixPath(unquote(path)).stem or urlsplit(source).hostname or source
    return " ".join(re.split(r"[-_\s]+", stem)).strip() or source


def _blocks(root: LexborNode) -> list[Block]:
    for node in root.css("td, th"):
        node.insert_after(" ")
    for node in root.css(_BLOCKS):
        node.insert_before(_BREAK)
        node.insert_after(_BREAK)
    for node in root.css(_HEADINGS):
        node.insert_before(f"{_BREAK}{_HEADING}{(node.tag or 'h6')[1]}")
        node.insert_after(_BREAK)
    found = []
    for part in root.text().split(_BREAK):
        level = int(part[1]) if part.startswith(_HEADING) else 0
        words = " ".join((part[2:] if level else part).split())
        if words:
            found.append(Block(words, level))
    return found


def _checked(paper: Paper) -> Paper:
    if not any(block.text.strip() and not block.level for block in paper.blocks):
        msg = "shows no words; a page that a program makes in the browser cannot be read"
        raise Unreadable(msg)
    return paper
