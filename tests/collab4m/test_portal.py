"""The shell, the start page made for each role, search and the language switch."""

import re
from datetime import timedelta

import pytest
from django.contrib.contenttypes.models import ContentType
from django.utils import translation

from collab4m import portal
from collab4m.cards import Mandate
from collab4m.clock import now, today
from organisations.models import ContactPurpose
from records.models import Job, Pulse, Question
from records.models.facts import span
from records.operations import record
from tests.factories import (
    AreaFactory,
    BoardFactory,
    MembershipFactory,
    MunicipalityFactory,
    RoleFactory,
    SchoolFactory,
)

pytestmark = pytest.mark.django_db

START_QUERIES = 36


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def part(response, tag: str, after: str = "") -> str:
    """The words of the first such element."""
    content = response.content.decode()
    return words(re.search(rf"<{tag}\b[^>]*{after}[^>]*>(.*?)</{tag}>", content, re.S)[1])


def ask(number: int, *, about, asker, by, to) -> None:
    for i in range(number):
        Question.objects.create(
            subject_type=ContentType.objects.get_for_model(about),
            subject_id=about.pk,
            from_body=asker.body,
            to_body=to.body,
            by=by,
            title=f"Fråga {i}",
            text="Hur många platser?",
            asked_at=now() - timedelta(days=10),
        )


@pytest.fixture
def answered(home, neighbour):
    """Everyone has said who answers for the public pages, so that nothing waits for that."""
    for body in (home, neighbour):
        for purpose in ContactPurpose.values:
            body.contacts.update_or_create(purpose=purpose, defaults={"owner": "Nämnden", "email": "a@kommun.example"})


@pytest.mark.parametrize(
    ("role", "works_as", "heading", "lead"),
    [
        ("owner", "Enköping, handläggare", "Inget väntar på dig", "Här samlas det som Enköping ska svara på"),
        ("principal", "Westerlundska gymnasiet, rektor", "Inget väntar på dig", "Här samlas frågor och förfrågningar"),
        (
            "committee",
            "Enköping, nämnd",
            "Inget väntar på dig",
            "Här samlas det som är på väg till nämnderna i Enköping",
        ),
        ("council_member", "Fyra Mälarstäder, ledamot", "Inget väntar på dig", "Här samlas kallelser, protokoll"),
        ("two_homes", "Enköping, handläggare och Västerås, handläggare", "Inget väntar på dig", "Här samlas allt"),
        ("system_administrator", "systemadministratör", "Tre delar av portalen svarar inte", "Du sköter personer"),
        ("roleless", "", "Du har ingen roll i portalen i dag", "Du kan logga in, men ingen har gett dig en roll"),
    ],
)
def test_start_page_is_made_for_the_role(client, request, answered, role, works_as, heading, lead):
    client.force_login(request.getfixturevalue(role))

    response = client.get("/")

    assert part(response, "h1") == heading
    assert part(response, "p", "c-lead").startswith(lead)
    assert part(response, "a", "c-who").startswith(f"Du arbetar som {works_as}" if works_as else "Du har ingen roll")


def test_start_page_lists_what_waits_by_date_with_the_late_ones_marked(
    client, owner, asker, answered, school, home, neighbour
):
    ask(2, about=school, asker=neighbour, by=asker, to=home)
    client.force_login(owner)

    response = client.get("/")

    assert part(response, "h1") == "Två saker väntar på dig"
    assert "tre dagar sent Svara på frågan: Fråga 0" in part(response, "li", "c-late")


def test_two_homes_see_for_whom_each_thing_waits(client, two_homes, asker, answered, school, home, neighbour):
    ask(1, about=school, asker=neighbour, by=asker, to=home)
    client.force_login(two_homes)

    response = client.get("/")

    assert "<b>Enköping</b>. " in response.content.decode()


@pytest.mark.parametrize("rows", [1, 3])
def test_start_page_costs_the_same_whatever_it_shows(
    client, django_assert_num_queries, owner, asker, answered, school, home, neighbour, rows
):
    ask(rows, about=school, asker=neighbour, by=asker, to=home)
    for i in range(rows):
        Job.objects.create(kind="test", key=f"{i}", by=owner)
        MembershipFactory(area=home.memberships.get().area)
    ContentType.objects.clear_cache()
    client.force_login(owner)

    with django_assert_num_queries(START_QUERIES):
        response = client.get("/")

    assert len(response.context["jobs"]) == rows
    assert len(response.context["todos"]) == rows


def test_mandate_that_no_app_tells_of_says_so(client, owner, answered):
    client.force_login(owner)

    content = client.get("/").content.decode()

    assert content.count("Inte igång i portalen än") == 4


def test_mandate_rows_draw_four_members_as_the_map_and_others_as_a_row(area):
    four = [MembershipFactory(area=area) for _ in range(4)]
    done = {four[0].municipality_id: "yes", four[1].municipality_id: "no"}
    card = Mandate(number=2, state="12 lån", done=done)

    rows = portal.mandate_rows({2: card}, four)

    assert [row.card for row in rows] == [None, card, None, None, None]
    assert [(s["x"], s["y"], s["kind"]) for s in rows[1].squares] == [
        (1, 1, "y"),
        (1, 15, "n"),
        (13, 1, "u"),
        (13, 15, "u"),
    ]
    assert [s["y"] for s in portal.mandate_rows({2: card}, four[:3])[1].squares] == [8, 8, 8]


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (["yes", "yes", "yes", "yes"], "Alla har gjort sitt"),
        (["yes", "yes", "unknown", "yes"], "C återstår"),
        (["no", "yes", "unknown", "yes"], "A och C återstår"),
        (["yes", "no", "no", "no"], "1 av 4"),
        (["no", "unknown", "no", "no"], "Ingen än"),
    ],
)
def test_who_remains_is_told_in_words(area, done, expected):
    members = [MembershipFactory(area=area, municipality=MunicipalityFactory(name=name)) for name in "ABCD"]

    assert portal.who_remains(done, members) == expected


def test_system_administrator_sees_when_a_part_last_lived_but_no_mandates(client, system_administrator):
    Pulse.objects.create(name="worker")
    Pulse.objects.create(name="beat", at=now() - timedelta(hours=1))
    client.force_login(system_administrator)

    response = client.get("/")

    assert part(response, "h1") == "Två delar av portalen svarar inte"
    assert "inget livstecken sedan" in words(response.content.decode())
    assert "De fem uppdragen" not in response.content.decode()


def test_jobs_on_the_start_page_are_ones_own(client, owner, asker):
    Job.objects.create(kind="test", key="min", by=owner)
    Job.objects.create(kind="test", key="gammal", by=owner, state="done", finished_at=now() - timedelta(days=8))
    Job.objects.create(kind="test", key="annans", by=asker)
    client.force_login(owner)

    assert [job.key for job, _label in client.get("/").context["jobs"]] == ["min"]


def test_news_tell_what_the_neighbours_changed_and_not_oneself(
    client, owner, asker, outsider, home, neighbour, elsewhere
):
    for by, body in ((owner, home), (asker, neighbour), (outsider, elsewhere)):
        board = BoardFactory(municipality=body)
        record("board.created", board, by=by, on_behalf_of=body.body, board=str(board))
    record("token.created", asker, by=asker, on_behalf_of=neighbour.body, token="hemlig")
    client.force_login(owner)

    told = [(item.line.event.name, item.line.event.on_behalf_of.name) for item in client.get("/").context["news"]]

    assert told == [("board.created", "Västerås")]


def test_news_about_the_same_thing_are_told_once_with_its_name(client, owner, asker, neighbour):
    board = BoardFactory(municipality=neighbour, name="bildningsnämnden")
    for _ in range(3):
        record("fact.corrected", board, by=asker, on_behalf_of=neighbour.body, from_body="Enköping")
    client.force_login(owner)

    response = client.get("/")

    assert len(response.context["news"]) == 1
    told = words(response.content.decode())
    assert "Bildningsnämnden : En uppgift rättades efter förslag från Enköping. Västerås" in told
    assert "tre gånger" in told


def test_footer_names_the_members_in_the_agreed_order(client, owner, area):
    MembershipFactory(area=area, municipality=MunicipalityFactory(name="Arboga"), position=9999)
    MembershipFactory(area=AreaFactory(), municipality=MunicipalityFactory(name="Kalmar"))
    client.force_login(owner)

    footer = part(client.get("/"), "footer")

    assert footer.startswith("Enköping och Arboga")


def test_stranger_meets_the_only_area_there_is_but_no_one_of_several(client, area, home):
    assert part(client.get("/konto/login/"), "footer").startswith("Enköping")

    AreaFactory()

    assert part(client.get("/konto/login/"), "footer").startswith("Tillgänglighetsredogörelse")


def test_menu_marks_where_one_is(client, owner):
    client.force_login(owner)

    content = client.get("/fragor/").content.decode()

    assert re.findall(r'<a href="([^"]+)" aria-current="page">', content) == ["/fragor/", "/fragor/"]


def test_search_groups_the_hits(client, owner, home):
    client.force_login(owner)

    response = client.get("/sok/?q=enkoping")

    assert part(response, "h1").endswith("på ”enkoping”")
    assert "Kommuner" in response.context["groups"]


def test_search_puts_ones_own_municipality_first_and_marks_what_is_closed(client, owner, home, neighbour):
    SchoolFactory(name="Mälarskolan", municipality=neighbour)
    SchoolFactory(name="Mälarskolan", municipality=home, valid=span(None, today() - timedelta(days=1)))
    client.force_login(owner)

    hits = client.get("/sok/?q=Mälarskolan").context["groups"]["Skolor"]

    assert [hit.title for hit in hits] == ["Mälarskolan, Enköping", "Mälarskolan, Västerås"]
    assert [hit.text[:8] for hit in hits] == ["Nedlagd.", ""]


def test_search_that_is_cut_says_so():
    with translation.override("sv"):
        assert portal.search_heading("skola", 50, is_cut=True) == "De första 50 träffarna på ”skola”"


def test_search_without_a_hit_says_what_to_try(client, owner):
    client.force_login(owner)

    response = client.get("/sok/?q=  xyzzy  ")

    assert part(response, "h1") == "Inget liknar ”xyzzy”"
    assert "Prova på ett annat sätt" in response.content.decode()
    assert 'value="xyzzy"' in response.content.decode()


def test_search_never_shows_what_was_written_as_markup(client, owner):
    client.force_login(owner)

    assert "<script>alert" not in client.get("/sok/?q=<script>alert(1)</script>").content.decode()


def test_language_switch_is_kept_for_the_reader_and_leads_back(client, owner):
    client.force_login(owner)

    response = client.post("/sprak/", {"language": "en", "next": "/sok/?q=a"})

    owner.refresh_from_db()
    assert (response.status_code, response["Location"], owner.language) == (302, "/sok/?q=a", "en")
    assert '<html lang="en"' in client.get("/").content.decode()


def test_language_switch_of_a_stranger_lives_in_a_cookie(client, db):
    client.post("/sprak/", {"language": "en", "next": "/konto/login/"})

    assert '<html lang="en"' in client.get("/konto/login/").content.decode()


@pytest.mark.parametrize("data", [{"language": "de"}, {}, {"language": "en", "next": "https://elsewhere.example/"}])
def test_language_switch_ignores_what_it_does_not_know(client, owner, data):
    client.force_login(owner)

    response = client.post("/sprak/", data)

    assert (response.status_code, response["Location"]) == (302, "/")


def test_role_that_ended_yesterday_is_not_shown(client, owner):
    role = owner.roles.get()
    RoleFactory(user=owner, kind="committee", body=role.body)
    role.valid = type(role.valid)(role.valid.lower, now().date() - timedelta(days=1))
    role.save()
    client.force_login(owner)

    assert part(client.get("/"), "a", "c-who") == "Du arbetar som Enköping, nämndföreträdare"
