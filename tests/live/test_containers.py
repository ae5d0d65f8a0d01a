"""Dockerfile and docker-compose.yml, held against settings and supervisor, and run without containers.

No container engine is needed: the files an image would hold are laid out in a folder, and every command and health
check of the portal's services is run there, word for word but for host and port, against a real PostgreSQL and Redis.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from collab4m.build import ROOT
from collab4m.embedded import homes
from collab4m.embedded.postgres import LETTERS
from collab4m.embedded.supervisor import Supervisor
from tests.live.conftest import FOREIGN, eventually, free_port
from tests.live.test_setup import with_servers

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OF_THE_PORTAL = ("migrate", "web", "worker", "beat")
DOTENV = {
    "SITE_URL": "https://portal.example.se",
    "DATABASE_PASSWORD": "p" * 20,
    "SECRET_KEY": "k" * 50,
    "TRUSTED_PROXIES": "1",
}
SERVERS = """
import os, time
print(os.environ["DATABASE_URL"], os.environ["REDIS_URL"], flush=True)
time.sleep(600)
"""
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def filled(value: str) -> str:
    """With the variables of .env filled in, as Compose does it. Fails for one that must be there and is not."""

    def fill(found: re.Match[str]) -> str:
        name, otherwise = found[1], found[2] or ""
        assert name in DOTENV or otherwise.startswith(":-"), f"{name} is not in .env"
        return DOTENV.get(name) or otherwise.removeprefix(":-")

    return re.sub(r"\$\{(\w+)(:[-?][^}]*)?\}", fill, value)


def environment(service: str) -> dict[str, str]:
    return {**DOTENV, **{name: filled(value) for name, value in SERVICES[service]["environment"].items()}}


def ignored_lines(name: str) -> set[str]:
    return {line for line in (ROOT / name).read_text().splitlines() if line}


# What the files say


def test_services_are_those_the_supervisor_starts_and_the_one_that_prepares():
    assert set(SERVICES) == {"postgres", "redis", *OF_THE_PORTAL}
    assert set(COMPOSE["volumes"]) == {"database", "data"}
    assert SERVICES["postgres"]["image"] == "postgres:18"
    assert {SERVICES[name]["image"] for name in OF_THE_PORTAL} == {"collab4m"}


def test_every_service_waits_for_what_it_needs_and_is_asked_whether_it_is_well():
    waits = {
        name: {other: on["condition"] for other, on in service.get("depends_on", {}).items()}
        for name, service in SERVICES.items()
    }
    prepared = {"migrate": "service_completed_successfully", "redis": "service_healthy"}

    assert waits == {
        "postgres": {},
        "redis": {},
        "migrate": {"postgres": "service_healthy"},
        "web": prepared,
        "worker": prepared,
        "beat": prepared,
    }
    assert {name for name, service in SERVICES.items() if "healthcheck" not in service} == {"migrate"}
    assert {name for name, service in SERVICES.items() if service["restart"] != "unless-stopped"} == {"migrate"}


def test_commands_are_the_supervisors_but_for_where_the_web_server_listens(tmp_path, monkeypatch):
    for name in ("PORT", "LOG_LEVEL", "JOBS_AT_ONCE"):
        monkeypatch.delenv(name, raising=False)
    supervisor = Supervisor(tmp_path, once=False, reload=False)
    supervisor.two_doors = False

    commands = {
        child.name: ["python", *(part.replace("127.0.0.1", "0.0.0.0") for part in child.command[1:])]
        for child in supervisor.portal()
    }

    assert {name: SERVICES[name]["command"] for name in ("web", "worker", "beat")} == commands


def test_variables_are_described_and_read():
    """A name that nobody reads would be set in vain; the password is Compose's own, written into two addresses."""
    described = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs/operations.md").read_text()))
    read = set(re.findall(r"""env\.\w+\(["']([A-Z_]+)""", (ROOT / "collab4m/settings.py").read_text()))
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))

    for service in OF_THE_PORTAL:
        assert set(SERVICES[service]["environment"]) <= described & read
        assert SERVICES[service]["env_file"] == ".env"
    assert asked <= described
    assert asked - read == {"DATABASE_PASSWORD"}


def test_database_is_made_as_the_embedded_one_and_kept():
    postgres = SERVICES["postgres"]

    assert shlex.split(postgres["environment"]["POSTGRES_INITDB_ARGS"]) == list(LETTERS)
    assert postgres["volumes"] == ["database:/var/lib/postgresql"]
    assert (
        environment("web")["DATABASE_URL"]
        == f"postgres://{postgres['environment']['POSTGRES_USER']}:{DOTENV['DATABASE_PASSWORD']}@postgres/collab4m"
    )


def test_only_the_web_server_is_reached_and_only_from_the_same_machine():
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "web": ["127.0.0.1:${PORT:-8000}:8000"]
    }


def test_no_secret_is_written_down():
    without_variables = re.sub(r"\$\{[^}]*\}", "", (ROOT / "docker-compose.yml").read_text() + DOCKERFILE)

    assert not re.findall(r"(?i)(?:password|secret|key)\w*[=:][ \t]*\S|://\w+:[^@\s]+@", without_variables)
    assert {"/.env"} <= ignored_lines(".gitignore")
    assert {".env", ".data", ".git"} <= ignored_lines(".dockerignore")


def test_image_leaves_out_what_git_leaves_out():
    left_out = {re.sub(r"^/|/$", "", line) for line in ignored_lines(".gitignore")}

    assert left_out <= {line.removeprefix("**/") for line in ignored_lines(".dockerignore")}


def test_image_runs_without_root_keeps_data_in_the_volume_and_has_a_python_we_support():
    stages = re.findall(r"^FROM python:(\d+\.\d+)-slim", DOCKERFILE, re.MULTILINE)

    assert stages == ["3.12", "3.12"]  # the same, because .venv is copied from one to the other
    assert 'requires-python = ">=3.11,<3.13"' in (ROOT / "pyproject.toml").read_text()
    assert re.findall(r"^USER (.+)", DOCKERFILE, re.MULTILINE) == ["collab4m"]
    for service in OF_THE_PORTAL:
        assert SERVICES[service]["volumes"] == [f"data:{environment(service)['DATA_DIR']}"]
    assert "DATA_DIR=/data" in DOCKERFILE
    assert re.findall(r"^WORKDIR (.+)", DOCKERFILE, re.MULTILINE) == ["/srv/collab4m"] * 2


# What they do


class Drill:
    """The services of the portal in a folder with what the image would hold."""

    def __init__(self, folder: Path, database_url: str, redis_url: str) -> None:
        self.folder, self.port = folder, free_port()
        self.image, self.data = folder / "image", folder / "volume"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.ours = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "DATA_DIR": str(self.data)}
        self.lay_out()

    def lay_out(self) -> None:
        """The checkout's files that .dockerignore lets through, and what the set-up makes."""
        names = subprocess.check_output(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
        )
        for name in names.split("\0"):
            if name and Path(name).parts[0] not in ignored_lines(".dockerignore") and (ROOT / name).exists():
                (self.image / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, self.image / name)
        for made in (".venv", "node_modules", "build"):
            (self.image / made).symlink_to(ROOT / made)
        for catalogue in ROOT.glob("locale/*/LC_MESSAGES/django.mo"):
            shutil.copyfile(catalogue, self.image / catalogue.relative_to(ROOT))
        self.data.mkdir()

    def here(self, words: list[str]) -> list[str]:
        """The command, listening where this test may."""
        return [word.replace("0.0.0.0", "127.0.0.1").replace("8000", str(self.port)) for word in words]

    def start(self, service: str) -> subprocess.Popen[bytes]:
        kept = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in FOREIGN}
        kept.pop("DJANGO_SETTINGS_MODULE", None)
        with open(self.folder / f"{service}.log", "wb") as log:
            self.running[service] = subprocess.Popen(
                self.here(SERVICES[service]["command"]), cwd=self.image, env=self.variables(service, kept),
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        return self.running[service]

    def variables(self, service: str, kept: dict[str, str]) -> dict[str, str]:
        path = f"{self.image / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"
        return {**kept, "PATH": path, **environment(service), **self.ours}

    def said(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text()

    def well(self, service: str, **environment: str) -> bool:
        kind, *check = SERVICES[service]["healthcheck"]["test"]
        assert kind == "CMD"
        done = subprocess.run(
            self.here(check), cwd=self.image, env={**self.variables(service, {}), **environment}, capture_output=True
        )
        return done.returncode == 0

    def stop(self) -> None:
        for process in reversed(self.running.values()):
            process.terminate()
        for process in self.running.values():
            process.wait(60)


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drill]:
    folder = tmp_path_factory.mktemp("containers")
    servers = with_servers(folder / "servers", sys.executable, "-c", SERVERS)
    assert servers.stdout
    drill = Drill(folder, *servers.stdout.readline().split())
    yield drill
    drill.stop()
    servers.terminate()
    servers.communicate(timeout=60)


@pytest.fixture(scope="module")
def running(drill: Drill) -> Drill:
    """Prepared and started in the order the file asks for, and well by its own health checks."""
    assert drill.start("migrate").wait(600) == 0, drill.said("migrate")
    assert not any(drill.well(service) for service in ("web", "worker", "beat"))
    for service in ("web", "worker", "beat"):
        drill.start(service)
    for service in ("web", "worker", "beat"):
        eventually(lambda service=service: drill.well(service), 60)
    return drill


def test_services_work_with_what_the_image_holds(running):
    assert [name for name in ("web", "worker", "beat") if running.running[name].poll() is not None] == []
    assert [name for name in ("web", "worker", "beat") if "Traceback" in running.said(name)] == []
    assert (running.data / "static/.made-from").exists()
    assert not (running.data / "demo_loaded").exists()


def test_migrate_may_run_again(running):
    again = running.start("migrate").wait(600)

    assert again == 0, running.said("migrate")


def test_silent_worker_is_not_well(running):
    running.running["worker"].terminate()
    running.running["worker"].wait(60)

    eventually(lambda: not running.well("worker", WATCHDOG_SECONDS="4"), 30)
    assert running.well("beat")
    running.start("worker")
    eventually(lambda: running.well("worker", WATCHDOG_SECONDS="4"), 60)


def test_postgres_and_redis_are_asked_with_their_own_programs(drill):
    """Their images bring the programs; ours come with the packages, and the servers listen on sockets here."""
    socket = Path(drill.ours["REDIS_URL"].removeprefix("redis+socket://").partition("?")[0])
    _, *ready = SERVICES["postgres"]["healthcheck"]["test"]
    _, *ping = SERVICES["redis"]["healthcheck"]["test"]
    options = [str(socket.parent) if word == "127.0.0.1" else word for word in ready[1:]]

    asked = subprocess.run([homes.package() / "pginstall/bin" / ready[0], *options], capture_output=True, text=True)
    answered = subprocess.run(
        [ROOT / ".venv/bin" / ping[0], "-s", socket, *ping[1:]], capture_output=True, text=True, check=True
    )

    assert (asked.returncode, answered.stdout) == (0, "PONG\n"), asked.stdout
