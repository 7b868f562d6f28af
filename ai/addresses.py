"""Whether a server is here: on this machine, or in the private network around it."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

PRIVATE_ENDINGS = (".local", ".localhost", ".internal", ".lan", ".home.arpa", ".svc")
"""Names that no public server of names answers for."""


def is_loopback(url: str) -> bool:
    """Tell whether a server is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def leaves(url: str) -> bool:
    """Tell whether what is sent to a URL leaves this machine and its private network.

    No name is looked up: whoever answers for it could change that. A full name of a server of
    one's own counts as outside; its text is masked, and it must be allowed.
    """
    host = urlsplit(url).hostname or ""
    try:
        address = ip_address(host)
    except ValueError:
        single = re.fullmatch(
            r"[a-z_][\w-]*", host
        )  # a number would be a public address, oddly put
        return not single and not host.endswith(PRIVATE_ENDINGS)
    address = getattr(address, "ipv4_mapped", None) or address
    return not (address.is_private or address.is_loopback or address.is_link_local)
