"""Nothing typed is lost when the session has ended."""

from datetime import timedelta

import pytest
from django.test import Client

from collab4m.clock import now
from records.models import Question

TEXT = "Får vi låna verkstaden i v. 7?\n\nVi är tolv elever."


@pytest.fixture
def form(home, owner):
    return f"/fragor/ny/?om=organisations.municipality:{home.pk}", {
        "to_body": home.pk,
        "title": "Verkstaden",
        "text": TEXT,
    }


def test_a_form_sent_after_log_out_is_given_back_and_can_be_sent(client, asker, form):
    path, fields = form

    answer = client.post(path, fields)
    assert (answer.status_code, answer.url) == (302, "/konto/login/?next=/kvar/")
    client.force_login(asker)
    page = client.get("/kvar/")
    assert page.context["path"] == path
    assert page.context["texts"] == ["Verkstaden", TEXT]
    answer = client.post(page.context["path"], dict(page.context["fields"]))

    assert answer.status_code == 302, answer.content.decode()
    assert Question.objects.get().text == TEXT
    assert client.get("/kvar/").status_code == 302


def test_passwords_and_keys_are_not_kept(client, asker):
    secret = {"oldpassword": "hemligt", "password1": "ny", "csrfmiddlewaretoken": "x"}

    client.post("/konto/password/change/", {**secret, "school_unit_code": "12345678"})

    assert client.session["kept"]["fields"] == [["school_unit_code", "12345678"]]


def test_more_than_a_form_holds_is_not_kept(client, db):
    client.post("/fragor/ny/", {"text": "å" * 50_001})

    assert "kept" not in client.session


def test_what_is_old_is_thrown_away(client, asker, form):
    client.post(*form)
    client.force_login(asker)
    session = client.session
    session["kept"] = {**session["kept"], "at": (now() - timedelta(minutes=31)).isoformat()}
    session.save()

    assert client.get("/kvar/").status_code == 302
    assert "kept" not in client.session


@pytest.mark.parametrize(("site", "shown"), [("same-origin", True), ("cross-site", False)])
def test_a_form_with_an_old_key_shows_what_was_written_unless_a_stranger_sent_it(asker, form, site, shown):
    client = Client(enforce_csrf_checks=True)
    client.force_login(asker)

    answer = client.post(*form, headers={"Sec-Fetch-Site": site})

    assert answer.status_code == 403
    assert ("Får vi låna verkstaden" in answer.content.decode()) is shown
