"""Mails: how long one takes to be read, and what it holds meanwhile.

Each mail is read in a process of its own, by `fields_of` and `written_now`, as a gateway and ingest
do. Memory is the process's whole peak, the mail and Python included. Beside it the standard parser,
on the same bytes: parse, and decode each part.
"""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
from collections.abc import Callable
from email import policy
from email.parser import BytesParser
from pathlib import Path

from benchmarks.figures import Figure
from gateways.mail import fields_of
from gateways.mail.reply import split

NAME = "mails"
MIB = 2**20
TIME_S, MEMORY_MIB, SPLIT_S = 1.5, 150.0, 1.0
HEAD = b"From: ana@exemple.example\r\nSubject: panne\r\nMIME-Version: 1.0\r\n"
SENTENCE = "L'imprimante de l'étage est en panne depuis hier.\r\n".encode()
CUT = b"Content-Type: multipart/mixed; boundary=cut\r\n\r\n"


def _attached(count: int, size: int) -> bytes:
    data = base64.encodebytes(os.urandom(size * 3 // 4)).replace(b"\n", b"\r\n")
    one = b"--cut\r\nContent-Type: image/jpeg; name=a.jpg\r\n"
    one += b"Content-Transfer-Encoding: base64\r\n\r\n"
    text = b"--cut\r\nContent-Type: text/plain\r\n\r\nbonjour\r\n"
    return HEAD + CUT + text + (one + data) * count + b"--cut--\r\n"


def _nested() -> bytes:
    kind = b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n"
    return HEAD + b"".join(kind % (n, n) for n in range(1_000)) + b"\r\n" + SENTENCE * 100_000


MAILS: dict[str, Callable[[], bytes]] = {
    "10 MB, one attachment": lambda: _attached(1, 10 * MIB),
    "10 MB, ten photos": lambda: _attached(10, MIB),
    "10 MB of plain text": lambda: HEAD + b"\r\n" + SENTENCE * (10 * MIB // len(SENTENCE)),
    "10 MB of HTML": lambda: (
        HEAD + b"Content-Type: text/html\r\n\r\n" + b"<p>a <b>b</b>\r\n" * 700_000
    ),
    "5 MB, 1,000 parts within one another": _nested,
    "10,000 attachments": lambda: _attached(10_000, 60),
}
BESIDE = {"10 MB, one attachment", "10 MB, ten photos", "10 MB of plain text", "10,000 attachments"}


def measure() -> list[Figure]:
    """Measure each mail, and the splitter on a megabyte of `On On On …`."""
    figures = []
    for name, make in MAILS.items():
        raw = make()
        took_s, peak_mib = _apart("ours", raw)
        beside = ""
        if name in BESIDE:
            their_s, their_mib = _apart("standard", raw)
            beside = f"standard parser {their_s:.2f} s, {their_mib:.0f} MiB"
        figures += [
            _figure(f"{name}, s", took_s, TIME_S, beside),
            _figure(f"{name}, peak of the process, MiB", peak_mib, MEMORY_MIB),
        ]
    for text in ("On " * 350_000, "On \n" * 270_000, "On 1/1/2025 10:10 a@b.fr :\n" * 40_000):
        began = time.process_time()
        split(text)
        what = f"1 MB of {text[:26].strip()!r}, split, s"
        figures.append(_figure(what, time.process_time() - began, SPLIT_S))
    return figures


def _figure(what: str, value: float, floor: float, beside: str = "") -> Figure:
    return Figure(NAME, "one core", what, value, "", floor, at_most=True, beside=beside)


def _apart(how: str, raw: bytes) -> tuple[float, float]:
    """Return the processor time of reading in a new process, and the peak of its memory, in MiB."""
    command = [sys.executable, "-m", "benchmarks.mails", how]
    told = subprocess.run(command, input=raw, stdout=subprocess.PIPE, check=True).stdout
    took_s, peak_kib = told.split()
    return float(took_s), int(peak_kib) / 1024


def _ours(raw: bytes) -> None:
    split(fields_of(raw)["text"])


def _standard(raw: bytes) -> None:
    for part in BytesParser(policy=policy.default).parsebytes(raw).walk():
        part.get_payload(decode=True)


def _main() -> None:
    raw = sys.stdin.buffer.read()
    read = {"ours": _ours, "standard": _standard}[sys.argv[1]]
    began = time.process_time()
    read(raw)
    took_s = time.process_time() - began
    status = Path("/proc/self/status").read_text("utf-8").splitlines()
    peak = next(line for line in status if line.startswith("VmHWM"))
    print(took_s, peak.split()[1])


if __name__ == "__main__":
    _main()
