"""Somebody must come first, and there is no open sign-up."""

import re

import pytest
from django.core.management import CommandError, call_command

from organisations.models import User
from records.models import Event, Outgoing

pytestmark = pytest.mark.django_db
EMAIL = "systemadministrator@kommun.example"


def test_the_first_system_administrator_chooses_a_password_by_mail_and_logs_in(client):
    call_command("add_system_administrator", EMAIL, "Systemadministratör")
    client.post("/konto/password/reset/", {"email": EMAIL})
    link = re.search(r"https?://[^/\s]+(/konto/password/reset/key/\S+)", Outgoing.objects.get().text)
    form = client.get(link[1], follow=True).request["PATH_INFO"]
    client.post(form, {"password1": "fyra-malarstader-i-norr", "password2": "fyra-malarstader-i-norr"})
    client.post("/konto/login/", {"login": EMAIL, "password": "fyra-malarstader-i-norr"})

    assert client.get("/personer/bjud-in/").status_code == 200
    assert User.objects.get().is_system_administrator
    assert [(event.name, event.by) for event in Event.objects.filter(name="role.given")] == [("role.given", None)]


def test_the_command_refuses_what_is_no_address_and_what_is_taken():
    call_command("add_system_administrator", EMAIL, "Systemadministratör")

    with pytest.raises(CommandError):
        call_command("add_system_administrator", EMAIL.upper(), "En till")
    with pytest.raises(CommandError):
        call_command("add_system_administrator", "inte en adress", "En till")
    assert User.objects.count() == 1
