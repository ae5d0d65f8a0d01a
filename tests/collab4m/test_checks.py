"""The system checks, run as those who install the portal run them."""

import os
import subprocess
import sys

from django.conf import settings
from django.test import override_settings

from collab4m import checks


def check_deploy(**environment: str) -> subprocess.CompletedProcess[str]:
    own = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing", "DEBUG": "0", "SECRET_KEY": "lång och slumpad " * 4}
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy"],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], **own, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_check_deploy_is_clean_in_production():
    done = check_deploy(SITE_URL="https://portal.example.se")

    assert (done.returncode, done.stdout) == (0, "System check identified no issues (0 silenced).\n"), done.stderr


def test_check_deploy_refuses_an_open_connection():
    done = check_deploy(SITE_URL="http://portal.example.se")

    assert done.returncode == 1
    assert "collab4m.E002" in done.stderr


def test_settings_without_a_secret_say_which_variable_to_set():
    done = check_deploy(SITE_URL="https://portal.example.se", SECRET_KEY_FILE="/no/such/file")

    assert "SECRET_KEY_FILE points to '/no/such/file', which cannot be read" in done.stderr


@override_settings(SITE_URL="portal.example.se/sub")
def test_site_url_must_be_a_whole_address():
    assert [message.id for message in checks.site_url(None)] == ["collab4m.E001"]


def test_missing_theme_is_told_with_what_to_do(tmp_path):
    with override_settings(BUILD_DIR=tmp_path):
        messages = checks.built_files(None)

    assert [message.id for message in messages] == ["collab4m.W001", "collab4m.W001"]
    assert messages[0].hint == "Run `make setup`, which builds it."


def test_demo_people_behind_a_known_password_are_warned_of(db, owner):
    owner.example = True
    owner.save()

    with override_settings(SITE_URL="https://portal.example.se", DEMO_PASSWORD=checks.DEMO_PASSWORD):
        assert [message.id for message in checks.demo_people(None, databases=["default"])] == ["collab4m.W002"]
    assert checks.demo_people(None, databases=["default"]) == []
