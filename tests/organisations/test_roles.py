"""Giving and ending roles, and what a role leaves behind."""

import os
import threading
from datetime import date, timedelta

import pytest
from django.db import connection

from collab4m.clock import today
from organisations.models import ApiToken, Role, RoleKind
from organisations.operations import (
    AlreadyHasRole,
    CannotTakeOver,
    DayOutOfOrder,
    OnlySystemAdministrator,
    PersonIsGone,
    RoleDoesNotFit,
    RoleHasEnded,
    create_token,
    end_role,
    give_role,
    heirs_of,
    is_last_administrator,
    left_behind,
)
from records.models import Correction, Event, Job, Outgoing, Question, span
from tests.factories import RoleFactory, SchoolFactory, UserFactory

RACE_ROUNDS = int(os.environ.get("RACE_ROUNDS", "5"))
YESTERDAY = timedelta(days=-1)


@pytest.fixture
def heir(home):
    return RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body).user


@pytest.fixture
def role(owner):
    return owner.roles.get()


@pytest.fixture
def question(owner, home, neighbour, school):
    return Question.objects.create(
        subject=school, from_body=home.body, to_body=neighbour.body, by=owner, title="Hur många platser?", text="…"
    )


@pytest.fixture
def correction(owner, home, neighbour, school):
    return Correction.objects.create(
        subject=school, field="name", proposed="Westerlundska", reason="…", from_body=home.body, owner=neighbour.body,
        by=owner,
    )  # fmt: skip


@pytest.fixture
def job(owner, home):
    return Job.objects.create(kind="test.work", key="1", by=owner, on_behalf_of=home.body)


# Giving


def test_give_role_takes_effect_at_once_and_is_told(roleless, home, system_administrator):
    give_role(roleless, kind=RoleKind.ADMINISTRATOR, body=home.body, by=system_administrator)

    role = roleless.roles.get()
    assert (role.first_day, role.last_day) == (today(), None)
    mail = Outgoing.objects.get()
    assert (mail.to, mail.kind) == (roleless.email, "role.given")
    event = Event.objects.get()
    assert (event.name, event.subject, event.by, event.data["role"], event.data["scope"]) == (
        "role.given",
        roleless,
        system_administrator,
        "administrator",
        "Enköping",
    )


def test_give_role_refuses_the_same_role_for_the_same_days(owner, home, system_administrator):
    with pytest.raises(AlreadyHasRole):
        give_role(owner, kind=RoleKind.ADMINISTRATOR, body=home.body, by=system_administrator)


def test_give_role_refuses_what_does_not_fit(roleless, school, system_administrator):
    with pytest.raises(RoleDoesNotFit):
        give_role(roleless, kind=RoleKind.ADMINISTRATOR, body=school.body, by=system_administrator)


def test_give_role_refuses_days_in_the_wrong_order_and_people_who_are_gone(roleless, home, system_administrator):
    role = {"kind": RoleKind.ADMINISTRATOR, "body": home.body, "by": system_administrator}
    with pytest.raises(DayOutOfOrder):
        give_role(roleless, **role, first_day=date(2026, 8, 2), last_day=date(2026, 8, 1))

    roleless.is_active = False
    roleless.save()
    with pytest.raises(PersonIsGone):
        give_role(roleless, **role)


def test_role_new_is_given_in_two_steps(client, roleless, school, system_administrator):
    client.force_login(system_administrator)
    path = f"/personer/{roleless.pk}/roller/ny/"

    assert client.get(path).status_code == 200
    response = client.post(f"{path}?roll=principal", {"scope": school.pk, "first_day": "2026-08-01", "last_day": ""})

    assert response.status_code == 302
    role = roleless.roles.get()
    assert (role.kind, role.body, role.first_day) == ("principal", school.body, date(2026, 8, 1))


def test_schools_are_grouped_by_municipality_in_swedish_order(client, roleless, home, system_administrator):
    for name in ("Ö-skolan", "Åskolan", "Zornskolan"):
        SchoolFactory(name=name, municipality=home)
    client.force_login(system_administrator)

    response = client.get(f"/personer/{roleless.pk}/roller/ny/?roll=principal")

    groups = list(response.context["form"].fields["scope"].choices)
    assert [
        group if isinstance(schools, str) else (group, [name for _pk, name in schools]) for group, schools in groups[1:]
    ] == [("Enköping", ["Zornskolan", "Åskolan", "Ö-skolan"])]


# What is left behind


def test_left_behind_names_what_only_that_person_follows(role, question, correction, job, heir):
    things = left_behind(role)

    assert [thing.key for thing in things] == [
        f"question-{question.pk}",
        f"correction-{correction.pk}",
        f"job-{job.pk}",
    ]
    assert all(thing.url and thing.label and thing.otherwise for thing in things)
    assert left_behind(heir.roles.get()) == []


def test_left_behind_says_who_hears_of_the_answer(role, question, correction, home, system_administrator):
    alone = [thing.otherwise for thing in left_behind(role)]
    RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body)
    with_colleagues = [thing.otherwise for thing in left_behind(role)]

    assert all("ingen att mejla" in text for text in alone)
    assert all("alla som företräder" in text for text in with_colleagues)


def test_colleagues_stand_in_swedish_order(role, owner, home, question, correction, system_administrator):
    for name in ("Örjan", "Zorn", "Åsa", "anna"):
        RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body, user__name=name)
    heirs = heirs_of(role)
    assert [heir.name for heir in heirs] == ["anna", "Zorn", "Åsa", "Örjan"]

    chosen = {f"question-{question.pk}": heirs[1], f"correction-{correction.pk}": heirs[0]}
    end_role(role, last_day=today(), hand_over=chosen, by=system_administrator)

    assert Event.objects.get(name="role.ended").data["handed_to"] == "anna, Zorn"


def test_left_behind_passes_by_what_is_finished_or_for_another_body(role, question, job, neighbour):
    Question.objects.filter(pk=question.pk).update(closed_at="2026-01-01T00:00Z")
    Job.objects.filter(pk=job.pk).update(on_behalf_of=neighbour.body)

    assert left_behind(role) == []


def test_end_role_hands_over_what_is_chosen(role, owner, heir, question, correction, job, system_administrator):
    chosen = {f"question-{question.pk}": heir, f"job-{job.pk}": heir, "question-999": heir}

    end_role(role, last_day=today(), hand_over=chosen, by=system_administrator)

    for thing, keeper in ((question, heir), (correction, owner), (job, heir)):
        thing.refresh_from_db()
        assert thing.by == keeper
    ended = Event.objects.get(name="role.ended")
    assert (ended.subject, ended.data["handed_to"], ended.data["last_day"]) == (
        owner,
        heir.name,
        today().isoformat(),
    )
    assert {event.name for event in Event.objects.all()} == {"role.ended", "question.handed_over", "job.handed_over"}
    mails = {mail.to: mail for mail in Outgoing.objects.all()}
    assert set(mails) == {owner.email, heir.email}
    assert question.get_absolute_url() in mails[heir.email].text


def test_end_role_refuses_an_heir_without_the_same_role(role, question, asker, system_administrator):
    with pytest.raises(CannotTakeOver):
        end_role(role, last_day=today(), hand_over={f"question-{question.pk}": asker}, by=system_administrator)

    role.refresh_from_db()
    assert role.last_day is None


def test_end_role_refuses_days_before_the_role_and_a_role_that_has_ended(role, system_administrator):
    with pytest.raises(DayOutOfOrder):
        end_role(role, last_day=role.first_day + YESTERDAY, by=system_administrator)

    end_role(role, last_day=today() + YESTERDAY, by=system_administrator)
    with pytest.raises(RoleHasEnded):
        end_role(role, last_day=today(), by=system_administrator)


def test_end_role_revokes_the_keys_with_the_last_role(owner, role, system_administrator):
    key, _secret = create_token(owner, name="Schema", by=owner)

    end_role(role, last_day=today() + timedelta(days=10), by=system_administrator)
    key.refresh_from_db()
    assert (key.last_day, key.revoked_at) == (today() + timedelta(days=10), None)

    end_role(role, last_day=today() + YESTERDAY, by=system_administrator)
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_end_role_keeps_the_keys_while_another_role_holds(two_homes, system_administrator):
    create_token(two_homes, name="Schema", by=two_homes)

    end_role(two_homes.roles.first(), last_day=today() + YESTERDAY, by=system_administrator)

    assert ApiToken.objects.get().is_usable()


def test_end_role_closes_the_pages_for_a_session_that_is_open(client, role, owner, system_administrator):
    client.force_login(owner)
    assert client.get("/personer/").status_code == 200

    end_role(role, last_day=today() + YESTERDAY, by=system_administrator)

    assert client.get("/personer/").status_code == 403


def test_the_only_system_administrator_stays(system_administrator):
    role = system_administrator.roles.get()
    with pytest.raises(OnlySystemAdministrator):
        end_role(role, last_day=today(), by=system_administrator)

    temporary = RoleFactory(kind=RoleKind.SYSTEM_ADMINISTRATOR)
    end_role(role, last_day=today(), by=system_administrator)
    with pytest.raises(OnlySystemAdministrator):
        end_role(temporary, last_day=today() + timedelta(days=30), by=system_administrator)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(RACE_ROUNDS))
def test_two_system_administrators_cannot_both_leave(round_, db):
    roles = [RoleFactory(kind=RoleKind.SYSTEM_ADMINISTRATOR) for _ in range(2)]
    start, outcomes = threading.Barrier(2), []

    def leave(role):
        try:
            start.wait()
            end_role(role, last_day=today(), by=role.user)
            outcomes.append("left")
        except OnlySystemAdministrator:
            outcomes.append("stays")
        finally:
            connection.close()

    rivals = [threading.Thread(target=leave, args=[role]) for role in roles]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join()

    assert sorted(outcomes) == ["left", "stays"]


def test_is_last_administrator(role, heir, system_administrator):
    assert not is_last_administrator(role)
    end_role(heir.roles.get(), last_day=today() + YESTERDAY, by=system_administrator)
    assert is_last_administrator(role)


# The page


def test_role_end_shows_what_is_left_and_hands_it_over(client, role, owner, heir, question, system_administrator):
    client.force_login(system_administrator)
    path, key = f"/roller/{role.pk}/avsluta/", f"question-{question.pk}"

    page = client.get(path)
    assert question.get_absolute_url() not in page.content.decode()  # case content, which is not theirs to read
    assert question.title not in page.content.decode()

    unsure = client.post(path, {"last_day": "2001-01-01", key: heir.pk})
    assert unsure.context["form"].has_error("confirm", "required")
    assert unsure.context["form"].errors["last_day"] == [str(DayOutOfOrder.message)]
    assert not client.post(path, {"last_day": "2026-13-45", key: "9999", "confirm": "on"}).context["form"].is_valid()

    done = client.post(path, {"last_day": today().isoformat(), key: heir.pk, "confirm": "on"})
    assert (done.status_code, done["Location"]) == (302, f"/personer/{owner.pk}/")
    question.refresh_from_db()
    assert question.by == heir


def test_role_end_refuses_a_successor_who_leaves_as_soon(client, role, heir, question, system_administrator):
    client.force_login(system_administrator)
    heir.roles.update(valid=span(None, today()))
    sent = {"last_day": today().isoformat(), f"question-{question.pk}": heir.pk, "confirm": "on"}

    response = client.post(f"/roller/{role.pk}/avsluta/", sent)

    assert list(response.context["form"].errors) == [f"question-{question.pk}"]
    with pytest.raises(CannotTakeOver):
        end_role(role, last_day=today(), hand_over={f"question-{question.pk}": heir}, by=system_administrator)


def test_things_left_behind_that_are_called_the_same_are_numbered(role, question):
    Question.objects.create(
        subject=question.subject,
        title="Hur många lärare?",
        text="",
        by=question.by,
        from_body=question.from_body,
        to_body=question.to_body,
    )

    first, second = left_behind(role)

    assert first.label != second.label
    assert (first.label[-1], second.label[-1]) == ("1", "2")


@pytest.mark.parametrize("page", ["/personer/bjud-in/", "/personer/{pk}/roller/ny/"])
def test_the_first_step_says_when_no_role_is_chosen(client, owner, system_administrator, page):
    client.force_login(system_administrator)

    response = client.get(page.format(pk=owner.pk), {"steg": "2"})

    assert response.context["form"].errors == {"roll": ["Välj en roll."]}


def test_role_end_warns_when_the_last_administrator_leaves(client, role, system_administrator):
    client.force_login(system_administrator)
    path = f"/roller/{role.pk}/avsluta/"

    assert client.get(path).context["last_administrator"]
    assert client.post(path, {"last_day": today().isoformat(), "confirm": "on"}).status_code == 302


def test_role_end_says_why_the_only_system_administrator_stays(client, system_administrator):
    client.force_login(system_administrator)
    role = system_administrator.roles.get()

    response = client.post(f"/roller/{role.pk}/avsluta/", {"last_day": today().isoformat(), "confirm": "on"})

    assert response.context["form"].non_field_errors() == [str(OnlySystemAdministrator.message)]


@pytest.mark.parametrize(
    ("who", "status"), [("system_administrator", 200), ("owner", 403), ("two_homes", 403), ("outsider", 404)]
)
def test_role_end_is_for_the_system_administrator(client, request, role, who, status):
    client.force_login(request.getfixturevalue(who))

    assert client.get(f"/roller/{role.pk}/avsluta/").status_code == status
    client.post(f"/roller/{role.pk}/avsluta/", {"last_day": "2000-01-01", "confirm": "on"})
    assert Role.objects.get(pk=role.pk).last_day is None


def test_roles_are_tracked_in_the_database(role, system_administrator):
    end_role(role, last_day=today(), by=system_administrator)

    assert [event.pgh_label for event in role.events.order_by("pgh_id")] == ["insert", "update"]


def test_people_with_more_than_one_role_keep_the_others(two_homes, home, system_administrator):
    give_role(two_homes, kind=RoleKind.COMMITTEE, body=home.body, by=system_administrator)
    end_role(two_homes.roles.get(kind=RoleKind.COMMITTEE), last_day=today(), by=system_administrator)

    assert UserFactory._meta.model.objects.get(pk=two_homes.pk).bodies_where(RoleKind.ADMINISTRATOR) != []
