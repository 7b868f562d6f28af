"""What scripts/kafka and scripts/mysql share, tried with a server that starts at once."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="scripts/servers.py knows servers by pidfds, as Linux has"
)

SCRIPTS = Path(__file__).parents[2] / "scripts"
ECHO = f'''
import socket, sys
from pathlib import Path
sys.path.insert(0, {str(SCRIPTS)!r})
sys.dont_write_bytecode = True
import servers

servers.LETTING_GO_S = 1

SERVE = """
import socket, sys
if "broken" in sys.argv:
    sys.exit("no such luck")
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    server.accept()[0].close()
"""

class Echo(servers.Server):
    name = "echo"
    def add_options(self, parser):
        parser.add_argument("--broken", action="store_true")
    def install(self):
        pass
    def prepare(self, data, values, options):
        self.broken = ["broken"] * options.broken
        values["PASSWORD"] = servers.password_of(data)
    def command(self, values):
        return [sys.executable, "-c", SERVE, values["PORT"], self.mark(values["DATA"]), *self.broken]
    def mark(self, data):
        return "--data=" + data
    def answers(self, port):
        with socket.socket() as peer:
            return peer.connect_ex(("127.0.0.1", port)) == 0
    def address(self, values):
        return "127.0.0.1:" + values["PORT"]
    def environment(self, values):
        return {{"ECHO": self.address(values)}}

sys.exit(Echo().main(__doc__))
'''

Echo = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


@pytest.fixture
def echo(tmp_path: Path, records: Path) -> Iterator[Echo]:
    """Run the script with these words; what runs in the end is stopped."""
    (tmp_path / "echo").write_text(ECHO)
    around = {**os.environ, "XDG_RUNTIME_DIR": str(records), "TMPDIR": str(records)}

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, tmp_path / "echo", *map(str, words)],
            check=False,
            env=around,
            capture_output=True,
            text=True,
            timeout=60,
        )

    yield run
    run("stop")


def said(records: Path) -> dict[str, str]:
    """What the only record says."""
    (record,) = records.glob("*.env")
    return dict(word.split("=", 1) for word in shlex.split(record.read_text()))


def listens(port: str) -> bool:
    with socket.socket() as peer:
        return peer.connect_ex(("127.0.0.1", int(port))) == 0


def test_a_server_is_started_recorded_and_stopped_and_leaves_nothing(echo: Echo, records: Path):
    address = echo("start").stdout.strip()
    now = said(records)
    assert address == f"127.0.0.1:{now['PORT']}"
    assert listens(now["PORT"])
    assert Path(now["DATA"]).is_dir()
    assert "stopped" in echo("stop", "--port", now["PORT"]).stderr
    assert not listens(now["PORT"])
    assert list(records.iterdir()) == []


def test_after_sigkill_it_goes_on_at_its_port_with_its_data(
    echo: Echo, records: Path, tmp_path: Path
):
    echo("start", "--data", tmp_path / "kept")
    old = said(records)
    os.kill(int(old["PID"]), signal.SIGKILL)
    again = echo("start", "--data", tmp_path / "kept", "--port", old["PORT"])
    assert again.returncode == 0, again.stderr
    new = said(records)
    assert new == {**old, "PID": new["PID"]}  # the password, too
    echo("stop")
    assert (tmp_path / "kept/password").read_text() == old["PASSWORD"]


def test_neither_the_data_nor_the_port_of_one_that_runs_are_given_to_another(
    echo: Echo, records: Path, tmp_path: Path
):
    echo("start", "--data", tmp_path / "kept")
    now = said(records)
    for words in (["--data", tmp_path / "kept"], ["--port", now["PORT"]]):
        second = echo("start", *words)
        assert second.returncode == 1
        assert "in use" in second.stderr
    assert said(records) == now
    assert listens(now["PORT"])


def test_a_command_gets_the_address_and_its_status_is_ours(echo: Echo, records: Path):
    done = echo("run", "--", "sh", "-c", "echo $ECHO; exit 7")
    assert done.returncode == 7
    assert done.stdout.startswith("127.0.0.1:")
    assert echo("run", "--", "sh", "-c", "kill -9 $$").returncode == 128 + 9
    assert echo("run", "--", "no-such-command").returncode == 127
    assert list(records.iterdir()) == []


def test_a_start_that_fails_says_why_and_leaves_nothing(echo: Echo, records: Path):
    failed = echo("start", "--broken")
    assert failed.returncode == 1
    assert "no such luck" in failed.stderr
    assert list(records.iterdir()) == []


def test_a_process_that_has_the_pid_by_now_is_left_alone(echo: Echo, records: Path):
    echo("start")
    now = said(records)
    os.kill(int(now["PID"]), signal.SIGKILL)
    with subprocess.Popen(["sleep", "60"]) as other:
        (record,) = records.glob("*.env")
        record.write_text(record.read_text().replace(now["PID"], str(other.pid)))
        assert "gone already" in echo("stop").stderr
        assert other.poll() is None
        other.kill()


def test_nobody_else_may_read_the_record_or_the_password(echo: Echo, records: Path, tmp_path: Path):
    echo("start", "--data", tmp_path / "kept")
    (record,) = records.glob("*.env")
    for file in (record, tmp_path / "kept/password"):
        assert file.stat().st_mode & 0o077 == 0


def test_a_free_port_is_none_that_the_kernel_lends_to_clients(echo: Echo, records: Path):
    echo("start")
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert int(said(records)["PORT"]) < first


def test_scripts_of_servers_say_what_they_do_and_refuse_what_they_do_not():
    files = [path for path in SCRIPTS.iterdir() if path.is_file()]
    named = [path for path in files if "import servers" in path.read_text()]
    assert {path.name for path in named} >= {"kafka", "mysql", "mosquitto", "prometheus", "ollama"}
    for path in named:
        asked = [sys.executable, path, "--help"]
        helped = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=60)
        for action in ("install", "start", "stop", "run"):
            assert f"scripts/{path.name} {action}" in helped.stdout.replace("   ", " ")
        wrong = [*asked[:2], "start", "--", "true"]
        refused = subprocess.run(wrong, check=False, capture_output=True, timeout=60)
        assert refused.returncode == 2


@pytest.mark.parametrize(
    ("version", "enough"),
    [("go1.19.8", False), ("go1.24.0", True), ("go1.27.3", True), ("devel", False), ("", False)],
)
def test_ollama_is_built_by_a_go_that_is_new_enough_or_by_one_that_is_fetched(
    tmp_path: Path, version: str, enough: bool
):
    if version:
        (tmp_path / "go").write_text(f"#!/bin/sh\n[ $2 = GOVERSION ] && echo {version}\n")
        (tmp_path / "go").chmod(0o755)
    load = (
        f"import runpy, sys; sys.path.insert(0, {str(SCRIPTS)!r}); sys.dont_write_bytecode = True;"
    )
    asked = f"{load} print(runpy.run_path({str(SCRIPTS / 'ollama')!r})['go_on_path']())"
    around = os.environ | {"PATH": str(tmp_path)}
    found = subprocess.run(
        [sys.executable, "-c", asked], check=True, env=around, capture_output=True, text=True
    )
    assert found.stdout.strip() == (str(tmp_path / "go") if enough else "None")
