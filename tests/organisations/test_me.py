"""A person's own page, and how log-in speaks to people."""

import re
from datetime import timedelta
from runpy import run_path

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings

from collab4m.clock import today
from organisations.models import ApiToken, User
from organisations.operations import (
    KeyLivesTooLong,
    KeyOverBeforeUse,
    NoRoleToday,
    change_preferences,
    create_token,
    revoke_token,
)
from records.models import Event, Outgoing, span
from tests.factories import RoleFactory


@pytest.fixture
def at_home(client, owner):
    client.force_login(owner)
    return client


def settings_of(owner, **changes):
    return {"name": owner.name, "language": "sv", "mail_rhythm": "at_once", **changes}


# Settings


def test_me_shows_roles_and_settings(at_home):
    page = at_home.get("/konto/jag/").content.decode()

    assert "Enköping" in page
    for path in ("/konto/password/change/", "/konto/2fa/", "/konto/sessions/", "/konto/jag/nycklar/"):
        assert path in page


def test_me_is_open_to_whoever_is_logged_in(client, roleless):
    assert client.get("/konto/jag/").status_code == 302
    client.force_login(roleless)
    assert client.get("/konto/jag/").status_code == 200


def test_me_changes_settings_and_says_so_in_the_new_language(at_home, owner):
    data = settings_of(owner, name="Ny Namn", language="en", mail_rhythm="weekly", muted_kinds=["role.given"])

    response = at_home.post("/konto/jag/", data, follow=True)

    owner.refresh_from_db()
    assert (owner.name, owner.language, owner.mail_rhythm, owner.muted_kinds) == (
        "Ny Namn",
        "en",
        "weekly",
        ["role.given"],
    )
    assert "Your settings are saved." in response.content.decode()
    assert set(Event.objects.get(name="person.preferences_changed").changes) == {
        "name",
        "language",
        "mail_rhythm",
        "muted_kinds",
    }


def test_me_records_nothing_when_nothing_changes(at_home, owner):
    at_home.post("/konto/jag/", settings_of(owner))

    assert not Event.objects.exists()


def test_change_preferences_of_one_leaves_the_others(owner):
    User.objects.filter(pk=owner.pk).update(mail_rhythm="weekly", muted_kinds=["role.given"])

    changed = change_preferences(owner, language="en")

    changed.refresh_from_db()
    assert (changed.name, changed.language, changed.mail_rhythm, changed.muted_kinds) == (
        owner.name,
        "en",
        "weekly",
        ["role.given"],
    )
    event = Event.objects.get()
    assert (event.name, event.by, event.changes) == ("person.preferences_changed", owner, {"language": ["sv", "en"]})


@pytest.mark.parametrize(
    ("field", "value"), [("name", ""), ("language", "xx"), ("mail_rhythm", "never"), ("muted_kinds", ["account"])]
)
def test_me_refuses_what_cannot_be_chosen(at_home, owner, field, value):
    response = at_home.post("/konto/jag/", settings_of(owner, **{field: value}))

    assert response.status_code == 200
    assert list(response.context["form"].errors) == [field]


# API keys


def test_create_token_keeps_only_a_hash(owner):
    token, secret = create_token(owner, name="Schema", by=owner)

    assert secret not in str(vars(token))
    assert secret.startswith(token.hint)
    assert (token.last_day, token.may_write) == (today() + timedelta(days=90), False)
    event = Event.objects.get(name="token.created")
    assert secret not in str(event.data)


def test_create_token_bounds_the_life_of_a_key(owner):
    create_token(owner, name="Ett år", by=owner, last_day=today() + timedelta(days=365))
    with pytest.raises(KeyLivesTooLong):
        create_token(owner, name="Längre", by=owner, last_day=today() + timedelta(days=366))
    with pytest.raises(KeyOverBeforeUse):
        create_token(owner, name="Igår", by=owner, last_day=today() - timedelta(days=1))


def test_create_token_needs_a_role_today(roleless, home):
    RoleFactory(user=roleless, body=home.body, valid=span(None, today() - timedelta(days=1)))

    with pytest.raises(NoRoleToday):
        create_token(roleless, name="Schema", by=roleless)


def test_revoke_token_is_recorded_once(owner):
    token, _secret = create_token(owner, name="Schema", by=owner)

    revoke_token(token, by=owner)
    revoke_token(token, by=owner)

    assert Event.objects.filter(name="token.revoked").count() == 1


def test_tokens_shows_a_new_key_this_once(at_home, owner):
    data = {"name": "Schema", "access": "write", "last_day": (today() + timedelta(days=5)).isoformat()}

    answer = at_home.post("/konto/jag/nycklar/", data)
    response = at_home.get("/konto/jag/nycklar/")

    assert (answer.status_code, answer["Location"]) == (302, "/konto/jag/nycklar/")
    secret = re.search(r'id="nyckel">([^<]+)<', response.content.decode())[1]
    assert "no-store" in response["Cache-Control"]
    token = ApiToken.objects.get()
    assert (token.user, token.may_write, token.last_day) == (owner, True, today() + timedelta(days=5))
    assert secret not in str(dict(at_home.session))
    assert secret not in at_home.get("/konto/jag/nycklar/").content.decode()
    answer = at_home.get("/api/v1/areas/", headers={"Authorization": f"Bearer {secret}"})
    assert answer.status_code == 200


def test_tokens_says_how_long_a_key_may_live(at_home):
    data = {"name": "Schema", "access": "read", "last_day": (today() + timedelta(days=400)).isoformat()}

    response = at_home.post("/konto/jag/nycklar/", data)

    assert response.context["form"].errors == {"last_day": [str(KeyLivesTooLong.message)]}


def test_token_revoke_is_for_ones_own_keys(at_home, owner, asker):
    mine, _secret = create_token(owner, name="Min", by=owner)
    theirs, _secret = create_token(asker, name="Annans", by=asker)

    assert at_home.post(f"/konto/jag/nycklar/{mine.pk}/aterkalla/").status_code == 302
    assert at_home.post(f"/konto/jag/nycklar/{theirs.pk}/aterkalla/").status_code == 404
    assert [key.name for key in ApiToken.objects.usable()] == ["Annans"]


# Log-in


def test_sign_up_is_closed(client, db):
    page = client.get("/konto/signup/")
    client.post("/konto/signup/", {"email": "x@x.example", "password1": "sex-snabba-sillar"})

    assert page.status_code in (200, 403)
    assert not EmailAddress.objects.exists()


def test_a_lost_password_is_answered_in_the_persons_language_through_the_outbox(client, owner, mailoutbox):
    owner.language = "en"
    owner.save()
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)

    client.post("/konto/password/reset/", {"email": owner.email}, headers={"Accept-Language": "sv"})

    mail = Outgoing.objects.get()
    assert (mail.to, mail.user, mail.language, mail.state) == (owner.email, owner, "en", "waiting")
    assert "/konto/password/reset/key/" in mail.text
    assert "example.com" not in mail.text
    assert mailoutbox == []


@pytest.mark.parametrize("host", ["localhost:9999", "127.0.0.1"])
def test_links_in_mail_lead_to_the_portal_whatever_host_was_asked(client, owner, host):
    address = EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)

    client.post("/konto/password/reset/", {"email": owner.email}, headers={"Host": host})
    address.verified = False
    address.save()
    client.post("/konto/login/", {"login": owner.email, "password": "fyra-malarstader"}, headers={"Host": host})

    mails = list(Outgoing.objects.order_by("pk"))
    links = [re.search(r"https?://\S+", mail.text)[0] for mail in mails]
    assert len(links) == 2
    assert all(link.startswith(f"{settings.SITE_URL}/konto/") for link in links)
    assert all("localhost:9999" not in mail.text and "127.0.0.1" not in mail.text for mail in mails)


@pytest.mark.parametrize(
    ("site_url", "hosts"),
    [
        ("https://portal.example.se", ["portal.example.se"]),
        ("http://localhost:8000", ["localhost", "localhost", "127.0.0.1", "[::1]"]),
    ],
)
def test_local_hosts_are_answered_only_by_a_local_portal(monkeypatch, site_url, hosts):
    monkeypatch.setenv("SITE_URL", site_url)
    monkeypatch.delenv("ALLOWED_HOSTS", raising=False)

    assert run_path(str(settings.BASE_DIR / "collab4m/settings.py"))["ALLOWED_HOSTS"] == hosts


def test_an_unknown_address_is_answered_alike(client, owner):
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)

    known = client.post("/konto/password/reset/", {"email": owner.email})
    unknown = client.post("/konto/password/reset/", {"email": "ingen@kommun.example"})

    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    mail = Outgoing.objects.get(to="ingen@kommun.example")
    assert (mail.user, mail.language) == (None, "sv")
    assert "signup" not in mail.text


def test_log_in_leads_to_the_start_page(client, owner):
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)

    response = client.post("/konto/login/", {"login": owner.email, "password": "fyra-malarstader"})

    assert (response.status_code, response["Location"]) == (302, "/")
