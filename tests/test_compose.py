"""compose.yaml, Dockerfile and deploy/ say what the code says, and what they name exists.

No engine is needed: the file is resolved as Docker Compose does it, and compared.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pymysql
import pytest
import yaml
from hatchling.builders.wheel import WheelBuilder
from sqlalchemy import make_url
from typer.main import get_command

from astreinte.cli import app
from astreinte.parts import PARTS
from services.settings import Settings
from services.watch import watching

ROOT = Path(__file__).parent.parent
SPECIFICATION = ROOT / "tests" / "data" / "compose-spec" / "compose-spec.json"
COMPOSE = (ROOT / "compose.yaml").read_text("utf-8")
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
VARIABLE = re.compile(r"\$(?:\$|\{(\w+)(?:(:[-?+])([^{}]*))?\}|)")

Service = dict[str, Any]


class Missing(Exception):  # noqa: N818 - what it says, not what it is
    """Compose refuses to start, with this text."""


def substituted(text: str, environment: dict[str, str]) -> str:
    """A text of the file as Compose reads it: the forms of the specification that are used."""

    def put(found: re.Match[str]) -> str:
        name, how, other = found.groups()
        if found[0] == "$$":
            return "$"
        assert name, f"a $ that means nothing: {text}"
        given = environment.get(name, "")
        if how == ":?" and not given:
            msg = f"required variable {name} is missing a value: {other}"
            raise Missing(msg)
        if how == ":+":
            return other if given else ""
        return given or (other if how == ":-" else "")

    return VARIABLE.sub(put, text)


def resolved(value: Any, environment: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: resolved(own, environment) for name, own in value.items()}
    if isinstance(value, list):
        return [resolved(own, environment) for own in value]
    return substituted(value, environment) if isinstance(value, str) else value


def read_env(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", path.read_text("utf-8"), re.MULTILINE))


def made_up(path: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, str(ROOT / "scripts" / "env"), str(path)]
    return subprocess.run(words, capture_output=True, text=True, check=True)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    path = tmp_path_factory.mktemp("env") / ".env"
    made_up(path)
    return read_env(path)


@pytest.fixture(scope="module")
def compose(environment: dict[str, str]) -> dict[str, Any]:
    return resolved(yaml.safe_load(COMPOSE), environment)


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Service]:
    return compose["services"]


NAMES = sorted(yaml.safe_load(COMPOSE)["services"])
RAW = yaml.safe_load(COMPOSE)["services"]
OURS = [name for name in NAMES if str(RAW[name].get("image", "")).startswith("astreinte:")]
ONCE = [name for name in NAMES if RAW[name]["restart"] == "no"]
LASTING = [name for name in NAMES if name not in ONCE]
PARTS_RUN = [name for name in OURS if RAW[name]["command"][0] == "run"]


def image_environment() -> dict[str, str]:
    """What the Dockerfile's last stage sets."""
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    (block,) = re.findall(r"^ENV (.+)$", last, re.MULTILINE)
    return dict(pair.split("=", 1) for pair in block.split())


def known_settings() -> dict[str, str]:
    return {
        f"{part.model_config['env_prefix']}{name.upper()}": str(field.default)
        for part in (field.annotation for field in Settings.model_fields.values())
        for name, field in part.model_fields.items()  # type: ignore[union-attr]
    }


def settings_of(service: Service, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Settings:
    """The settings that a container's process would read."""
    for name in [name for name in os.environ if name.startswith("ASTREINTE_")]:
        monkeypatch.delenv(name)
    for name, value in (image_environment() | service["environment"]).items():
        if name.startswith("ASTREINTE_"):
            monkeypatch.setenv(name, str(value))
    (folder / "articles").mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    return Settings()


def ports_of(name: str, service: Service) -> set[int]:
    """The ports on which a service is heard in its network."""
    if name in PARTS_RUN:
        return {int(image_environment()["ASTREINTE_HTTP_PORT"])}
    listeners = str(service.get("environment", {}).get("KAFKA_LISTENERS", ""))
    own = {int(port) for port in re.findall(r"://:(\d+)", listeners)}
    published = {int(port.rpartition(":")[2]) for port in service.get("ports", [])}
    return own | published | {"mysql": {3306}, "ollama": {11434}}.get(name, set())


# --- The file itself.


def test_it_follows_the_specification(compose: dict[str, Any]) -> None:
    schema = json.loads(SPECIFICATION.read_text("utf-8"))
    errors = jsonschema.Draft202012Validator(schema).iter_errors(compose)
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_the_specification_would_notice_a_mistake(compose: dict[str, Any]) -> None:
    schema = json.loads(SPECIFICATION.read_text("utf-8"))
    kafka = compose["services"]["kafka"] | {"healthchek": {}}
    wrong = compose | {"services": {"kafka": kafka}}
    assert not jsonschema.Draft202012Validator(schema).is_valid(wrong)


def test_without_passwords_it_says_how_to_get_them(environment: dict[str, str]) -> None:
    with pytest.raises(Missing, match=r"PASSWORD is missing a value: run scripts/env"):
        resolved(yaml.safe_load(COMPOSE), {})
    for name in environment.keys() - {"COMPOSE_PROFILES"}:
        with pytest.raises(Missing, match=name):
            resolved(yaml.safe_load(COMPOSE), environment | {name: ""})


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_stands_in_it(name: str) -> None:
    for variable, value in RAW[name].get("environment", {}).items():
        if re.search(r"PASSWORD|SECRET|JAAS|DATABASE_URL", variable):
            assert re.search(r"\$\{\w+:[?-]", str(value)), variable
            assert not re.search(r":-[^}]", str(value)), f"{variable} has a default"


def test_every_variable_that_may_be_set_is_in_the_example_and_no_other() -> None:
    used = {found[1] for found in VARIABLE.finditer(COMPOSE) if found[1]}
    told = set(re.findall(r"^# ([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    assert used <= told
    assert {name for name in told - used if not name.startswith("ASTREINTE_")} == {
        "COMPOSE_PROFILES"  # Compose's own
    }


def test_the_defaults_in_the_example_are_those_of_the_file() -> None:
    told = dict(re.findall(r"^# ([A-Z_]+)=(.*)$", EXAMPLE, re.MULTILINE))
    folders = {"ARTICLES", "ROOMS", "SPEECH"}  # without one of your own, what ships lies there
    for found in VARIABLE.finditer(COMPOSE):
        name, how, default = found.groups()
        if how == ":-" and default and not name.startswith("ASTREINTE_") and name not in folders:
            assert told[name] == default


def test_profiles_hold_what_the_head_says(services: dict[str, Service]) -> None:
    assert dict.fromkeys(("minimal", "demo", "full")).keys() == {
        profile for service in services.values() for profile in service["profiles"]
    }
    held = {
        profile: {name for name in services if profile in services[name]["profiles"]}
        for profile in ("minimal", "demo", "full")
    }
    assert held["minimal"] == {"kafka", "mysql", "migrate", "topics", *PARTS}
    assert held["demo"] - held["minimal"] == {"customers"}
    eyes = {"ollama", "mosquitto", "kafka-ui", "prometheus", "grafana"}
    assert held["full"] - held["minimal"] == eyes


# --- Against the code.


def test_each_part_runs_exactly_once(services: dict[str, Service]) -> None:
    run = [part for name in PARTS_RUN for part in services[name]["command"][1:]]
    assert sorted(run) == sorted(PARTS)
    assert sorted(PARTS_RUN) == sorted(PARTS)  # and its container is called as it is


@pytest.mark.parametrize("name", OURS)
def test_a_command_exists_with_its_options(name: str, services: dict[str, Service]) -> None:
    command, words = get_command(app), services[name]["command"]
    context = command.make_context("astreinte", list(words))
    # A group whose next word is an option runs by itself, with its own options.
    while hasattr(command, "resolve_command") and not words[0].startswith("-"):
        said, command, words = command.resolve_command(context, list(words))
        assert command is not None
        context = command.make_context(said, list(words), parent=context)


@pytest.mark.parametrize("name", OURS)
def test_a_setting_that_it_gives_exists(name: str, services: dict[str, Service]) -> None:
    given = {n for n in services[name]["environment"] if n.startswith("ASTREINTE_")}
    assert given <= known_settings().keys()


def test_every_setting_can_be_set(services: dict[str, Service]) -> None:
    reached = set(image_environment()).union(*(services[name]["environment"] for name in OURS))
    assert known_settings().keys() - reached == {"ASTREINTE_KAFKA_CA"}  # no TLS between containers


@pytest.mark.parametrize("name", OURS)
def test_what_is_set_on_purpose_is_a_variable_of_the_same_name(name: str) -> None:
    for variable, value in RAW[name]["environment"].items():
        for found in VARIABLE.finditer(str(value)):
            if (found[1] or "").startswith("ASTREINTE_"):
                assert found[1] == variable


@pytest.mark.parametrize("name", PARTS_RUN)
def test_a_part_finds_its_neighbours(
    name: str,
    services: dict[str, Service],
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    read = settings_of(services[name], monkeypatch, tmp_path)
    host, _, port = read.kafka.servers.partition(":")
    assert int(port) in ports_of(host, services[host])
    url = make_url(read.database.url)
    assert url.host
    assert (url.port or 3306) in ports_of(url.host, services[url.host])
    theirs = services[url.host]["environment"]
    assert (url.username, url.database) == (theirs["MYSQL_USER"], theirs["MYSQL_DATABASE"])
    assert url.password == environment["MYSQL_PASSWORD"] == theirs["MYSQL_PASSWORD"]
    if name == "respond":
        assert re.fullmatch(r"http://(\w+):(\d+)", read.ollama.url)
        host, _, port = read.ollama.url.removeprefix("http://").partition(":")
        assert int(port) in ports_of(host, services[host])


def test_a_part_signs_in_at_kafka_as_kafka_expects(
    services: dict[str, Service], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ours = settings_of(services["ingest"], monkeypatch, tmp_path).kafka
    theirs = services["kafka"]["environment"]
    listener = re.findall(r"(\w+)://kafka:9092", theirs["KAFKA_ADVERTISED_LISTENERS"])[0]
    protocols = dict(
        pair.split(":") for pair in theirs["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"].split(",")
    )
    assert protocols[listener].lower() == ours.security
    prefix = f"KAFKA_LISTENER_NAME_{listener}"
    assert theirs[f"{prefix}_SASL_ENABLED_MECHANISMS"] == ours.mechanism
    users = theirs[f"{prefix}_{ours.mechanism}_SASL_JAAS_CONFIG"]
    assert f'user_{ours.user}="{ours.password.get_secret_value()}"' in users
    # Whoever needs no password is heard in the container alone.
    open_ones = {name for name, protocol in protocols.items() if protocol == "PLAINTEXT"}
    for name, host in re.findall(r"(\w+)://([\w.]*):\d+", theirs["KAFKA_LISTENERS"]):
        assert name not in open_ones or host == "localhost"


def test_the_customers_write_to_the_edge(services: dict[str, Service]) -> None:
    words = services["customers"]["command"]
    host, port = re.fullmatch(r"http://(\w+):(\d+)", words[words.index("--url") + 1]).groups()
    assert "edge" in services[host]["command"]
    assert int(port) in ports_of(host, services[host])


def test_health_is_asked_where_a_process_says_it() -> None:
    (words,) = re.findall(r"^HEALTHCHECK .*CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    program = json.loads(words)[-1]
    compile(program, "HEALTHCHECK", "exec")
    port, path = re.search(r"'127\.0\.0\.1', (\d+),.*'GET', '(\S+)'", program).groups()
    assert {image_environment()[f"ASTREINTE_{door}_PORT"] for door in ("HTTP", "WATCH")} == {port}
    routes = {route.path for route in watching(list, None).routes}  # type: ignore[arg-type]
    assert path in routes
    assert f"EXPOSE {port}" in DOCKERFILE


def test_kafka_is_the_version_that_is_tested(services: dict[str, Service]) -> None:
    pom = (ROOT / "scripts" / "kafka-pom.xml").read_text("utf-8")
    version = re.search(r"<kafka\.version>(.+?)</", pom)[1]
    assert services["kafka"]["image"] == f"apache/kafka:{version}"


def test_the_driver_encrypts_by_itself_as_passwords_of_mysql_8_need() -> None:
    assert pymysql.Connection(defer_connect=True).ssl


def test_mysql_is_as_strict_as_the_one_that_is_tested() -> None:
    script = (ROOT / "scripts" / "mysql").read_text("utf-8")
    tested = set(
        re.findall(r"[A-Z]+(?:_[A-Z]+)+", re.search(r"SQL_MODE = \((.*?)\)", script, re.DOTALL)[1])
    )
    ours = (ROOT / "deploy" / "mysql" / "astreinte.cnf").read_text("utf-8")
    assert set(re.search(r"^sql_mode = (.+)$", ours, re.MULTILINE)[1].split(",")) == tested


# --- Each container.


@pytest.mark.parametrize("name", NAMES)
def test_a_container_can_do_no_more_than_it_must(name: str, services: dict[str, Service]) -> None:
    service = services[name]
    assert re.fullmatch(r"[1-9]\d*:\d+", service["user"]), "root, or whoever its image says"
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is (name != "kafka")
    assert service["init"] is True
    assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid", "devices"}
    assert "/var/run/docker.sock" not in str(service)


@pytest.mark.parametrize("name", NAMES)
def test_a_container_has_limits(name: str, services: dict[str, Service]) -> None:
    limits = services[name]["deploy"]["resources"]["limits"]
    assert float(limits["cpus"]) > 0
    assert re.fullmatch(r"\d+[mg]", limits["memory"])
    assert int(limits["pids"]) > 0
    assert services[name]["logging"]["options"].keys() == {"max-size", "max-file"}


@pytest.mark.parametrize("name", LASTING)
def test_what_lasts_is_watched_and_started_again(name: str, services: dict[str, Service]) -> None:
    service = services[name]
    assert service["restart"] == "unless-stopped"
    own = service.get("healthcheck")
    if name in PARTS_RUN:
        assert own is None  # its image says it
    elif name != "customers":
        assert own["test"][0] in {"CMD", "CMD-SHELL"}


@pytest.mark.parametrize("name", NAMES)
def test_what_it_waits_for_comes(name: str, services: dict[str, Service]) -> None:
    for other, how in services[name].get("depends_on", {}).items():
        theirs = services[other]
        assert set(services[name]["profiles"]) <= set(theirs["profiles"])
        if how["condition"] == "service_completed_successfully":
            assert other in ONCE
        else:
            assert how["condition"] == "service_healthy"
            assert other in PARTS_RUN or theirs["healthcheck"]["test"]


@pytest.mark.parametrize("name", NAMES)
def test_an_image_is_pinned_and_ours_is_never_fetched(
    name: str, services: dict[str, Service]
) -> None:
    image = services[name]["image"]
    if image.startswith("astreinte"):
        assert services[name]["pull_policy"] == "never"
        assert [n for n in NAMES if services[n]["image"] == image and "build" in services[n]]
    else:
        assert re.search(r":v?\d+\.\d+[\w.-]*$", image)
        assert "build" not in services[name]


@pytest.mark.parametrize("name", NAMES)
def test_ports_are_open_on_this_machine_only(name: str, services: dict[str, Service]) -> None:
    for port in services[name].get("ports", []):
        address, _, inside = re.fullmatch(r"([\d.]+):(\d+):(\d+)", port).groups()
        assert address == "127.0.0.1"
        assert int(inside) in ports_of(name, services[name])
        assert "outside" in services[name]["networks"]


def test_no_two_want_the_same_port(services: dict[str, Service]) -> None:
    taken = [port.split(":")[1] for one in services.values() for port in one.get("ports", [])]
    assert len(set(taken)) == len(taken)


def test_only_those_who_must_reach_out(compose: dict[str, Any]) -> None:
    assert compose["networks"]["inside"]["internal"] is True
    reach = {name for name in NAMES if "outside" in compose["services"][name]["networks"]}
    published = {name for name in NAMES if compose["services"][name].get("ports")}
    assert reach - published == {"bridge", "dispatch", "ollama"}


def test_volumes_and_files_exist(compose: dict[str, Any]) -> None:
    named = set()
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            source, target, *how = volume.split(":")
            assert target.startswith("/")
            if source.startswith("."):
                assert (ROOT / source).exists(), source
                assert how == ["ro"]
            else:
                named.add(source)
    assert named == compose["volumes"].keys()


# --- What watches.


def test_prometheus_reads_every_part_where_it_says_its_metrics(
    services: dict[str, Service],
) -> None:
    config = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text("utf-8"))
    ours = next(job for job in config["scrape_configs"] if job["job_name"] == "astreinte")
    (found,) = ours["dns_sd_configs"]
    assert sorted(found["names"]) == sorted(PARTS_RUN)
    assert all(found["port"] in ports_of(name, services[name]) for name in found["names"])
    path = ours.get("metrics_path", "/metrics")
    assert path in {route.path for route in watching(list, None).routes}  # type: ignore[arg-type]
    folder = ROOT / "deploy" / "prometheus"
    assert all((folder / file).exists() for file in config["rule_files"])


def test_grafana_finds_its_source_and_its_dashboards(services: dict[str, Service]) -> None:
    folder = ROOT / "deploy" / "grafana" / "provisioning"
    mounts = dict(volume.split(":")[1::-1] for volume in services["grafana"]["volumes"])
    for place in ("datasources", "dashboards"):
        assert list((folder / place).glob("*.yaml")), place
    source = yaml.safe_load((folder / "datasources" / "prometheus.yaml").read_text("utf-8"))
    host, port = re.fullmatch(r"http://(\w+):(\d+)", source["datasources"][0]["url"]).groups()
    assert int(port) in ports_of(host, services[host])
    shown = yaml.safe_load((folder / "dashboards" / "astreinte.yaml").read_text("utf-8"))
    dashboards = ROOT / mounts[shown["providers"][0]["options"]["path"]]
    assert list(dashboards.glob("*.json"))
    home = Path(services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert (ROOT / mounts[str(home.parent)] / home.name).exists()


def test_mosquitto_listens_where_it_is_published_and_knows_its_password_file(
    services: dict[str, Service],
) -> None:
    lines = (ROOT / "deploy" / "mosquitto" / "mosquitto.conf").read_text("utf-8").splitlines()
    said = dict(line.split(" ", 1) for line in lines if line and not line.startswith("#"))
    assert int(said["listener"]) in ports_of("mosquitto", services["mosquitto"])
    assert said["allow_anonymous"] == "false"
    assert f"-c {said['password_file']} " in services["mosquitto"]["command"][-1]
    targets = [volume.split(":")[1] for volume in services["mosquitto"]["volumes"]]
    assert said["persistence_location"].rstrip("/") in targets


# --- The image.


def test_the_dockerfile_is_one() -> None:
    hadolint = shutil.which("hadolint", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert hadolint
    words = [hadolint, "--no-color", str(ROOT / "Dockerfile")]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout


def test_what_the_dockerfile_copies_is_there_and_is_let_through() -> None:
    copied = [
        word
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for word in line.split()[:-1]
    ]
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    let_through = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert all((ROOT / name).exists() for name in copied)
    assert set(copied) == let_through
    assert "*" in lines


def test_the_image_runs_as_nobody_who_matters() -> None:
    users = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert users == ["10001:10001"]
    assert DOCKERFILE.index("\nUSER ") < DOCKERFILE.index("\nENTRYPOINT ")
    assert {RAW[name]["user"] for name in OURS} == set(users)


def test_the_outbox_file_lies_where_its_volume_is(
    services: dict[str, Service], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (home,) = re.findall(r"^WORKDIR (/srv\S+)$", DOCKERFILE.rpartition("\nFROM ")[2], re.MULTILINE)
    read = settings_of(services["dispatch"], monkeypatch, tmp_path)
    volume, *_ = services["dispatch"]["volumes"]
    assert volume.split(":")[1] == str(Path(home) / read.dispatch.file.parent)
    assert re.search(
        rf"chown 10001:10001 {home}/{read.dispatch.file.parent}$", DOCKERFILE, re.MULTILINE
    )


def test_the_wheel_holds_every_file_of_the_packages() -> None:
    held = {file.distribution_path for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    packages = re.findall(r"^COPY (\w+) \1$", DOCKERFILE, re.MULTILINE)
    words = ["git", "ls-files", *packages]
    tracked = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    assert "ai/models/all-MiniLM-L6-v2/model.onnx" in held
    assert {name for name in tracked.split() if (ROOT / name).exists()} - held == set()


# --- scripts/env.


def test_passwords_are_made_up_once_and_for_their_owner_only(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for path in (first, second):
        said = made_up(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not any(word in said.stdout for word in read_env(path).values() if len(word) > 20)
    passwords = [v for env in (first, second) for n, v in read_env(env).items() if "PASSWORD" in n]
    assert len(passwords) == len(set(passwords)) == 12
    assert all(re.fullmatch(r"[0-9a-f]{48}", password) for password in passwords)
    before = first.read_bytes()
    assert "nothing was missing" in made_up(first).stdout
    assert first.read_bytes() == before


def test_what_stands_in_the_file_stays_and_what_is_empty_is_made_up(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "ASTREINTE_DISPATCH_SIGNATURE=Dépannage Durand\nMYSQL_PASSWORD=mine\nKAFKA_PASSWORD="
    )
    path.chmod(0o644)
    made_up(path)
    read = read_env(path)
    assert read["ASTREINTE_DISPATCH_SIGNATURE"] == "Dépannage Durand"
    assert read["MYSQL_PASSWORD"] == "mine"
    assert len(read["KAFKA_PASSWORD"]) == 48
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_file_does_not_change_what_make_run_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    plain = Settings()
    made_up(tmp_path / ".env")
    assert Settings() == plain


# --- Kafka, for real.


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        taken = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in taken:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in taken]


@pytest.fixture
def kafka(services: dict[str, Service], tmp_path: Path) -> Iterator[str]:
    """A broker of what the container is given, by the program that does it in the image.

    Only ports and folders differ.
    """
    clients, tools, controller = free_ports(3)
    given = json.dumps({n: str(v) for n, v in services["kafka"]["environment"].items()})
    for there, here in (
        ("//kafka:9092", f"//127.0.0.1:{clients}"),
        ("//:9092", f"//127.0.0.1:{clients}"),
        (":19092", f":{tools}"),
        (":9093", f":{controller}"),
    ):
        given = given.replace(there, here)
    given = json.loads(given) | {
        "KAFKA_LOG_DIRS": f"{tmp_path}/data",
        "CLUSTER_ID": "5L6g3nShT-eMCtK--X86sw",
    }
    version = services["kafka"]["image"].partition(":")[2]
    cache = Path(os.environ.get("ASTREINTE_CACHE") or Path.home() / ".cache/astreinte")
    java = ["java", "-Xmx256m", "-cp", f"{cache}/kafka-{version}/libs/*"]
    folders = {name: tmp_path / name for name in ("default", "mounted", "final")}
    for folder in folders.values():
        folder.mkdir()
    words = [word for name in folders for word in (f"--{name}-configs-dir", str(folders[name]))]
    subprocess.run(
        [*java, "kafka.docker.KafkaDockerWrapper", "setup", *words],
        env={"PATH": os.environ["PATH"]} | given,
        check=True,
        capture_output=True,
    )
    server = [*java, "kafka.Kafka", str(folders["final"] / "server.properties")]
    with subprocess.Popen(server, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as broker:
        yield f"127.0.0.1:{clients}"
        broker.terminate()
        broker.wait(60)


@pytest.mark.kafka
def test_kafka_takes_what_its_container_is_given_and_lets_in_who_knows_the_password(
    kafka: str, services: dict[str, Service], tmp_path: Path
) -> None:
    given = services["topics"]["environment"] | {"ASTREINTE_KAFKA_SERVERS": kafka}
    words = [sys.executable, "-m", "astreinte", *services["topics"]["command"]]

    def create(**changed: str) -> subprocess.CompletedProcess[str]:
        around = {name: word for name, word in os.environ.items() if "ASTREINTE_" not in name}
        return subprocess.run(
            words,
            cwd=tmp_path,
            env=around | given | {"PYTHONPATH": str(ROOT)} | changed,
            capture_output=True,
            text=True,
            check=False,
        )

    made = create()
    assert made.returncode == 0, made.stderr
    assert "printer.inbound" in made.stdout
    refused = create(ASTREINTE_KAFKA_PASSWORD="guessed", ASTREINTE_KAFKA_CONNECT_S="5")
    assert refused.returncode == 1
    assert "ASTREINTE_KAFKA_PASSWORD" in refused.stderr
