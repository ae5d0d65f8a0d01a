"""People come in by invitation: sent, sent again, withdrawn, accepted."""

import os
import re
import threading
from datetime import date, timedelta

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth import get_user
from django.db import connection

from collab4m.clock import now, today
from organisations.models import Invitation, Membership, Role, RoleKind, User
from organisations.operations import (
    AccountExists,
    AlreadyHasRole,
    AlreadyInvited,
    DayOutOfOrder,
    InvitationClosed,
    InvitationExpired,
    InvitedSomebodyElse,
    RoleDoesNotFit,
    accept_invitation,
    accept_invitation_as_new,
    invite_person,
    resend_invitation,
    withdraw_invitation,
)
from records.models import Event, Outgoing, span
from tests.factories import MunicipalityFactory, RoleFactory, UserFactory

RACE_ROUNDS = int(os.environ.get("RACE_ROUNDS", "5"))
PASSWORD = "sex-snabba-sillar"


@pytest.fixture
def invite(system_administrator, home):
    def send(**changes):
        details = {"email": "ny@kommun.example", "name": "Ny Person", "kind": RoleKind.ADMINISTRATOR, "body": home.body}
        return invite_person(**(details | changes), by=system_administrator)

    return send


def path_in_mail(to="ny@kommun.example"):
    """Where the latest mail's link leads."""
    text = Outgoing.objects.filter(to=to).latest("pk").text
    return re.search(r"https?://[^/\s]+(/inbjudan/\S+)", text)[1]


def expire(invitation):
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=now() - timedelta(seconds=1))


# The operations


def test_invite_person_sends_a_link_whose_secret_is_only_in_the_mail(invite, home):
    invitation = invite(email="Ny@Kommun.example", last_day=date(2047, 6, 30), language="en")

    mail = Outgoing.objects.get()
    assert (mail.to, mail.language, mail.state) == ("ny@kommun.example", "en", "waiting")
    assert mail.subject == "Invitation to Enköping"
    assert "administrator for Enköping" in mail.text
    assert "30 June 2047" in mail.text
    secret = path_in_mail().strip("/").split("/")[-1]
    assert len(secret) >= 40
    assert secret not in str(vars(invitation))
    assert [event.name for event in Event.objects.all()] == ["invitation.sent"]
    assert "kommun.example" not in str(Event.objects.get().data)


def test_invite_person_refuses_a_second_open_invitation_to_the_same_role(invite):
    invite()

    with pytest.raises(AlreadyInvited):
        invite(email="NY@kommun.example")

    invite(kind=RoleKind.COMMITTEE)
    assert Invitation.objects.count() == 2


def test_invite_person_lets_an_expired_invitation_give_way(invite):
    expire(first := invite())

    invite()

    first.refresh_from_db()
    assert first.withdrawn_at is not None


def test_invite_person_refuses_a_role_that_is_held_already(invite, owner, home):
    with pytest.raises(AlreadyHasRole):
        invite(email=owner.email.upper())


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": RoleKind.PRINCIPAL},
        {"kind": RoleKind.COUNCIL_MEMBER},
        {"kind": RoleKind.SYSTEM_ADMINISTRATOR},
        {"body": None},
    ],
)
def test_invite_person_refuses_a_role_that_does_not_fit(invite, changes):
    with pytest.raises(RoleDoesNotFit):
        invite(**changes)


def test_invite_person_refuses_a_last_day_that_is_over(invite):
    with pytest.raises(DayOutOfOrder):
        invite(last_day=today() - timedelta(days=1))


def test_resend_invitation_makes_the_old_link_dead(invite, client, system_administrator):
    invitation = invite()
    old = path_in_mail()

    resend_invitation(invitation, by=system_administrator)

    assert client.get(old).status_code == 404
    assert client.get(path_in_mail()).status_code == 200


def test_withdraw_invitation_closes_it_for_good(invite, system_administrator):
    invitation = withdraw_invitation(invite(), by=system_administrator)

    for again in (withdraw_invitation, resend_invitation):
        with pytest.raises(InvitationClosed):
            again(invitation, by=system_administrator)


def test_accept_invitation_gives_the_role_once(invite, home):
    invitation, person = invite(last_day=date(2099, 6, 30)), UserFactory(email="ny@kommun.example")

    role = accept_invitation(invitation, by=person)

    assert (role.user, role.kind, role.body, role.last_day) == (person, "administrator", home.body, date(2099, 6, 30))
    assert role.first_day == today()
    with pytest.raises(InvitationClosed):
        accept_invitation(invitation, by=person)
    assert [event.name for event in Event.objects.order_by("pk")] == [
        "invitation.sent",
        "role.given",
        "invitation.accepted",
    ]


def test_accept_invitation_keeps_a_role_that_was_given_meanwhile(invite, home, system_administrator):
    invitation, person = invite(), UserFactory(email="ny@kommun.example")
    held = Role.objects.create(user=person, kind=RoleKind.ADMINISTRATOR, body=home.body)

    assert accept_invitation(invitation, by=person) == held
    assert person.roles.count() == 1


def test_accept_invitation_is_for_whoever_was_invited(invite, outsider):
    with pytest.raises(InvitedSomebodyElse):
        accept_invitation(invite(), by=outsider)


def test_accept_invitation_works_for_a_second_verified_address(invite, outsider):
    EmailAddress.objects.create(user=outsider, email="ny@kommun.example", verified=True)

    assert accept_invitation(invite(), by=outsider).user == outsider


def test_accept_invitation_refuses_an_expired_link(invite):
    expire(invitation := invite())

    with pytest.raises(InvitationExpired):
        accept_invitation_as_new(invitation, name="Ny", password=PASSWORD)


def test_accept_invitation_as_new_refuses_an_address_with_an_account(invite):
    invitation = invite()
    UserFactory(email="ny@kommun.example")

    with pytest.raises(AccountExists):
        accept_invitation_as_new(invitation, name="Ny", password=PASSWORD)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(RACE_ROUNDS))
def test_two_accepts_at_once_make_one_person_and_one_role(round_, invite):
    invitation = invite()
    start, outcomes = threading.Barrier(4), []

    def accept(number):
        try:
            start.wait()
            accept_invitation_as_new(invitation, name=f"Person {number}", password=PASSWORD)
            outcomes.append("accepted")
        except (InvitationClosed, AccountExists):
            outcomes.append("refused")
        finally:
            connection.close()

    rivals = [threading.Thread(target=accept, args=[number]) for number in range(4)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()

    assert sorted(outcomes) == ["accepted", "refused", "refused", "refused"]
    assert Role.objects.filter(kind=RoleKind.ADMINISTRATOR).count() == 1
    assert User.objects.filter(email="ny@kommun.example").count() == 1


# The pages


def test_invite_is_for_the_system_administrator(client, request, home):
    for who, status in [("system_administrator", 200), ("owner", 403), ("roleless", 403)]:
        client.force_login(request.getfixturevalue(who))
        assert client.get("/personer/bjud-in/").status_code == status
        assert client.get("/personer/bjud-in/?roll=administrator").status_code == status


@pytest.mark.parametrize(
    ("kind", "scope"),
    [
        ("administrator", "home"),
        ("committee", "home"),
        ("principal", "school"),
        ("council_member", "area"),
        ("system_administrator", None),
    ],
)
def test_invite_asks_for_what_fits_the_role(client, request, system_administrator, kind, scope):
    scope = scope and request.getfixturevalue(scope)
    client.force_login(system_administrator)
    data = {"email": "ny@kommun.example", "name": "Ny Person", "language": "sv", "last_day": ""}

    response = client.post(f"/personer/bjud-in/?roll={kind}", {**data, "scope": scope.pk if scope else ""})

    assert response.status_code == 302, response.context["form"].errors
    invitation = Invitation.objects.get()
    assert (invitation.kind, str(invitation.scope or "")) == (kind, str(scope or ""))


def test_invite_says_when_an_invitation_is_open(client, invite, system_administrator, home):
    invite()
    client.force_login(system_administrator)
    data = {"email": "ny@kommun.example", "name": "Ny Person", "language": "sv", "scope": home.pk}

    response = client.post("/personer/bjud-in/?roll=administrator", data)

    assert response.status_code == 200
    assert response.context["form"].non_field_errors() == [str(AlreadyInvited.message)]
    assert response.context["form"]["name"].value() == "Ny Person"


def test_invitation_opens_an_account_and_logs_in(client, invite, home):
    invite()
    path = path_in_mail()

    assert client.get(path).status_code == 200
    response = client.post(path, {"name": "Ny Person", "password": PASSWORD})

    assert (response.status_code, response["Location"]) == (302, "/")
    user = get_user(client)
    assert (user.email, user.name, user.check_password(PASSWORD)) == ("ny@kommun.example", "Ny Person", True)
    assert user.bodies_where(RoleKind.ADMINISTRATOR) == [home.pk]
    address = EmailAddress.objects.get(user=user)
    assert (address.email, address.verified, address.primary) == ("ny@kommun.example", True, True)
    assert client.get("/konto/jag/").status_code == 200


@pytest.mark.parametrize(
    ("password", "code"),
    [("kort", "password_too_short"), ("ny@kommun.example", "password_too_similar"), ("", "required")],
)
def test_invitation_says_what_a_password_must_be(client, invite, password, code):
    invite()

    response = client.post(path_in_mail(), {"name": "Ny Person", "password": password})

    assert response.status_code == 200
    assert response.context["form"].has_error("password", code)
    assert not User.objects.filter(email="ny@kommun.example").exists()


def test_invitation_asks_a_person_with_an_account_to_log_in(client, invite):
    invite()
    path, person = path_in_mail(), UserFactory(email="ny@kommun.example")

    response = client.get(path)
    assert f"/konto/login/?next={path}" in response.content.decode()
    assert client.post(path, {"name": "X", "password": PASSWORD}).status_code == 200
    assert User.objects.filter(email="ny@kommun.example").count() == 1

    client.force_login(person)
    assert client.get(path).status_code == 200
    assert client.post(path).status_code == 302
    assert person.roles.count() == 1


def test_invitation_tells_somebody_else_that_it_is_not_theirs(client, invite, outsider):
    invite()
    client.force_login(outsider)

    response = client.post(path_in_mail())

    assert response.status_code == 200
    assert "/konto/logout/" in response.content.decode()
    assert outsider.roles.count() == 1


@pytest.mark.parametrize("has_account", [False, True])
def test_invitation_to_a_role_that_is_over_has_expired(client, invite, has_account):
    invitation = invite(last_day=today())
    assert invitation.expires_at.date() <= today() + timedelta(days=1)
    Invitation.objects.update(last_day=today() - timedelta(days=1))
    if has_account:
        client.force_login(UserFactory(email="ny@kommun.example"))

    for response in (client.get(path_in_mail()), client.post(path_in_mail(), {"name": "Ny", "password": PASSWORD})):
        assert (response.status_code, response.context["reason"]) == (410, "expired")
    with pytest.raises(InvitationExpired):
        resend_invitation(invitation, by=invitation.by)
    invite()  # gives way


@pytest.mark.parametrize("begins_in", [-30, 0, 30])
def test_accept_invitation_leaves_a_role_of_now_or_later_as_it_is(invite, home, begins_in):
    invitation = invite()
    first_day = today() + timedelta(days=begins_in)
    role = RoleFactory(user__email="ny@kommun.example", body=home.body, valid=span(first_day, None))

    assert accept_invitation(invitation, by=role.user) == role

    role.refresh_from_db()
    assert (role.first_day, role.user.roles.count()) == (first_day, 1)
    invitation.refresh_from_db()
    assert invitation.accepted_by == role.user


def test_municipalities_stand_in_the_agreed_order(client, home, neighbour, system_administrator):
    Membership.objects.filter(municipality=neighbour).update(position=0)
    for name in ("Örebro", "Ale"):
        MunicipalityFactory(name=name)
    client.force_login(system_administrator)

    scope = client.get("/personer/bjud-in/?roll=administrator").context["form"].fields["scope"]

    assert [municipality.name for municipality in scope.queryset] == ["Västerås", "Enköping", "Ale", "Örebro"]


@pytest.mark.parametrize("state", ["unknown", "expired", "withdrawn", "accepted"])
def test_invitation_that_cannot_be_used_says_what_to_do(client, invite, system_administrator, state):
    invitation = invite()
    path, status = path_in_mail(), 410
    match state:
        case "unknown":
            path, status = "/inbjudan/inte-en-lank/", 404
        case "expired":
            expire(invitation)
        case "withdrawn":
            withdraw_invitation(invitation, by=system_administrator)
        case "accepted":
            accept_invitation_as_new(invitation, name="Ny", password=PASSWORD)

    for response in (client.get(path), client.post(path, {"name": "Ny", "password": PASSWORD})):
        assert response.status_code == status
        assert response.templates[0].name == "organisations/invitation_closed.html"


def test_invitation_is_written_in_the_invitations_language(client, invite):
    invite(language="en")

    assert "invites you as administrator for Enköping" in client.get(path_in_mail()).content.decode()


def test_invitation_is_rate_limited(client, invite):
    invite()

    answers = [client.get("/inbjudan/fel/").status_code for _ in range(31)]

    assert answers == [404] * 30 + [429]


@pytest.mark.parametrize(("who", "status"), [("system_administrator", 302), ("owner", 403), ("outsider", 404)])
@pytest.mark.parametrize("act", ["skicka", "aterkalla"])
def test_answering_for_an_invitation_is_for_the_system_administrator(client, request, invite, who, status, act):
    invitation = invite()
    client.force_login(request.getfixturevalue(who))

    response = client.post(f"/personer/inbjudningar/{invitation.pk}/{act}/")

    assert response.status_code == status
    assert Event.objects.exclude(name="invitation.sent").count() == (1 if status == 302 else 0)
