"""The tag in our reply address: which conversation an answer belongs to, signed by us.

`support@example.org` becomes `support+c0123-abcd…@example.org`. Whoever has the tag was written to,
or was told by somebody who was.
"""

from __future__ import annotations

import hmac
import re
from base64 import b32encode
from hashlib import sha256

MAX_LOCAL = 64
"""Characters before the @ (RFC 5321, 4.5.3.1.1)."""
TAG = re.compile(r"\+(?P<conversation>[a-z0-9]{1,40})-(?P<mark>[a-z2-7]{16})@")

_OTHERS = re.compile(r"\+t_[\w-]{6,64}@")
"""As other desks write theirs, from which conversations may have been imported."""


def _mark(conversation_id: str, secret: str) -> str:
    made = hmac.new(secret.encode(), f"reply-to {conversation_id}".encode(), sha256)
    return b32encode(made.digest()[:10]).decode().lower()  # 80 bits, and no padding


def tagged(address: str, conversation_id: str, secret: str) -> str:
    """Return our address with a conversation's tag; without, where one does not fit or is signed.

    Parameters
    ----------
    address
        One of ours, without a name.
    conversation_id
        What an answer to that address will belong to.
    secret
        Empty: no tag.
    """
    local, _, domain = address.rpartition("@")
    made = f"{local}+{conversation_id}-{_mark(conversation_id, secret)}"
    fits = len(made) <= MAX_LOCAL and TAG.search(f"{made}@")
    return f"{made}@{domain}" if secret and fits else address


def conversation_of(address: str, secret: str) -> str | None:
    """Return the conversation whose tag an address has, or nothing: no tag, or not of ours."""
    found = TAG.search(address.lower())
    if not (found and secret):
        return None
    good = hmac.compare_digest(found["mark"], _mark(found["conversation"], secret))
    return found["conversation"] if good else None


def untagged(address: str) -> str:
    """Return an address without its tag, signed by us or not; one without is left as it is."""
    return TAG.sub("@", address.lower()) if TAG.search(address.lower()) else address


def tag_in(address: str) -> str | None:
    """Return the tag of an address as it stands, signed by whomever; for people to read."""
    found = TAG.search(address.lower()) or _OTHERS.search(address)
    return found[0][1:-1] if found else None
