"""SendGrid's signature: ECDSA over a moment and the very bytes that were posted."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
FRESH_S = 300.0


class PublicKey:
    """A key as SendGrid's settings show it: Base64 without a frame.

    Raises
    ------
    ValueError
        It is none.
    """

    def __init__(self, text: str) -> None:
        try:
            key = load_der_public_key(b64decode(text, validate=True))
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, EllipticCurvePublicKey):
            msg = "is no public key: SendGrid shows one that begins with MFkwEwYH"
            raise ValueError(msg)  # noqa: TRY004 - as one that is no Base64
        self._key = key

    def signed(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Say whether SendGrid posted these bytes."""
        moment = headers.get(TIMESTAMP, "")
        try:
            given = b64decode(headers.get(SIGNATURE, ""), validate=True)
            self._key.verify(given, moment.encode() + body, ECDSA(SHA256()))
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


def is_fresh(headers: Mapping[str, str], now: float) -> bool:
    """Say whether something was signed in these five minutes."""
    moment = headers.get(TIMESTAMP, "")
    return moment.isascii() and moment.isdigit() and abs(now - int(moment[:15])) <= FRESH_S
