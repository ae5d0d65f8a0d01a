"""What holds for the whole API: keys, permission, errors, pages, order."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from rest_framework.throttling import UserRateThrottle

from collab4m.clock import today
from organisations.models import ApiToken
from organisations.operations import create_token, revoke_token
from records.models import span
from tests.factories import MunicipalityFactory

LIST = "/api/v1/municipalities/"
ROUTES = ["areas", "municipalities", "boards", "schools", "sites"]


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


# Keys


@pytest.mark.parametrize("route", ROUTES)
def test_the_api_is_closed_without_log_in_or_key(client, db, route):
    response = client.get(f"/api/v1/{route}/")

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response.json()["code"] == "not_authenticated"


@pytest.mark.parametrize("route", ROUTES)
def test_the_api_is_open_to_everyone_who_is_logged_in(client, roleless, route):
    client.force_login(roleless)

    assert client.get(f"/api/v1/{route}/").status_code == 200


def test_a_key_speaks_for_its_owner_and_is_dated_once_a_day(client, owner, django_assert_num_queries):
    token, secret = create_token(owner, name="Schema", by=owner)

    assert client.get(LIST, headers=bearer(secret)).status_code == 200

    token.refresh_from_db()
    assert token.last_used_on == today()
    with django_assert_num_queries(9):  # six are the throttle's, then the key, its owner's roles and the count
        client.get(f"{LIST}?q=finns+inte", headers=bearer(secret))


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer fel", "Bearer a b", "Bearer åäö", "bearer " + "x" * 5000]
)
def test_a_key_that_is_wrong_is_refused(client, db, header):
    response = client.get(LIST, headers={"Authorization": header.encode("utf-8").decode("latin-1")})

    assert response.status_code == 401
    assert response.json()["code"] == "token_invalid"


def test_a_key_dies_when_it_is_revoked_or_over_or_its_owner_is_gone(client, owner):
    keys = [create_token(owner, name=name, by=owner) for name in "abc"]
    assert all(client.get(LIST, headers=bearer(secret)).status_code == 200 for _token, secret in keys)

    revoke_token(keys[0][0], by=owner)
    ApiToken.objects.filter(pk=keys[1][0].pk).update(last_day=today() - timedelta(days=1))
    assert [client.get(LIST, headers=bearer(secret)).status_code for _token, secret in keys] == [401, 401, 200]

    owner.is_active = False
    owner.save()
    assert client.get(LIST, headers=bearer(keys[2][1])).status_code == 401


def test_a_key_is_silent_while_its_owner_has_no_role(client, owner):
    _token, secret = create_token(owner, name="Schema", by=owner)
    owner.roles.update(valid=span(None, today() - timedelta(days=1)))

    response = client.get(LIST, headers=bearer(secret))

    assert (response.status_code, response.json()["code"]) == (401, "token_without_role")
    assert "roll" in response.json()["detail"]


def test_a_key_for_reading_may_not_write(program, system_administrator, home):
    response = program(system_administrator).post(
        "/api/v1/boards/", {"municipality": home.code, "name": "Nämnden"}, content_type="application/json"
    )

    assert response.status_code == 403
    assert response.json()["code"] == "token_read_only"


def test_a_session_that_writes_needs_its_csrf_token(system_administrator, home):
    client = Client(enforce_csrf_checks=True)
    client.force_login(system_administrator)

    response = client.post("/api/v1/areas/", {}, content_type="application/json")

    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")


# Errors


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("get", "/api/v1/schools/999/", None, 404, "not_found"),
        ("get", "/api/v1/schools/99999999999999999999999/", None, 404, "not_found"),
        ("get", "/api/v1/schools/x/", None, 404, "not_found"),
        ("get", "/api/v1/nothing/", None, 404, "not_found"),
        ("get", "/api/v1/areas/finns-inte/", None, 404, "not_found"),
        ("delete", "/api/v1/areas/4m/", None, 405, "method_not_allowed"),
        ("put", "/api/v1/areas/4m/", {}, 405, "method_not_allowed"),
        ("post", "/api/v1/areas/", "{not json", 400, "parse_error"),
        ("post", "/api/v1/areas/", [1], 400, "invalid"),
        ("post", "/api/v1/areas/", "null", 400, "invalid"),
        ("post", "/api/v1/areas/", {"name": {"a": 1}, "slug": 3.5, "short_name": None}, 400, "invalid"),
        ("post", "/api/v1/areas/", {"name": "a\u0000b"}, 400, "bad_request"),
        ("get", "/api/v1/areas/?q=%00", None, 400, "bad_request"),
    ],
)
def test_errors_have_one_form(writer, area, method, path, body, status, code):
    response = getattr(writer, method)(path, body, content_type="application/json")

    assert response.status_code == status
    answer = response.json()
    assert (answer["code"], set(answer)) == (code, {"code", "detail", "fields"})
    assert isinstance(answer["detail"], str)


def test_an_error_names_the_fields_that_are_wrong(writer, home):
    body = {"municipality": "9999", "name": "", "latitude": 91, "first_day": "2026-02-30"}

    answer = writer.post("/api/v1/sites/", body, content_type="application/json").json()

    assert set(answer["fields"]) == {"municipality", "name", "latitude", "first_day"}
    assert all(texts and isinstance(texts, list) for texts in answer["fields"].values())


def test_an_error_speaks_the_language_asked_for(client, db):
    answers = {language: client.get(LIST, headers={"Accept-Language": language}).json() for language in ("sv", "en")}

    assert answers["sv"]["code"] == answers["en"]["code"]
    assert answers["sv"]["detail"] != answers["en"]["detail"]


def test_what_cannot_be_read_or_answered_is_said(writer, area):
    wrong_type = writer.post("/api/v1/areas/", "a=1", content_type="text/plain")
    wrong_answer = writer.get("/api/v1/areas/", headers={"Accept": "text/csv"})

    assert (wrong_type.status_code, wrong_type.json()["code"]) == (415, "unsupported_media_type")
    assert (wrong_answer.status_code, wrong_answer.json()["code"]) == (406, "not_acceptable")


def test_too_many_requests_are_told_when_to_come_back(reader, monkeypatch):
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "1/min"})
    assert reader.get(LIST).status_code == 200

    response = reader.get(LIST)

    assert (response.status_code, response.json()["code"]) == (429, "throttled")
    assert int(response["Retry-After"]) > 0
    assert re.search(r"Försök igen om \d+ sekund", response.json()["detail"])


FRAMEWORKS = re.compile(
    r"JSON parse error|not allowed|Not found|Unsupported|throttled|Accept header|credentials|CSRF Failed"
)


@pytest.mark.parametrize(
    ("method", "path", "body", "more", "status", "detail"),
    [
        ("post", "areas/", "{not json", {}, 400, "rad 1, tecken 2"),
        ("post", "areas/", '{"name": NaN}', {}, 400, "gick inte att läsa som JSON"),
        ("get", "schools/999/", None, {}, 404, "Här finns inget som du får se."),
        ("get", "municipalities/?page=9", None, {}, 404, "Så många sidor finns inte."),
        ("delete", "areas/4m/", None, {}, 405, "Använd GET, PATCH, HEAD."),
        ("get", "areas/", None, {"headers": {"Accept": "text/csv"}}, 406, "application/json"),
        ("post", "areas/", "a=1", {"content_type": "text/plain"}, 415, "application/json"),
        ("post", "areas/", {"name": True, "slug": "x", "short_name": []}, {}, 400, "behöver rättas"),
    ],
)
def test_errors_of_the_frame_are_in_the_portals_words(writer, area, method, path, body, more, status, detail):
    more = {"content_type": "application/json"} | more
    told = {}
    for language in ("sv", "en"):
        headers = {"Accept-Language": language} | more.get("headers", {})
        answer = getattr(writer, method)(f"/api/v1/{path}", body, **{**more, "headers": headers})
        assert (answer.status_code, set(answer.json())) == (status, {"code", "detail", "fields"})
        told[language] = answer.json()

    assert detail in told["sv"]["detail"]
    assert not FRAMEWORKS.search(" ".join(one["detail"] for one in told.values()))
    assert told["sv"]["detail"] != told["en"]["detail"]
    assert told["sv"]["code"] == told["en"]["code"]


def test_what_is_wrong_in_a_field_is_said_in_swedish(writer, area):
    body = {"name": {"a": 1}, "slug": [], "short_name": None}

    fields = writer.post("/api/v1/areas/", body, content_type="application/json").json()["fields"]

    assert fields["name"] == ["Skriv en text."]


def test_a_program_is_answered_in_the_language_of_its_person(program, owner):
    owner.language = "en"
    owner.save()
    client = program(owner)

    own = client.get("/api/v1/schools/999/").json()["detail"]
    asked_for = client.get("/api/v1/schools/999/", headers={"Accept-Language": "sv"}).json()["detail"]

    assert (own, asked_for) == ("There is nothing here that you may see.", "Här finns inget som du får se.")


# Pages and order


@pytest.fixture
def many(db):
    return [
        MunicipalityFactory(name=name, code=f"{1000 + number}")
        for number, name in enumerate(["Örebro", "Ale", "zorn", "Åmål", "Älmhult"])
    ]


def names(response):
    return [row["name"] for row in response.json()["results"]]


def test_lists_come_in_pages(reader, home, many):
    first = reader.get(f"{LIST}?page_size=2").json()

    assert set(first) == {"count", "next", "previous", "results"}
    assert (first["count"], len(first["results"]), first["previous"]) == (6, 2, None)
    assert "page=2" in first["next"]
    assert len(reader.get(f"{LIST}?page_size=2&page=3").json()["results"]) == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("page=0", 400),
        ("page=-1", 400),
        ("page=x", 400),
        ("page=1.5", 400),
        ("page=", 400),
        ("page=999999999999999999999999", 400),
        ("page=7", 404),
        ("page=last", 400),
        ("page_size=0", 400),
        ("page_size=201", 400),
        ("page_size=x", 400),
        ("page_size=9999999999999999999999", 400),
        ("page_size=200", 200),
        ("page=%D9%A1", 400),
    ],
)
def test_numbers_of_pages_that_cannot_be_used_are_refused(reader, home, query, status):
    response = reader.get(f"{LIST}?{query}")

    assert response.status_code == status
    if status == 400:
        assert list(response.json()["fields"]) == [query.partition("=")[0]]


def test_lists_are_in_swedish_order(reader, home, many):
    in_order = ["Ale", "Enköping", "zorn", "Åmål", "Älmhult", "Örebro"]

    assert names(reader.get(LIST)) == in_order
    assert names(reader.get(f"{LIST}?ordering=-name")) == in_order[::-1]
    assert names(reader.get(f"{LIST}?ordering=code"))[0] == "Enköping"


@pytest.mark.parametrize("ordering", ["password", "source__key", "--name", "", "name,code"])
def test_an_order_that_there_is_not_is_refused(reader, home, ordering):
    response = reader.get(f"{LIST}?ordering={ordering}")

    assert (response.status_code, list(response.json()["fields"])) == (400, ["ordering"])
