"""Mails: from their bytes to what somebody wrote.

`fields` reads the bytes into the fields of an inbound message, `bodies` finds the text among the
parts, `charsets` decodes; `reply` tells what was written now from what is quoted, `bounces` whom a
notice says a mail did not reach.
"""

from gateways.mail.charsets import WINDOWS_1252
from gateways.mail.fields import fields_of

__all__ = ["WINDOWS_1252", "fields_of"]
