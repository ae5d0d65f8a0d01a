"""Faults are answered, not thrown: pages in words, `{code, detail, fields}` under /api/."""

import json
import logging
import os
import subprocess
import sys

import pytest
from django.test import Client
from django.urls import path

from collab4m import faults, urls

CONTROL = "Texten innehåller ett styrtecken"


def explode(request):
    raise ZeroDivisionError("a fault planted by the test")


# The portal's addresses, and two that do not work.
urlpatterns = [path("brister/", explode), path("api/brister/", explode), *urls.urlpatterns]
handler500 = urls.handler500


@pytest.fixture
def visitor() -> Client:
    return Client(raise_request_exception=False, headers={"Accept-Language": "sv"})


@pytest.mark.parametrize(
    "ask",
    [
        lambda c: c.get("/sok/?q=a%00b"),
        lambda c: c.get("/sok/?%07=a"),
        lambda c: c.get("/historik/a%00b/school/1/"),
        lambda c: c.post("/konto/login/", {"login": "a\x1b", "password": "b"}),
        lambda c: c.post("/api/v1/areas/", {"name": ["a", {"b": "c\x00"}]}, content_type="application/json"),
        lambda c: c.post("/api/v1/areas/", '{"name": "\\ud800"}', content_type="application/json"),
    ],
)
def test_control_characters_are_refused_at_the_door_in_words(visitor, ask):
    response = ask(visitor)

    assert response.status_code == 400
    assert CONTROL in response.content.decode("unicode_escape" if b"\\u" in response.content else "utf-8")


def test_api_refuses_in_its_own_form(visitor):
    response = visitor.get("/api/v1/areas/?search=%00")

    assert (response.status_code, set(response.json())) == (400, {"code", "detail", "fields"})
    assert response.json()["code"] == "bad_request"


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["rad ett\r\nrad två\tflik", "\\u0000 som text", "å̈ 😀 ﷽"])
def test_ordinary_text_passes(visitor, text):
    assert visitor.post("/konto/password/reset/", {"email": text}).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"x", "multipart/form-data", 400),
        (b"x", "multipart/form-data; boundary=\xff", 400),
        (b"login=%ff", "application/x-www-form-urlencoded; charset=utf-16", 400),
        (b"a=b&" * 2000, "application/x-www-form-urlencoded", 400),
        (b"x" * 6_000_000, "application/x-www-form-urlencoded", 413),
        (b"[" * 200_000, "application/json", 400),
        (b"\xff\xfe{", "application/json", 400),
    ],
)
@pytest.mark.parametrize("address", ["/konto/login/", "/api/v1/areas/"])
def test_unreadable_bodies_are_never_a_500(visitor, address, body, kind, status):
    response = visitor.generic("POST", address, body, content_type=kind)

    assert response.status_code == status
    if address.startswith("/api/"):
        assert set(response.json()) == {"code", "detail", "fields"}


@pytest.mark.django_db
def test_missing_and_forbidden_pages_look_alike(client, owner, outsider, two_homes):
    client.force_login(outsider)
    hidden = client.get(f"/personer/{two_homes.pk}/")
    missing = client.get("/personer/999999999/")

    assert (hidden.status_code, missing.status_code) == (404, 404)
    assert "<h1>Sidan finns inte här</h1>" in hidden.content.decode()

    def text(response, pk):
        return response.content.decode().replace(str(pk), "").split("<main")[1].split("c-print")[0]

    assert text(hidden, two_homes.pk) == text(missing, 999999999)


@pytest.mark.django_db
def test_address_that_only_takes_forms_says_what_to_do_and_what_it_takes(client, owner):
    client.force_login(owner)

    response = client.get("/sprak/")

    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert "<h1>Hit skickas bara formulär</h1>" in response.content.decode()


@pytest.mark.django_db
def test_404_for_strangers_offers_log_in(visitor):
    response = visitor.get("/finns-inte/")

    assert response.status_code == 404
    assert '<a href="/konto/login/">Logga in</a>' in response.content.decode()


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_500_shows_a_number_that_stands_in_the_log(client, owner, caplog):
    client.force_login(owner)
    client.raise_request_exception = False

    with caplog.at_level(logging.ERROR, logger="collab4m.faults"):
        page, answer = client.get("/brister/"), client.get("/api/brister/")

    numbers = [record.args[0] for record in caplog.records if record.name == "collab4m.faults"]
    assert (page.status_code, answer.status_code) == (500, 500)
    assert f"<code>{numbers[0]}</code>" in page.content.decode()
    assert answer.json() == {
        "code": "server_error",
        "detail": f"Det gick fel hos oss. Uppge nummer {numbers[1]}.",
        "fields": {},
    }


@pytest.mark.django_db
def test_form_without_its_key_is_answered_in_words(owner):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)

    response = client.post("/sprak/", {"language": "en"})

    assert response.status_code == 403
    assert "<h1>Formuläret hade blivit gammalt</h1>" in response.content.decode()


def test_every_fault_page_draws_without_a_database():
    for template in ("400.html", "403_csrf.html", "405.html", "429.html", "500.html", "503.html"):
        assert b"<h1>" in faults.plain_page(template, 500, number="AB12", at=None).content, template


WITHOUT_DATABASE = """
import json, logging
import django
django.setup()
logging.disable(logging.CRITICAL)
from django.test import Client
client = Client(raise_request_exception=False, headers={"Accept-Language": "sv"})
client.cookies["collab4m_session"] = "somebody"
met = {}
for address in ["/healthz", "/readyz", "/", "/konto/login/", "/finns-inte/", "/api/v1/areas/"]:
    response = client.get(address, HTTP_HOST="localhost")
    met[address] = [response.status_code, response.headers.get("Retry-After"), response.content.decode()]
print(json.dumps(met))
"""


def test_a_database_that_does_not_answer_gives_a_designed_503():
    environment = {
        **os.environ,
        "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
        "SECRET_KEY": "x",
        "DEBUG": "0",
    }
    environment["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_DATABASE], env=environment, capture_output=True, text=True, check=True
    )
    met = json.loads(done.stdout.splitlines()[-1])

    assert {address: answer[:2] for address, answer in met.items()} == {
        "/healthz": [200, None],
        "/readyz": [503, None],
        "/": [503, "30"],
        "/konto/login/": [503, "30"],
        "/finns-inte/": [503, "30"],
        "/api/v1/areas/": [503, "30"],
    }
    assert "<h1>Portalen vilar en stund</h1>" in met["/"][2]
    assert json.loads(met["/api/v1/areas/"][2])["code"] == "unavailable"
    assert met["/readyz"][2].startswith("ILL database: ")
