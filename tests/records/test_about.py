"""What questions, corrections and jobs show on others' pages: objects, start, search, menu, admin, API."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.template import Context, Template
from django.test import RequestFactory

from collab4m.clock import today
from records import portal
from records.models import Job, Outgoing, Pulse, Source
from records.operations import ask_question, order_job, propose_correction, send, work_off_jobs
from tests.factories import SchoolFactory
from tests.records.test_outbox import message


def drawn(subject, user) -> str:
    request = RequestFactory().get("/")
    request.user = user
    template = Template("{% load records_about %}{% about subject %}")
    return template.render(Context({"subject": subject, "request": request, "user": user}))


def ask(subject, asker, neighbour, home, title="Platser på bygg"):
    return ask_question(
        subject, to_body=home.body, title=title, text="Hur många?", by=asker, on_behalf_of=neighbour.body
    )


def propose(subject, asker, neighbour):
    return propose_correction(
        subject, field="name", proposed="Edströmska gymnasiet", reason="Skylten", by=asker, on_behalf_of=neighbour.body
    )


@pytest.fixture
def place(home):
    return SchoolFactory(name="Edströmska", municipality=home)


def test_about_shows_what_concerns_the_reader_and_no_more(place, asker, owner, outsider, neighbour, home):
    question, correction = ask(place, asker, neighbour, home), propose(place, asker, neighbour)

    for user, sees in ((asker, True), (owner, True), (outsider, False)):
        page = drawn(place, user)
        assert (question.get_absolute_url() in page) is sees
        assert (correction.get_absolute_url() in page) is sees


@pytest.mark.parametrize(
    ("who", "may"), [("owner", True), ("principal", True), ("committee", False), ("council_member", False)]
)
def test_about_offers_what_the_reader_may_do(request, place, who, may):
    page = drawn(place, request.getfixturevalue(who))

    assert (f"/fragor/ny/?om=organisations.school:{place.pk}" in page) is may
    assert (f"/rattelser/ny/?om=organisations.school:{place.pk}" in page) is may
    assert f"/historik/organisations/school/{place.pk}/" in page


@pytest.mark.parametrize("what", ["person", "job"])
def test_about_offers_no_question_about_what_is_not_asked_about(owner, what):
    page = drawn(owner if what == "person" else order_job("records.check", "a", by=owner), owner)

    assert "/fragor/ny/" not in page
    assert "/historik/" in page


def test_about_offers_no_correction_where_there_are_no_figures(area, owner):
    assert "/rattelser/ny/" not in drawn(area, owner)


def test_about_is_nothing_for_a_stranger(place):
    assert drawn(place, AnonymousUser()).strip() == ""


def test_about_tells_what_stands_today_and_what_stood_then(place, asker, owner, neighbour):
    propose(place, asker, neighbour)

    assert "Namn: det står Edströmska, ska vara Edströmska gymnasiet" in drawn(place, asker)
    place.name = "Edströmskas gymnasium"
    page = drawn(place, asker)

    assert "Namn: det står Edströmskas gymnasium, ska vara Edströmska gymnasiet" in page
    assert "Det stod Edströmska när förslaget skrevs" in page


def test_about_has_no_heading_over_the_history_alone(owner):
    page = drawn(owner, owner)

    assert "/historik/" in page
    assert "<h2" not in page


@pytest.mark.parametrize("rows", [1, 3])
def test_about_costs_two_queries(place, asker, owner, neighbour, home, django_assert_num_queries, rows):
    for number in range(rows):
        ask(place, asker, neighbour, home, str(number))
        propose(place, asker, neighbour)
    drawn(place, owner)

    with django_assert_num_queries(2):
        drawn(place, owner)


def test_start_cards_tell_who_waits_until_when(place, asker, owner, neighbour, home):
    question, correction = ask(place, asker, neighbour, home), propose(place, asker, neighbour)

    cards = portal.start_cards(owner).todos

    assert [card.url for card in cards] == [question.get_absolute_url(), correction.get_absolute_url()]
    assert {(card.due - today()).days for card in cards} == {7}
    assert {card.for_body for card in cards} == {"Enköping"}
    assert "Västerås frågar om Edströmska" in cards[0].why
    assert portal.start_cards(asker).todos == []


@pytest.mark.parametrize("rows", [1, 3])
def test_start_cards_cost_two_queries(place, asker, owner, neighbour, home, django_assert_num_queries, rows):
    for number in range(rows):
        ask(place, asker, neighbour, home, str(number))
        propose(place, asker, neighbour)
    portal.start_cards(owner)

    with django_assert_num_queries(2):
        assert len(portal.start_cards(owner).todos) == 2 * rows


@pytest.mark.parametrize(
    ("who", "words", "hits"),
    [
        ("owner", "bygg", 1),
        ("owner", "platserna på bygg", 1),
        ("asker", "Hur många", 1),
        ("owner", "simning", 0),
        ("outsider", "bygg", 0),
        ("system_administrator", "bygg", 0),
    ],
)
def test_search_finds_questions_one_may_see(request, place, asker, owner, neighbour, home, who, words, hits):
    ask(place, asker, neighbour, home)

    assert len(portal.search(request.getfixturevalue(who), words)) == hits


@pytest.mark.parametrize(
    ("who", "words"), [("owner", 1), ("committee", 1), ("roleless", 0), ("system_administrator", 0)]
)
def test_the_menu_has_questions_for_those_who_work_for_a_body(request, who, words):
    assert len(portal.nav(request.getfixturevalue(who))) == words


# Jobs' pages


def test_job_page_says_how_far_the_work_has_come(client, owner):
    job = order_job("records.check", "a", by=owner)
    client.force_login(owner)

    assert "väntar på sin tur" in client.get(f"/jobb/{job.pk}/").content.decode()
    Job.objects.update(state="running", done=3, total=10, step="Räknar platser")
    page = client.get(f"/jobb/{job.pk}/").content.decode()
    assert '<progress class="c-progress" id="hur-langt" value="3" max="10">' in page
    assert "Räknar platser: 3 av 10" in page
    assert "Du kan lämna sidan" in page
    assert "http-equiv" not in page


def test_job_page_tells_why_it_failed_and_tries_again(client, owner):
    job = order_job("records.check", "a", by=owner, args={"seconds": 0})
    Job.objects.update(state="failed", error="Rapporten saknar läsår.")
    client.force_login(owner)

    assert "Rapporten saknar läsår." in client.get(f"/jobb/{job.pk}/").content.decode()
    response = client.post(f"/jobb/{job.pk}/igen/")

    again = Job.objects.exclude(pk=job.pk).get()
    assert response["Location"] == f"/jobb/{again.pk}/"
    assert client.post(f"/jobb/{again.pk}/igen/")["Location"] == f"/jobb/{again.pk}/"
    work_off_jobs()
    assert "Arbetet blev klart" in client.get(f"/jobb/{again.pk}/").content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_jobs_page_costs_the_same_with_more_rows(client, owner, system_administrator, django_assert_num_queries, rows):
    for number in range(rows):
        order_job("records.check", str(number), by=owner)
    client.force_login(system_administrator)
    client.get("/jobb/")

    with django_assert_num_queries(JOBS_QUERIES):
        page = client.get("/jobb/")

    assert len(page.context["rows"]) == rows


JOBS_QUERIES = 7


# The admin sees that mail and jobs go, and not what they say


def test_admin_shows_no_content_and_changes_nothing(client, system_administrator, owner):
    (row,) = send(message(owner, subject="Hemlig rubrik", text="Hemlig text"))
    job = order_job("records.check", "a", by=owner, args={"seconds": 77_777})
    Pulse.objects.create(name="beat")
    Source.objects.create(key="a", publisher="SCB")
    client.force_login(system_administrator)

    for path in ("outgoing", f"outgoing/{row.pk}/change", "job", f"job/{job.pk}/change", "pulse", "source"):
        page = client.get(f"/admin/records/{path}/")
        assert page.status_code == 200, path
        text = page.content.decode()
        assert "Hemlig" not in text
        assert owner.email not in text
        assert "77777" not in text
    assert client.get("/admin/records/outgoing/add/").status_code == 403
    assert client.post(f"/admin/records/outgoing/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Outgoing.objects.exists()


@pytest.mark.parametrize(("who", "status"), [("owner", 200), ("asker", 404)])
def test_api_shows_ones_own_jobs(client, request, owner, who, status):
    job = order_job("records.check", "a", by=owner)
    client.force_login(request.getfixturevalue(who))

    response = client.get(f"/api/v1/jobs/{job.pk}/")

    assert response.status_code == status
    if status == 200:
        assert (response.json()["state"], response.json()["kind"]) == ("queued", "records.check")
    assert len(client.get("/api/v1/jobs/").json()["results"]) == (status == 200)
