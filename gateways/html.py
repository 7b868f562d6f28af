"""HTML to text: what a reader would see, line by line. Nothing is fetched, nothing runs.

A mail's quotations become those of a plain text: `>` before the lines of a quoted block, a line
« -----Message d'origine----- » where a mail program's own mark stands, `--` above its signature.
So one splitter reads them all (`gateways.mail.reply`).
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_TAGS = 30_000
"""Of a page that is parsed; the longest threads of Outlook have some ten thousand."""
MAX_OPEN = 400
"""Of tags open at once: nested deeper, lexbor needs the square of the depth."""
MAX_MARKS = 20
"""Of a kind that are looked into: a program leaves one in each mail of a thread."""
HEAD_LINES = 3
"""Colons in a quoted mail's head, at least: who, when, about what."""
MAX_STYLES = 25
"""Of `<b>`, `<font>` … open at once: what is left open is opened again in each paragraph."""

_HIDDEN = ", ".join(
    [
        "[hidden], [style*='mso-hide']",
        *(f"[style*='{rule}'], [style*='{rule.replace(':', ': ')}']"
          for rule in ("display:none", "visibility:hidden", "font-size:0px", "font-size:0pt",
                       "font-size:0;", "opacity:0;", "max-height:0px")),
        *(f"[style$='{rule}'], [style$='{rule.replace(':', ': ')}']"
          for rule in ("font-size:0", "opacity:0")),
    ]
)  # fmt: skip
"""What a reader does not see: nobody wrote it to be read by a person."""
_BLOCKS = "br, p, div, li, tr, hr, h1, h2, h3, h4, blockquote"
_QUOTED = (
    "blockquote[type=cite], blockquote[class*=quote], blockquote[class*=cite], blockquote[cite]"
    ", blockquote[style*='border-left'], .gmail_quote blockquote"
    ", .yahoo_quoted blockquote, .protonmail_quote blockquote, [class*=quoted] blockquote"
)
_ORIGINAL = (
    "#divRplyFwdMsg, #x_divRplyFwdMsg, #appendonsend, #isForwardContent, #isReplyContent, #origbody"
    ", #mail-editor-reference-message-container, #oriMsgHtmlSeperator, #reply139content"
    ", .yahoo_quoted, [name=quote], [id^=yahoo_quoted], .zmail_extra, #zmail_extra"
    ", .ik_mail_quote, .forwardContentMessage, #mailcontent_quote, .replyAbove"
)
_RULED = "div[style*='border-top'], div[style*='BORDER-TOP']"
"""How Outlook sets off the head of a quoted mail; and others whatever they like."""
_SIGNATURES = (
    ".gmail_signature, .moz-signature, #Signature, #x_Signature, #ms-outlook-mobile-signature"
    ", .protonmail_signature_block, #AppleMailSignature, #ymail_android_signature"
    ", .tutanota_signature, .ik_mail_signature, #mobile_signature"
)
_BREAK, _DEEPER, _BACK = (
    "\x1e",
    "\x0e",
    "\x0f",
)  # of ASCII's separators and shifts: no text has them
_FROM_HERE = "-----Message d'origine-----"
_STYLE = frozenset(
    [
        "a",
        "b",
        "big",
        "code",
        "em",
        "font",
        "i",
        "nobr",
        "s",
        "small",
        "strike",
        "strong",
        "tt",
        "u",
    ]
)
_ALONE = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "param",
        "source",
        "track",
        "wbr",
        "p",
        "li",
        "td",
        "tr",
        "th",
        "option",
    ]
)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})")
_ENDS = {"!--": "-->"} | {
    name: f"</{name}" for name in ("script", "style", "head", "template", "noscript", "title")
}
_BLOCK = re.compile(r"</?(?:br|p|div|li|tr|hr|h[1-6]|blockquote)\b[^<>]*>", re.IGNORECASE)
_UNSEEN = re.compile(rf"<({'|'.join(_ENDS)})", re.IGNORECASE)


def text_of(html: str | None) -> str:
    """Return the visible text of a page or of a mail's HTML part; empty for nothing."""
    if not html:
        return ""
    if not is_sound(html):
        return _tidy(re.sub(r"<[^<>]*>", " ", _BLOCK.sub(_BREAK, _seen(html))))
    page = LexborHTMLParser(html)
    page.strip_tags(["script", "style", "head", "template", "noscript", "svg", "math"])
    for node in page.css(_HIDDEN):
        node.decompose()
    _mark(page)
    for node in page.css("td, th"):
        node.insert_after(" ")
    for node in page.css(_BLOCKS):
        node.insert_before(_BREAK)
        node.insert_after(_BREAK)
    return _tidy(page.root.text() if page.root else "")


def _mark(page: LexborHTMLParser) -> None:
    for node in _each(page, _SIGNATURES)[:MAX_MARKS]:
        if _words(node):
            _line_above(node, "--")
    for node in _each(page, _QUOTED):
        node.insert_before(_BREAK + _DEEPER)
        node.insert_after(_BACK + _BREAK)
    ruled = (
        node for node in page.css(_RULED)[:MAX_MARKS] if _words(node)[:500].count(":") >= HEAD_LINES
    )
    for above in (page.css_first(_ORIGINAL), next(ruled, None)):
        if above is not None:
            _line_above(above, _FROM_HERE)


def _each(page: LexborHTMLParser, selector: str) -> list[LexborNode]:
    # A node that fits several selectors of a list is returned for each.
    return list({node.mem_id: node for node in page.css(selector)}.values())


def _words(node: LexborNode) -> str:
    return node.text().strip(f" \n\r\t\xa0{_BREAK}")


def _line_above(node: LexborNode, line: str) -> None:
    node.insert_before(f"{_BREAK}{line}{_BREAK}")


def is_sound(html: str) -> bool:
    """Say whether a page can be parsed in a time that its length bounds."""
    if html.count("<") > MAX_TAGS:
        return False
    depth: dict[str, int] = dict.fromkeys(_STYLE, 0)
    deep = styles = 0
    for closing, name in _TAG.findall(html):
        lower = name.lower()
        step = 0 if lower in _ALONE else -min(1, depth.get(lower, 0)) if closing else 1
        depth[lower] = depth.get(lower, 0) + step
        deep += step
        styles += step if lower in _STYLE else 0
        if deep > MAX_OPEN or styles > MAX_STYLES:
            return False
    return True


def _seen(html: str) -> str:
    """Return a page without what is never shown, found by its tags alone."""
    seen, place, open_for_ever = [], 0, set[str]()
    while found := _UNSEEN.search(html, place):
        seen.append(html[place : found.start()])
        place = found.end()
        end = _ENDS[found[1].lower()]
        if end not in open_for_ever:
            closed = re.compile(end, re.IGNORECASE).search(html, place)
            place = closed.end() if closed else place
            open_for_ever |= set() if closed else {end}
    return "".join([*seen, html[place:]])


def _tidy(text: str) -> str:
    lines, depth = [], 0
    for line in text.split(_BREAK):
        depth += line.count(_DEEPER)
        words = " ".join(line.replace(_DEEPER, " ").replace(_BACK, " ").split())
        if words:
            lines.append(f"{'>' * min(depth, 9)} {words}" if depth else words)
        depth = max(0, depth - line.count(_BACK))
    return "\n".join(lines)
