"""Asking the neighbour: who is told, who may answer, and what the thread's history says."""

import re
from datetime import timedelta

import pytest
from django.core import mail

from collab4m.clock import now
from organisations.models import Role, RoleKind
from records.models import AnswerLink, Event, Outgoing, Question, Reply
from records.operations import (
    NobodyAnswers,
    QuestionClosed,
    ask_question,
    close_question,
    deliver_mail,
    order_job,
    reply_to_question,
)
from records.operations.questions import AskedOneself, NotAskable, NotYourBody, hashed
from records.people import bodies_acted_for
from records.subjects import reference
from tests.factories import MembershipFactory, ProviderFactory, RoleFactory, SchoolFactory


@pytest.fixture
def asked(school, asker, neighbour, owner, home) -> Question:
    """A question from Västerås to Enköping about a school there."""
    return ask(school, asker, neighbour, home)


def ask(subject, by, on_behalf_of, to_body, **given) -> Question:
    return ask_question(
        subject,
        **{"title": "Platser på bygg", "text": "Hur många platser har ni?", "to_body": to_body.body, **given},
        by=by,
        on_behalf_of=on_behalf_of.body,
    )


def token_in(mail: Outgoing) -> str:
    return re.search(r"/fragor/svar/([^/]+)/", mail.text)[1]


def names_about(subject) -> list[str]:
    return [event.name for event in Event.objects.about(subject)]


def test_ask_question_tells_everyone_who_answers_for_the_body(
    school, asker, neighbour, owner, home, principal, committee
):
    other = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body).user

    question = ask(school, asker, neighbour, home)

    told = Outgoing.objects.order_by("user")
    assert [row.user for row in told] == sorted([owner, other], key=lambda user: user.pk)
    assert question.text in told[0].text
    assert question.get_absolute_url() in told[0].text
    assert "vidarebefordra inte" in told[0].text
    assert token_in(told[0]) != token_in(told[1])
    assert names_about(question) == ["question.asked"]


def run_by(municipality, school):
    school.provider = ProviderFactory(kind="municipal", municipality=municipality)
    school.save()
    return school


def test_ask_question_to_a_school_tells_its_principals_and_the_municipality_that_runs_it(
    school, asker, neighbour, owner, principal, home
):
    ask(run_by(home, school), asker, neighbour, school)

    assert set(Outgoing.objects.values_list("user", flat=True)) == {owner.pk, principal.pk}


@pytest.mark.parametrize("runs", [None, "independent", "neighbour"])
def test_a_question_to_a_school_that_others_run_is_not_for_the_municipality_where_it_lies(
    school, asker, neighbour, owner, principal, home, runs
):
    if runs:
        municipality = neighbour if runs == "neighbour" else None
        school.provider = ProviderFactory(kind="independent", municipality=municipality)
        school.save()

    question = ask(school, asker, neighbour, school)

    assert [row.user for row in Outgoing.objects.all()] == [principal]
    assert not Question.objects.visible_to(owner).exists()
    assert not Question.objects.waiting_for(owner).exists()
    assert list(Question.objects.waiting_for(principal)) == [question]
    with pytest.raises(NotYourBody):
        reply_to_question(question, text="x", by=owner, on_behalf_of=home.body)


def test_a_municipality_that_asks_its_own_school_tells_only_the_school(school, owner, home, principal):
    RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body)
    both = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body).user
    RoleFactory(user=both, kind=RoleKind.PRINCIPAL, body=school.body)

    ask(run_by(home, school), owner, home, school)

    assert set(Outgoing.objects.values_list("user", flat=True)) == {principal.pk, both.pk}
    assert set(AnswerLink.objects.values_list("user", flat=True)) == {principal.pk, both.pk}


def test_a_mail_that_waits_for_the_digest_holds_no_personal_link(school, asker, neighbour, owner, home):
    owner.mail_rhythm = "daily"
    owner.save()

    question = ask(school, asker, neighbour, home)

    (mail,) = Outgoing.objects.all()
    assert "/fragor/svar/" not in mail.text
    assert question.get_absolute_url() in mail.text
    assert "Logga in och svara i portalen:" in mail.text
    assert not AnswerLink.objects.exists()


def test_the_answer_link_leaves_the_outbox_when_its_mail_has_gone(asked):
    token = token_in(Outgoing.objects.get())

    deliver_mail()

    (sent,) = mail.outbox
    assert f"/fragor/svar/{token}/" in sent.body
    row = Outgoing.objects.get()
    assert token not in row.text
    assert "[länken togs bort efter utskicket]" in row.text
    assert asked.get_absolute_url() in row.text


def test_only_the_hash_of_the_answer_link_is_kept(asked):
    token = token_in(Outgoing.objects.get())

    assert AnswerLink.objects.get().token_sha256 == hashed(token)
    assert token not in str(list(AnswerLink.objects.values()))


@pytest.mark.parametrize(
    ("who", "error"), [("committee", NotYourBody), ("outsider", NotYourBody), ("council_member", NotYourBody)]
)
def test_ask_question_is_for_those_who_act_for_the_body(request, school, home, neighbour, asker, who, error):
    with pytest.raises(error):
        ask(school, request.getfixturevalue(who), home, neighbour)

    assert not Question.objects.exists()


def test_ask_question_refuses_oneself_and_a_body_where_nobody_answers(school, asker, neighbour, elsewhere):
    with pytest.raises(AskedOneself):
        ask(school, asker, neighbour, neighbour)
    with pytest.raises(NobodyAnswers):
        ask(school, asker, neighbour, elsewhere)

    assert not Question.objects.exists()
    assert not Outgoing.objects.exists()


@pytest.mark.parametrize("who", ["user", "role", "job"])
def test_questions_are_asked_only_about_what_says_that_one_may(client, asker, neighbour, owner, home, who):
    subjects = {"user": asker, "role": asker.roles.get(), "job": order_job("records.check", "a", by=asker)}
    client.force_login(asker)

    with pytest.raises(NotAskable):
        ask(subjects[who], asker, neighbour, home)
    assert client.get(f"/fragor/ny/?om={reference(subjects[who])}").status_code == 404
    assert (
        client.get(f"/historik/{subjects[who]._meta.label_lower.replace('.', '/')}/{subjects[who].pk}/").status_code
        == 200
    )


def test_ask_question_tells_nobody_about_a_subject_they_may_not_see(asker, neighbour, owner, home, monkeypatch):
    monkeypatch.setattr(type(asker), "askable", True, raising=False)
    colleague = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=neighbour.body).user

    with pytest.raises(NobodyAnswers):
        ask(colleague, asker, neighbour, home)


def test_reply_from_the_body_asked_answers_and_tells_the_asker(asked, owner, asker, home):
    Outgoing.objects.all().delete()

    reply_to_question(asked, text="Tolv.", by=owner, on_behalf_of=home.body)

    asked.refresh_from_db()
    assert asked.answered_at
    assert not Question.objects.waiting_for(owner).exists()
    (mail,) = Outgoing.objects.all()
    assert (mail.user, "Tolv." in mail.text) == (asker, True)
    assert names_about(asked) == ["question.answered", "question.asked"]


def test_something_added_by_the_asker_waits_for_an_answer_again(asked, owner, asker, home, neighbour):
    reply_to_question(asked, text="Tolv.", by=owner, on_behalf_of=home.body)

    reply_to_question(asked, text="Och nästa år?", by=asker, on_behalf_of=neighbour.body)

    assert list(Question.objects.waiting_for(owner)) == [asked]
    assert names_about(asked)[0] == "question.added_to"
    latest = Outgoing.objects.order_by("-pk").first()
    assert (latest.user, "Och nästa år?" in latest.text) == (owner, True)


def test_the_answer_goes_to_the_askers_colleagues_when_the_asker_has_left(asked, owner, asker, home, neighbour):
    colleague = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=neighbour.body).user
    Role.objects.filter(user=asker).delete()
    Outgoing.objects.all().delete()

    reply_to_question(asked, text="Tolv.", by=owner, on_behalf_of=home.body)

    assert Outgoing.objects.get().user == colleague


@pytest.mark.parametrize("who", ["outsider", "committee", "principal"])
def test_reply_is_for_the_two_sides(request, asked, home, who):
    with pytest.raises(NotYourBody):
        reply_to_question(asked, text="x", by=request.getfixturevalue(who), on_behalf_of=home.body)

    assert not Reply.objects.exists()


def test_a_municipality_that_asks_its_own_school_does_not_answer_itself(school, owner, home, principal):
    question = ask(school, owner, home, school)

    assert list(Question.objects.waiting_for(principal)) == [question]
    assert not Question.objects.waiting_for(owner).exists()
    reply_to_question(question, text="Mer", by=owner, on_behalf_of=home.body)
    question.refresh_from_db()
    assert question.answered_at is None


def test_close_question_is_for_the_asking_side_and_ends_the_thread(asked, owner, asker, home, neighbour):
    with pytest.raises(NotYourBody):
        close_question(asked, by=owner, on_behalf_of=home.body)

    close_question(asked, by=asker, on_behalf_of=neighbour.body)

    with pytest.raises(QuestionClosed):
        close_question(asked, by=asker, on_behalf_of=neighbour.body)
    with pytest.raises(QuestionClosed):
        reply_to_question(asked, text="x", by=owner, on_behalf_of=home.body)
    assert names_about(asked)[0] == "question.closed"


@pytest.mark.parametrize(
    ("who", "sees", "waits"),
    [
        ("owner", True, True),
        ("asker", True, False),
        ("two_homes", True, True),
        ("committee", True, False),
        ("principal", False, False),
        ("outsider", False, False),
        ("council_member", False, False),
        ("system_administrator", False, False),
        ("roleless", False, False),
    ],
)
def test_questions_are_seen_by_both_sides_and_wait_for_those_who_answer(request, asked, who, sees, waits):
    user = request.getfixturevalue(who)

    assert Question.objects.visible_to(user).exists() is sees
    assert Question.objects.waiting_for(user).exists() is waits


# The link in the mail


def test_answer_link_shows_one_question_without_logging_in_and_changes_nothing(client, asked, school):
    before = list(AnswerLink.objects.values()), Reply.objects.count(), Event.objects.count()

    response = client.get(f"/fragor/svar/{token_in(Outgoing.objects.get())}/")

    assert response.status_code == 200
    assert asked.text in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert (list(AnswerLink.objects.values()), Reply.objects.count(), Event.objects.count()) == before
    assert "_auth_user_id" not in client.session


def test_answer_link_answers_in_the_persons_name_and_history_says_how(client, asked, owner, home):
    response = client.post(f"/fragor/svar/{token_in(Outgoing.objects.get())}/", {"text": "Tolv."})

    assert response.status_code == 200
    reply = Reply.objects.get()
    assert (reply.by, reply.on_behalf_of_id, reply.through_mail_link) == (owner, home.pk, True)
    assert Event.objects.about(asked).first().data["through_mail_link"] == 1
    assert "genom länken i mejlet" in client.get(f"/fragor/svar/{token_in(Outgoing.objects.first())}/").content.decode()


def test_answer_link_keeps_what_was_missing(client, asked):
    response = client.post(f"/fragor/svar/{token_in(Outgoing.objects.get())}/", {"text": " "})

    assert "Skriv ditt svar" in response.content.decode()
    assert not Reply.objects.exists()


def expire(question, owner):
    AnswerLink.objects.update(expires_at=now() - timedelta(seconds=1))


def end_role(question, owner):
    Role.objects.filter(user=owner).delete()


def leave(question, owner):
    owner.is_active = False
    owner.save()


def close(question, owner):
    question.closed_at = now()
    question.save()


@pytest.mark.parametrize("end", [expire, end_role, leave, close])
def test_answer_link_ends_with_time_role_person_and_question(client, asked, owner, end):
    token = token_in(Outgoing.objects.get())
    end(asked, owner)

    for response in (client.get(f"/fragor/svar/{token}/"), client.post(f"/fragor/svar/{token}/", {"text": "x"})):
        assert response.status_code == 404
        assert "Länken fungerar inte längre" in response.content.decode()
        assert asked.text not in response.content.decode()
    assert not Reply.objects.exists()


def test_answer_link_that_was_never_made_says_the_same(client, db):
    assert client.get("/fragor/svar/nonsens/").status_code == 404


def test_answer_link_is_rate_limited(client, asked, settings):
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "answer_link": "2/m/ip"}
    statuses = [client.post("/fragor/svar/nonsens/", {"text": "x"}).status_code for _ in range(3)]

    assert statuses == [404, 404, 429]


# Pages


def test_question_new_preselects_the_owner_and_sends(client, school, asker, owner, home):
    client.force_login(asker)
    path = f"/fragor/ny/?om=organisations.school:{school.pk}"

    page = client.get(path)
    response = client.post(path, {"to_body": home.pk, "title": "Platser", "text": "Hur många?"})

    assert page.context["form"].initial["to_body"] == home.pk
    question = Question.objects.get()
    assert (response.status_code, response["Location"]) == (302, f"/fragor/{question.pk}/")
    assert (question.subject, question.subject_name) == (school, "Westerlundska gymnasiet")


def test_question_new_offers_only_bodies_of_the_same_area_and_not_oneself(
    client, school, asker, home, neighbour, elsewhere
):
    near = SchoolFactory(municipality=neighbour, name="Nära")
    far = SchoolFactory(municipality=elsewhere, name="Fjärran")
    client.force_login(asker)

    form = client.get(f"/fragor/ny/?om=organisations.school:{school.pk}").context["form"]

    assert set(form.neighbours) == {str(body.pk) for body in (home, school, near)}
    assert str(far.pk) not in form.neighbours


def test_question_new_lists_municipalities_in_the_areas_order(client, school, asker, home, neighbour, area):
    first = MembershipFactory(area=area, position=0, municipality__name="Örebro").municipality
    mine = SchoolFactory(municipality=neighbour, name="Egna skolan")
    client.force_login(asker)

    form = client.get(f"/fragor/ny/?om=organisations.school:{school.pk}").context["form"]

    groups = form.fields["to_body"].choices[1:]
    assert [name for name, _bodies in groups] == ["Örebro", "Enköping", "Västerås"]
    assert [[int(pk) for pk, _name in bodies] for _name, bodies in groups] == [
        [first.pk],
        [home.pk, school.pk],
        [mine.pk],
    ]


def test_for_whom_one_writes_is_listed_in_the_areas_order(two_homes, home, neighbour, school):
    RoleFactory(user=two_homes, kind=RoleKind.PRINCIPAL, body=school.body)

    assert [body.pk for body in bodies_acted_for(two_homes)] == [home.pk, school.pk, neighbour.pk]
    home.memberships.update(position=9_999)
    assert [body.pk for body in bodies_acted_for(two_homes)] == [neighbour.pk, home.pk, school.pk]


def test_question_new_asks_for_whom_when_it_could_be_two(client, school, two_homes, asker, neighbour, home):
    client.force_login(two_homes)
    path = f"/fragor/ny/?om=organisations.school:{school.pk}"

    response = client.post(path, {"to_body": neighbour.pk, "title": "Platser", "text": "Hur många?"})
    assert "on_behalf_of" in response.context["form"].errors

    client.post(path, {"to_body": neighbour.pk, "title": "Platser", "text": "?", "on_behalf_of": home.pk})
    assert Question.objects.get().from_body_id == home.pk


def test_question_new_keeps_what_was_typed_when_nobody_answers(client, school, asker, owner, home):
    Role.objects.filter(user=owner).delete()
    client.force_login(asker)

    response = client.post(
        f"/fragor/ny/?om=organisations.school:{school.pk}",
        {"to_body": home.pk, "title": "Platser", "text": "Länge skrivet"},
    )

    assert "to_body" in response.context["form"].errors
    assert "Länge skrivet" in response.content.decode()


@pytest.mark.parametrize(
    ("who", "status"),
    [("asker", 200), ("principal", 200), ("committee", 403), ("council_member", 403), ("roleless", 403)],
)
def test_question_new_is_for_those_who_act_for_a_body(client, request, school, who, status):
    client.force_login(request.getfixturevalue(who))

    assert client.get(f"/fragor/ny/?om=organisations.school:{school.pk}").status_code == status


@pytest.mark.parametrize(
    "om", ["", "x", "organisations.school:0", "organisations.school:x", "records.outgoing:1", "a:1"]
)
def test_question_new_about_nothing_is_404(client, asker, om):
    client.force_login(asker)

    assert client.get("/fragor/ny/", {"om": om}).status_code == 404


@pytest.mark.parametrize(
    ("who", "page", "reply", "closing"),
    [
        ("asker", 200, 302, 302),
        ("owner", 200, 302, 403),
        ("committee", 200, 403, 403),
        ("outsider", 404, 404, 404),
        ("principal", 404, 404, 404),
        ("system_administrator", 404, 404, 404),
    ],
)
def test_question_page_is_for_the_two_sides(client, request, asked, who, page, reply, closing):
    client.force_login(request.getfixturevalue(who))

    assert client.get(f"/fragor/{asked.pk}/").status_code == page
    assert client.post(f"/fragor/{asked.pk}/", {"text": "x"}).status_code == reply
    assert client.post(f"/fragor/{asked.pk}/stang/").status_code == closing
    asked.refresh_from_db()
    assert bool(asked.closed_at) is (closing == 302)


def test_question_page_asks_for_whom_when_it_could_be_two(client, asked, two_homes, home, neighbour):
    client.force_login(two_homes)

    client.post(f"/fragor/{asked.pk}/", {"text": "Tolv."})
    assert not Reply.objects.exists()
    client.post(f"/fragor/{asked.pk}/", {"text": "Tolv.", "on_behalf_of": home.pk})

    asked.refresh_from_db()
    assert asked.answered_at


def test_asking_needs_no_redis(client, settings, school, asker, owner, home):
    settings.REDIS_URL = settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
    client.force_login(asker)

    response = client.post(
        f"/fragor/ny/?om=organisations.school:{school.pk}", {"to_body": home.pk, "title": "Platser", "text": "?"}
    )

    assert response.status_code == 302
    assert order_job("records.check", "a").pk


@pytest.mark.parametrize("rows", [1, 3])
def test_questions_page_costs_the_same_with_more_rows(
    client, asker, owner, neighbour, home, django_assert_num_queries, rows
):
    for number in range(rows):
        school = SchoolFactory(municipality=home)
        ask(school, asker, neighbour, home, title=str(number))
        reply_to_question(ask(school, asker, neighbour, home), text="x", by=owner, on_behalf_of=home.body)
        close_question(ask(school, asker, neighbour, home), by=asker, on_behalf_of=neighbour.body)
    client.force_login(owner)
    client.get("/fragor/")

    with django_assert_num_queries(QUESTIONS_QUERIES):
        page = client.get("/fragor/")

    assert [len(page.context[name]) for name in ("waiting", "open")] == [rows, rows]


QUESTIONS_QUERIES = 8


def test_a_person_without_questions_is_told_how_to_ask(client, roleless):
    client.force_login(roleless)

    assert "Ingen fråga väntar på ditt svar" in client.get("/fragor/").content.decode()
