"""A server of one's own, without Docker: what scripts/kafka and scripts/mysql share.

A server listens on the loopback interface only. Without a port it takes a free one; without a
data folder its data lie in a temporary one, which goes away at stop. With one they stay, and a
later start goes on from them, be it after a stop or after SIGKILL.

One record per server says what runs: ${XDG_RUNTIME_DIR:-/tmp}/astreinte-NAME-PORT.env (PID, DATA,
LOG ..., readable by a shell, by nobody else). A server is known by its pid and by a mark among its
arguments, so that a pid which means another process by now is left alone. Linux, Python 3.11,
standard library only.
"""

from __future__ import annotations

import abc
import argparse
import contextlib
import errno
import fcntl
import os
import random
import re
import secrets
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TextIO, TypeVar

T = TypeVar("T")
Values = dict[str, str]

CACHE = Path(os.environ.get("ASTREINTE_CACHE") or Path.home() / ".cache/astreinte").absolute()
TEMPORARY = Path("/tmp")  # noqa: S108 - the same for every shell, whatever its TMPDIR
RUNTIME = Path(os.environ.get("XDG_RUNTIME_DIR") or TEMPORARY)
RECORDS = RUNTIME if RUNTIME.is_dir() else TEMPORARY
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
"""Of what runs on our behalf: paths are UTF-8, whatever the person at the terminal speaks."""
SIGNALS = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
HIDDEN = argparse.SUPPRESS
LETTING_GO_S = 3
"""How long a server that was killed may take to let go of its port and of its data."""


class Failure(Exception):  # noqa: N818 - what the person at the terminal should read
    """What went wrong, in words that need no traceback."""


class Server(abc.ABC):
    """What is the same for every server; a script says the rest in a class of its own."""

    name: str
    start_s = 60
    stop_s = 20

    def __init__(self) -> None:
        self.prefix = f"astreinte-{self.name}-"

    def say(self, text: object) -> None:
        """Tell the person at the terminal; what a program reads goes to standard output alone."""
        print(f"{self.name}: {text}", file=sys.stderr, flush=True)

    # ---- what a script says ------------------------------------------------------------------

    def add_options(self, parser: argparse.ArgumentParser) -> None:  # noqa: B027 - few have any
        """Add options beside --port and --data."""

    @abc.abstractmethod
    def install(self) -> None:
        """Make sure of the programs; quick when they are there."""

    def ports(self, _options: argparse.Namespace) -> dict[str, int | None]:
        """Ports beside the first: the name in the record, and the wanted number if any."""
        return {}

    @abc.abstractmethod
    def prepare(self, data: Path, values: Values, options: argparse.Namespace) -> None:
        """Make the data folder ready, be it fresh or not, and add to what the record will say."""

    @abc.abstractmethod
    def command(self, values: Values) -> list[str]:
        """Say how to run the server, in its data folder; one argument is its mark."""

    @abc.abstractmethod
    def mark(self, data: str) -> str:
        """Give the argument by which a server with that data folder is known."""

    @abc.abstractmethod
    def answers(self, port: int) -> bool:
        """Say whether the server there serves by now."""

    @abc.abstractmethod
    def address(self, values: Values) -> str:
        """Give the line that start prints."""

    @abc.abstractmethod
    def environment(self, values: Values) -> Values:
        """Give the variables in which a command of `run` finds the server."""

    # ---- records -----------------------------------------------------------------------------

    @contextlib.contextmanager
    def record(self, port: int, *, create: bool = False) -> Iterator[tuple[TextIO, Values]]:
        """Open the record of a port, locked: the file, and its values (none when it is new).

        Who starts or stops a server holds the lock meanwhile; who is killed loses it.
        """
        path = RECORDS / f"{self.prefix}{port}.env"
        extra = os.O_NOFOLLOW | (os.O_CREAT if create else 0)
        while True:
            with open(path, "r+", opener=lambda p, flags: os.open(p, flags | extra, 0o600)) as file:
                if os.fstat(file.fileno()).st_uid != os.geteuid():
                    msg = f"{path} belongs to somebody else"
                    raise Failure(msg)
                fcntl.flock(file, fcntl.LOCK_EX)
                if os.fstat(file.fileno()).st_nlink:  # else it was removed while we waited
                    words = shlex.split(file.read())
                    yield file, dict(word.split("=", 1) for word in words)
                    return

    def recorded(self) -> list[int]:
        """Give the ports of all servers that this user has started."""
        found = []
        for entry in os.scandir(RECORDS):
            with contextlib.suppress(FileNotFoundError):
                match = re.fullmatch(rf"{self.prefix}(\d+)\.env", entry.name)
                if match and entry.stat(follow_symlinks=False).st_uid == os.geteuid():
                    found.append(int(match[1]))
        return sorted(found)

    def handle(self, values: Values) -> int | None:
        """Open a pidfd of the server of a record; None when it is gone."""
        pid = int(values.get("PID", 0))
        if pid:
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                fd = os.pidfd_open(pid)
                arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if os.fsencode(self.mark(values["DATA"])) in arguments:
                    return fd
                os.close(fd)
        return None

    def end(self, file: TextIO, values: Values) -> bool:
        """Stop the server of a record, remove its temporary data, then the record.

        Says whether the server was there.
        """
        if (fd := self.handle(values)) is not None:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(fd, number)
                if select.select([fd], [], [], self.stop_s)[0]:
                    break
            os.close(fd)
        self.discard(values)
        Path(file.name).unlink()
        return fd is not None

    def discard(self, values: Values) -> None:
        """Remove the data of a record if they are temporary."""
        data = Path(values.get("DATA", ""))
        if values.get("TEMPORARY") == "1" and data.name.startswith(self.prefix):
            shutil.rmtree(data, ignore_errors=True)

    # ---- start, stop, run --------------------------------------------------------------------

    def start(self, options: argparse.Namespace) -> Values:
        """Start a server, wait until it answers, and say what its record says.

        A start that fails leaves nothing.
        """
        self.install()
        with contextlib.ExitStack() as held:
            wanted = {"PORT": options.port, **self.ports(options)}
            sockets = {name: held.enter_context(reserve(port)) for name, port in wanted.items()}
            values = {name: str(each.getsockname()[1]) for name, each in sockets.items()}
            with self.record(int(values["PORT"]), create=True) as (file, old):
                if self.handle(old) is not None:
                    msg = f"one of ours runs on port {values['PORT']} already"
                    raise Failure(msg)
                self.discard(old)  # of one that was killed
                data = Path(options.data or tempfile.mkdtemp(prefix=self.prefix)).resolve()
                values |= {"PID": "0", "DATA": str(data), "LOG": f"{data}/{self.name}.log"}
                values["TEMPORARY"] = str(int(not options.data))
                try:
                    self._begin(file, data, values, options)
                except BaseException:
                    self.end(file, values)
                    raise
        return values

    def _begin(self, file: TextIO, data: Path, values: Values, options: argparse.Namespace) -> None:
        """Run the server in a session of its own: neither Ctrl-C nor a closing terminal reaches it.

        It keeps the lock of its data folder as long as it lives.
        """
        write(file, values)
        (data / "tmp").mkdir(parents=True, exist_ok=True)
        with (data / "lock").open("w") as lock, Path(values["LOG"]).open("ab") as log:
            try:
                patiently(partial(fcntl.flock, lock, fcntl.LOCK_EX | fcntl.LOCK_NB), LETTING_GO_S)
            except BlockingIOError:
                msg = f"{data} is in use by another server"
                raise Failure(msg) from None
            began = log.tell()
            self.prepare(data, values, options)
            server = subprocess.Popen(
                self.command(values), cwd=data, env=ENVIRONMENT,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, pass_fds=[lock.fileno()],
            )  # fmt: skip
        values["PID"] = str(server.pid)
        write(file, values)
        until = time.monotonic() + self.start_s
        while not self.answers(int(values["PORT"])):
            if server.poll() is not None or time.monotonic() > until:
                ended = server.returncode is not None
                how = "ended" if ended else f"did not answer within {self.start_s} s"
                said = Path(values["LOG"]).read_bytes()[began:].decode(errors="replace")
                msg = f"the server {how}:\n{tail(said)}"
                raise Failure(msg)
            time.sleep(0.05)

    def stop(self, port: int | None) -> None:
        """Stop the server of a port, or all that are recorded."""
        for each in [port] if port else self.recorded():
            try:
                with self.record(each) as (file, values):
                    ran = self.end(file, values)
                how = "stopped" if ran else "was gone already; its record is removed"
                self.say(f"127.0.0.1:{each} {how}")
            except FileNotFoundError:
                self.say(f"none of ours on port {each}")

    def run(self, options: argparse.Namespace, words: list[str]) -> int:
        """Run a command beside a server of its own; its exit status."""
        values = self.start(options)
        try:
            return self.follow(words, {**os.environ, **self.environment(values)})
        finally:
            on_signal(signal.SIG_IGN)
            with (
                contextlib.suppress(FileNotFoundError),
                self.record(int(values["PORT"])) as (file, now),
            ):
                self.end(file, now)

    def follow(self, words: list[str], environment: Values) -> int:
        """Run a command to its end and hand on signals; its status, as a shell gives it."""
        try:
            child = subprocess.Popen(words, env=environment)
        except OSError as error:
            self.say(f"{words[0]}: {error.strerror}")
            return 127 if isinstance(error, FileNotFoundError) else 126

        def hand_on(number: int, _frame: object) -> None:
            if number != signal.SIGINT or not from_terminal():
                child.send_signal(number)

        on_signal(hand_on)
        status = child.wait()
        return status if status >= 0 else 128 - status

    # ---- the command line --------------------------------------------------------------------

    def main(self, description: str | None) -> int:
        """Do what the command line says; the exit status."""
        options, command = self._parse(description, sys.argv[1:])
        on_signal(lambda number, _: sys.exit(128 + number))
        try:
            if options.action == "install":
                self.install()
            elif options.action == "start":
                print(self.address(self.start(options)))
            elif options.action == "stop":
                self.stop(options.port)
            else:
                return self.run(options, command)
        except (Failure, OSError) as error:
            self.say(error)
            return 1
        return 0

    def _parse(
        self, description: str | None, words: list[str]
    ) -> tuple[argparse.Namespace, list[str]]:
        parser = argparse.ArgumentParser(
            prog=f"scripts/{self.name}",
            description=description,  # says all, in its own form
            usage=HIDDEN,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        parser.add_argument("action", choices=["install", "start", "stop", "run"], help=HIDDEN)
        parser.add_argument("--port", type=port_number, help=HIDDEN)
        parser.add_argument("--data", metavar="DIR", help=HIDDEN)
        self.add_options(parser)
        cut = words.index("--") if "--" in words else len(words)
        options, command = parser.parse_args(words[:cut]), words[cut + 1 :]
        if bool(command) != (options.action == "run"):
            parser.error("run, and only run, takes -- COMMAND…")
        return options, command


# ---- what scripts use ------------------------------------------------------------------------


def port_number(text: str) -> int:
    """Read a TCP port from the command line."""
    if not text.isdecimal() or not 0 < int(text) < 65536:  # noqa: PLR2004 - sixteen bits
        msg = f"{text}: a port is a number from 1 to 65535"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


@contextlib.contextmanager
def installing() -> Iterator[None]:
    """Hold the lock of what is installed; of two scripts at once, the second waits."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def install_packages(server: Server, packages: list[str], what: str) -> None:
    """Install Debian packages, or say that they are missing. Under the lock."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        msg = f"{what}; as root on Debian: apt-get update && apt-get install {' '.join(packages)}"
        raise Failure(msg)
    server.say(f"installing {' '.join(packages)}")
    wait = ["-o", "DPkg::Lock::Timeout=300"]
    install = ["install", "-y", "--no-install-recommends", *wait, *packages]
    for words in (["update"], install):
        quietly(["apt-get", "-q", *words], f"apt-get {words[0]} failed")


def quietly(command: list[str], failure: str, folder: Path | None = None) -> None:
    """Run a command of which nothing is heard unless it fails.

    Whoever interrupts us ends all that it started, before its files are removed.
    """
    with subprocess.Popen(
        command, cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
    ) as child:  # fmt: skip
        try:
            said = child.communicate()[0]
        except BaseException:
            for number in (signal.SIGTERM, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError, subprocess.TimeoutExpired):
                    os.killpg(child.pid, number)
                    child.communicate(timeout=10)  # until the last of them let go of the pipe
            raise
    if child.returncode:
        msg = f"{failure}:\n{tail(said)}"
        raise Failure(msg)


def password_of(data: Path, given: str | None = None) -> str:
    """Give the password that is kept with the data: the given one, the last one, or a new one."""
    file = data / "password"
    password = given or (file.read_text() if file.exists() else secrets.token_urlsafe(16))
    write_private(file, password)
    return password


def write_private(file: Path, text: str) -> None:
    """Write a file that nobody else may read."""
    file.touch(0o600)
    file.write_text(text)


def tail(text: str, lines: int = 30) -> str:
    """Cut the end from a log, without the frames of Java's tracebacks."""
    return "\n".join([line for line in text.splitlines() if not line.startswith("\tat ")][-lines:])


# ---- beneath ---------------------------------------------------------------------------------


def reserve(port: int | None) -> socket.socket:
    """Bind a socket that does not listen, to be held until the server answers.

    The kernel gives its port to nobody else, yet a server that sets SO_REUSEADDR too, as Java and
    MariaDB do, may listen there. A port of our choice lies below those that the kernel lends to
    clients: they cannot take it while the server is down, nor connect to themselves there.
    """
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    below = range(max(1024, first - 10_000), first)
    ports = [port] if port else [*random.sample(below, min(50, len(below))), 0]
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    for each in ports:
        try:
            patiently(partial(held.bind, ("127.0.0.1", each)), LETTING_GO_S if port else 0)
        except OSError as error:
            failure = f"port {each}: {error.strerror}"
        else:
            return held
    held.close()
    raise Failure(failure)


def patiently(attempt: Callable[[], T], seconds: float) -> T:
    """Do what may fail for a moment, while a server that was killed still holds something."""
    until = time.monotonic() + seconds
    while True:
        try:
            return attempt()
        except OSError as error:
            held = error.errno in {errno.EADDRINUSE, errno.EAGAIN}
            if not held or time.monotonic() >= until:
                raise
            time.sleep(0.05)


def write(file: TextIO, values: Values) -> None:
    """Write a record."""
    file.seek(0)
    file.truncate()
    file.write("".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items()))
    file.flush()


def from_terminal() -> bool:
    """Say whether Ctrl-C goes to us and our child alike, so that it has it already."""
    with contextlib.suppress(OSError), Path("/dev/tty").open() as terminal:
        return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    return False


def on_signal(action: Any) -> None:
    """Do this on the signals that end a program, but for those that the caller ignores."""
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, action)
