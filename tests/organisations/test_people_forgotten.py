"""Forgetting: a person on request, and everything whose keep-until has passed."""

from datetime import date, timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.utils import InternalError
from django.template.loader import render_to_string

from collab4m.clock import now, today
from organisations.models import ApiToken, Invitation, RoleKind, User
from organisations.operations import (
    RETENTION,
    change_preferences,
    create_token,
    end_role,
    forget_person,
    forget_what_is_due,
    give_role,
    invite_person,
    retention,
)
from organisations.operations.retention import AlreadyForgotten, StillHasRoles
from organisations.tasks import forget_what_is_due as forget_task
from records.models import Event, Job, Outgoing, OutgoingState, Question, span
from records.operations import record
from tests.factories import RoleFactory, UserFactory

PAST = span(date(2020, 1, 1), date(2020, 12, 31))


@pytest.fixture
def leaver(home):
    """Somebody whose only role has ended."""
    role = RoleFactory(
        kind=RoleKind.ADMINISTRATOR, body=home.body, valid=PAST, user__name="Anna Öberg", user__email="anna@x.example"
    )
    return role.user


def everything_kept():
    """All text in the tables where a person leaves traces."""
    rows = [*User.objects.values(), *Event.objects.values(), *Outgoing.objects.values(), *Invitation.objects.values()]
    return str(rows)


def test_forget_person_takes_away_all_that_tells_who_it_was(client, leaver, home, system_administrator):
    EmailAddress.objects.create(user=leaver, email="anna.oberg@y.example", verified=True)
    Authenticator.objects.create(user=leaver, type=Authenticator.Type.TOTP, data={})
    ApiToken.objects.create(user=leaver, name="Schema", token_sha256="x", last_day=today())
    client.force_login(leaver)
    client.get("/konto/jag/")
    UserSession.objects.create(user=leaver, session_key=client.session.session_key, ip="127.0.0.1", user_agent="x")
    change_preferences(leaver, by=leaver, name="Anna Öberg", language="en")
    give_role(leaver, kind=RoleKind.COMMITTEE, body=home.body, by=system_administrator)
    end_role(leaver.roles.get(kind="committee"), last_day=today(), by=system_administrator)
    leaver.roles.filter(kind="committee").update(valid=PAST)
    invite_person(
        email="anna@x.example", name="Anna Öberg", kind="principal", by=system_administrator,
        body=RoleFactory(kind="principal", body=_school(home).body).body,
    )  # fmt: skip
    Outgoing.objects.create(
        kind="x", user=leaver, to=leaver.email, language="sv", subject="S", text="T", state="sent", message_id="1",
        calendar="ATTENDEE:mailto:anna@x.example",
    )  # fmt: skip
    assert "Anna Öberg" in everything_kept()
    events = list(Event.objects.order_by("pk").values_list("name", "at"))

    forget_person(leaver, by=system_administrator)

    for trace in ("Anna", "Öberg", "anna@x", "anna.oberg"):
        assert trace not in everything_kept()
    leaver = User.objects.get(pk=leaver.pk)
    assert (str(leaver), leaver.is_active, leaver.has_usable_password()) == ("Borttagen person", False, False)
    assert not EmailAddress.objects.exists()
    assert not Authenticator.objects.exists()
    assert not ApiToken.objects.exists()
    assert not UserSession.objects.exists()
    assert not Outgoing.objects.filter(state=OutgoingState.WAITING).exists()
    assert client.get("/konto/jag/").status_code == 302
    assert list(Event.objects.order_by("pk").values_list("name", "at"))[:-1] == events
    given = Event.objects.get(name="role.given")
    assert (given.data["person"], given.data["scope"]) == ("Borttagen person", "Enköping")


def _school(home):
    from tests.factories import SchoolFactory

    return SchoolFactory(municipality=home)


def test_forget_person_leaves_a_namesakes_history_alone(leaver, home, system_administrator):
    namesake = UserFactory(name="Anna Öberg")
    give_role(namesake, kind=RoleKind.ADMINISTRATOR, body=home.body, by=system_administrator)

    forget_person(leaver, by=system_administrator)

    assert Event.objects.get(name="role.given").data["person"] == "Anna Öberg"


def test_forget_person_takes_away_names_of_before(leaver, owner, home, system_administrator):
    change_preferences(leaver, name="Anna Lund")
    job = Job.objects.create(kind="test.work", key="1", by=leaver, on_behalf_of=home.body)
    record("job.handed_over", job, by=owner, left_by="Anna Öberg", taken_by=owner.name)
    record("role.ended", owner, by=None, person=owner.name, handed_to="Anna Lund, Anna Lundin", role="x", scope="")

    forget_person(leaver, by=system_administrator)

    assert "Öberg" not in everything_kept()
    handed_over, ended = Event.objects.get(name="job.handed_over").data, Event.objects.get(name="role.ended").data
    assert (handed_over["left_by"], handed_over["taken_by"]) == ("Borttagen person", owner.name)
    assert (ended["person"], ended["handed_to"]) == (owner.name, "Borttagen person, Anna Lundin")


def test_forget_person_leaves_a_municipality_of_the_same_name_alone(leaver, home, neighbour, system_administrator):
    User.objects.filter(pk=leaver.pk).update(name="Västerås")
    leaver.refresh_from_db()
    give_role(leaver, kind=RoleKind.COMMITTEE, body=neighbour.body, by=system_administrator)
    end_role(leaver.roles.get(kind="committee"), last_day=today(), by=system_administrator)
    leaver.roles.filter(kind="committee").update(valid=PAST)
    record("fact.corrected", home, by=leaver, from_body="Västerås", changes={"name": ["Västerås", "anna@x.example, a"]})
    record("fact.corrected", home, by=None, from_body="johanna@x.example", changes={})

    forget_person(leaver, by=system_administrator)

    given = Event.objects.get(name="role.given").data
    assert (given["person"], given["scope"]) == ("Borttagen person", "Västerås")
    first, second = Event.objects.filter(name="fact.corrected").order_by("pk")
    assert (first.data, first.changes) == (
        {"from_body": "Västerås"},
        {"name": ["Västerås", "Borttagen person, a"]},
    )
    assert second.data == {"from_body": "johanna@x.example"}


def test_forget_person_takes_the_name_from_questions_about_them(leaver, owner, home, neighbour, system_administrator):
    question = Question.objects.create(
        subject=leaver, from_body=home.body, to_body=neighbour.body, by=owner, title="…", text="…"
    )
    record("question.asked", question, by=owner, title="Var är Anna Öberg?", to_body="Västerås", about="Anna Öberg")

    forget_person(leaver, by=system_administrator)

    assert Event.objects.get(name="question.asked").data == {
        "title": "Var är Borttagen person?",
        "to_body": "Västerås",
        "about": "Borttagen person",
    }


def test_forget_person_refuses_while_a_role_holds_or_is_to_come(owner, leaver, home, system_administrator):
    with pytest.raises(StillHasRoles):
        forget_person(owner, by=system_administrator)

    RoleFactory(user=leaver, kind=RoleKind.COMMITTEE, body=home.body, valid=span(today() + timedelta(days=9), None))
    with pytest.raises(StillHasRoles):
        forget_person(leaver, by=system_administrator)


def test_forget_person_happens_once(leaver, system_administrator):
    forget_person(leaver, by=system_administrator)

    with pytest.raises(AlreadyForgotten):
        forget_person(leaver, by=system_administrator)


def test_events_stay_append_only_after_somebody_is_forgotten(leaver, system_administrator):
    forget_person(leaver, by=system_administrator)

    with pytest.raises(InternalError), transaction.atomic():
        Event.objects.update(name="x")


def test_person_forget_page(client, leaver, system_administrator):
    client.force_login(system_administrator)
    path = f"/personer/{leaver.pk}/ta-bort/"

    assert client.get(path).status_code == 200
    assert client.post(path).context["form"].has_error("confirm", "required")
    assert client.post(path, {"confirm": "on"}).status_code == 302
    assert client.get(f"/personer/{leaver.pk}/").status_code == 200


@pytest.mark.parametrize(("who", "status"), [("owner", 404), ("roleless", 404)])
def test_person_forget_is_for_the_system_administrator(client, request, leaver, who, status):
    client.force_login(request.getfixturevalue(who))

    assert client.post(f"/personer/{leaver.pk}/ta-bort/", {"confirm": "on"}).status_code == status


# Keep-until


def test_retention_says_what_how_long_and_why():
    assert len(RETENTION) == 5
    assert all(str(rule.what) and rule.days > 0 and str(rule.why) for rule in RETENTION)


def test_invitations_are_emptied_90_days_after_they_are_over(home, system_administrator):
    for number, (field, days) in enumerate(
        [("expires_at", 91), ("expires_at", 89), ("accepted_at", 91), ("withdrawn_at", 91)]
    ):
        invitation = invite_person(
            email=f"{number}@x.example", name=f"Person {number}", kind="administrator", body=home.body,
            by=system_administrator,
        )  # fmt: skip
        Invitation.objects.filter(pk=invitation.pk).update(**{field: now() - timedelta(days=days)})

    forget_what_is_due()

    assert list(Invitation.objects.order_by("pk").values_list("email", "name")) == [
        ("", ""),
        ("1@x.example", "Person 1"),
        ("", ""),
        ("", ""),
    ]
    assert forget_what_is_due()["invitations"] == 0


def test_sent_mail_is_emptied_after_180_days_and_unsent_never(db):
    for number, (state, days) in enumerate([("sent", 181), ("sent", 179), ("waiting", 181), ("failed", 181)]):
        Outgoing.objects.create(
            kind="x", to="a@x.example", language="sv", subject="S", text="T", state=state, message_id=str(number),
            calendar="T", created_at=now() - timedelta(days=days),
        )  # fmt: skip

    assert forget_what_is_due()["mail"] == 2

    for kept in ("text", "calendar"):
        assert list(Outgoing.objects.order_by("message_id").values_list(kept, flat=True)) == ["", "T", "T", ""]


def test_people_are_forgotten_two_years_after_their_last_role(home):
    long_ago = now() - timedelta(days=1000)
    kept = [
        RoleFactory(body=home.body, user__joined_at=long_ago).user,
        RoleFactory(body=home.body, valid=span(None, today() - timedelta(days=700)), user__joined_at=long_ago).user,
        UserFactory(),
    ]
    due = [
        RoleFactory(body=home.body, valid=PAST, user__joined_at=long_ago).user,
        UserFactory(joined_at=long_ago),
    ]

    assert forget_what_is_due()["people"] == 2

    assert set(User.objects.filter(forgotten_at=None)) == set(kept)
    assert set(User.objects.exclude(forgotten_at=None)) == set(due)
    assert Event.objects.filter(name="person.forgotten", by=None).count() == 2


def test_one_person_who_cannot_be_forgotten_does_not_keep_the_others(home, monkeypatch, caplog):
    stuck, due = (UserFactory(joined_at=now() - timedelta(days=1000)) for _ in range(2))
    old = ApiToken.objects.create(user=stuck, name="Gammal", token_sha256="x", last_day=today() - timedelta(days=91))

    def forget_unless_stuck(user, *, by):
        if user == stuck:
            raise ValueError(stuck.name)
        return forget_person(user, by=by)

    monkeypatch.setattr(retention, "forget_person", forget_unless_stuck)
    done = forget_what_is_due()

    assert (done["people"], done["api_keys"]) == (1, 1)
    assert not ApiToken.objects.filter(pk=old.pk).exists()
    assert set(User.objects.exclude(forgotten_at=None)) == {due}
    assert caplog.messages == [f"Forgetting person {stuck.pk} failed: ValueError"]


def test_keys_and_sessions_are_deleted_when_they_are_long_over(client, owner):
    old, _secret = create_token(owner, name="Gammal", by=owner)
    create_token(owner, name="Ny", by=owner)
    ApiToken.objects.filter(pk=old.pk).update(last_day=today() - timedelta(days=91))
    UserSession.objects.create(
        user=owner, session_key="borta", ip="127.0.0.1", user_agent="x", last_seen_at=now() - timedelta(hours=2)
    )

    done = forget_what_is_due()

    assert (done["api_keys"], done["sessions"]) == (1, 1)
    assert [key.name for key in ApiToken.objects.all()] == ["Ny"]


def test_the_clock_starts_it(settings):
    assert settings.CELERY_BEAT_SCHEDULE["forget"]["task"] == forget_task.name


@pytest.mark.django_db
def test_the_clocks_task_runs():
    forget_task()


def test_every_history_sentence_about_people_can_be_written(leaver, home, system_administrator):
    give_role(leaver, kind=RoleKind.COMMITTEE, body=home.body, by=system_administrator, last_day=date(2099, 1, 1))
    create_token(leaver, name="Schema", by=leaver, may_write=True)
    end_role(leaver.roles.get(kind="committee"), last_day=today(), by=system_administrator)

    for event in Event.objects.all():
        sentence = render_to_string(f"records/history/{event.name}.html", event.sentence_context()).strip()
        assert sentence.endswith(".")
        assert "  " not in sentence
