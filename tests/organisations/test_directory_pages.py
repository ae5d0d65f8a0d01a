"""The directory's pages: what they show, who may change, and that a failed form keeps what was typed."""

import re
from datetime import date

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError

from organisations.models import (
    Board,
    CollaborationArea,
    Contact,
    GlossaryEntry,
    Membership,
    ProviderKind,
    School,
    SchoolBreak,
    Semester,
    SemesterKind,
    Site,
    TravelMode,
    TravelTime,
)
from organisations.operations import RETENTION
from organisations.views.open_pages import kept_in_the_browser
from records.models import CameIn, Event, Source, span
from tests.factories import (
    AreaFactory,
    BoardFactory,
    MembershipFactory,
    MunicipalityFactory,
    ProviderFactory,
    SchoolFactory,
    SiteFactory,
)

pytestmark = pytest.mark.django_db


def words(response):
    """The page's text in `main`, without markup."""
    main = re.search(r"<main.*?</main>", response.content.decode(), re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", main[0]).split())


@pytest.fixture
def english(client):
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = "en"


@pytest.fixture
def reader(client, asker):
    asker.language = "en"
    asker.save()
    client.force_login(asker)
    return client


@pytest.fixture
def builder(client, system_administrator):
    system_administrator.language = "en"
    system_administrator.save()
    client.force_login(system_administrator)
    return client


@pytest.fixture
def keeper(client, owner):
    owner.language = "en"
    owner.save()
    client.force_login(owner)
    return client


# What is shown


def test_area_shows_members_in_the_agreed_order_with_former_ones_apart(reader, area):
    for place, name in ((30_003, "Arboga"), (30_002, "Örebro"), (30_001, "Ånge")):
        MembershipFactory(area=area, position=place, municipality=MunicipalityFactory(name=name))
    MembershipFactory(
        area=area, position=30_004, municipality=MunicipalityFactory(name="Sala"), valid=span(None, date(2020, 6, 30))
    )

    response = reader.get(area.get_absolute_url())

    assert [one.municipality.name for one in response.context["members"]][-3:] == ["Ånge", "Örebro", "Arboga"]
    assert [one.municipality.name for one in response.context["ended"]] == ["Sala"]


def test_area_shows_independent_schools_beside_the_municipalitys_own(reader, area, home):
    own = SchoolFactory(municipality=home, provider=ProviderFactory(municipality=home))
    independent = SchoolFactory(municipality=home, provider=ProviderFactory(kind=ProviderKind.INDEPENDENT))
    unknown = SchoolFactory(municipality=home)
    closed = SchoolFactory(municipality=home, valid=span(None, date(2021, 6, 30)))

    response = reader.get(area.get_absolute_url())

    there = next(one for one in response.context["municipalities"] if one.membership.municipality == home)
    assert there.own == [own]
    assert set(there.others) == {independent, unknown}
    assert closed.name not in words(response)


def test_municipality_says_what_is_not_stated(reader, home, neighbour):
    TravelTime.objects.create(origin=home, destination=neighbour, mode=TravelMode.RAIL)

    text = words(reader.get(home.get_absolute_url()))

    assert re.search(r"V Västerås train source \d+ not stated", text)
    assert "Accessibility not stated not stated not stated not stated" in text
    assert "2022/23" not in text


def test_municipality_shows_travel_both_ways(reader, home, neighbour):
    TravelTime.objects.create(origin=neighbour, destination=home, mode=TravelMode.RAIL, minutes=17)

    assert [one.other for one in reader.get(home.get_absolute_url()).context["travel"]] == [neighbour]
    assert [one.other for one in reader.get(neighbour.get_absolute_url()).context["travel"]] == [home]


def test_facts_carry_their_source(reader, home):
    source = Source.objects.create(key="kalla", publisher="Enköpings kommun", year="2019")
    board = BoardFactory(municipality=home, source=source, source_note="Ur beslutet")

    text = words(reader.get(board.get_absolute_url()))

    assert "Enköpings kommun, 2019" in text
    assert "Ur beslutet" in text
    assert "The figure is not checked against the source." in text


def test_a_board_is_never_shown_without_its_municipality(reader, home, neighbour):
    for where in (home, neighbour):
        board = BoardFactory(municipality=where, name="utbildnings- och arbetsmarknadsnämnden")
        assert f"<h1>Utbildnings- och arbetsmarknadsnämnden, {where.name}</h1>" in str(
            reader.get(board.get_absolute_url()).content, "utf-8"
        )


def test_glossary_leads_to_each_word(reader):
    GlossaryEntry.objects.create(name="körjournal", name_en="vehicle log", meaning="Anteckningar.")

    assert '<tr id="körjournal">' in reader.get("/ordlista/").content.decode()


# Query counts: the same with one and three of everything


def fill(area, home, times):
    for number in range(times):
        board = BoardFactory(municipality=home)
        source = Source.objects.create(key=f"{board.pk}")
        Board.objects.filter(pk=board.pk).update(source=source)
        site = SiteFactory(municipality=home, source=source)
        school = SchoolFactory(municipality=home, provider=ProviderFactory(source=source), source=source)
        school.sites.add(site)
        other = MembershipFactory(area=area, source=source).municipality
        SchoolFactory(municipality=other, source=source)
        BoardFactory(municipality=other, source=source)
        TravelTime.objects.create(origin=home, destination=other, mode=TravelMode.RAIL, source=source)
        year = 2010 + number
        valid = span(date(year, 8, 1), date(year, 12, 1))
        Semester.objects.create(
            municipality=home, school_year=year, kind=SemesterKind.AUTUMN, valid=valid, source=source
        )
        SchoolBreak.objects.create(municipality=home, school_year=year, name="lov", valid=valid, source=source)
        Contact.objects.create(municipality=other, purpose="cookies")
        AreaFactory()
        GlossaryEntry.objects.create(name=f"ord {board.pk}", name_en="word")


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/omraden/", 6),
        ("/omraden/4m/", 10),
        ("home", 16),
        ("/ordlista/", 5),
        ("/tillganglighet/", 7),
        ("/kakor/", 7),
        ("/sok/?q=skola", 20),
    ],
)
def test_pages_cost_the_same_however_much_there_is(reader, area, home, path, queries, times, django_assert_num_queries):
    fill(area, home, times)
    reader.get("/ordlista/")

    with django_assert_num_queries(queries):
        reader.get(home.get_absolute_url() if path == "home" else path)


# Building and keeping


def test_the_system_administrator_builds_an_area_with_a_dated_member(builder, home):
    response = builder.post("/omraden/nytt/", {"name": "Mittland", "short_name": "ML", "slug": "Mittland"}, follow=True)
    area = CollaborationArea.objects.get(name="Mittland")
    builder.post(
        f"/omraden/{area.slug}/medlemmar/ny/",
        {"municipality": home.pk, "first_day": "2023-07-01", "position": "1", "mark": "En"},
    )

    assert response.redirect_chain == [("/omraden/mittland/", 302)]
    membership = Membership.objects.get(area=area)
    assert (membership.municipality, membership.first_day) == (home, date(2023, 7, 1))


def test_a_refused_area_keeps_what_was_typed(builder, area):
    response = builder.post("/omraden/nytt/", {"name": area.name, "short_name": "ML", "slug": "mittland"})

    assert response.status_code == 200
    assert "<title>Error: " in response.content.decode()
    assert 'value="mittland"' in response.content.decode()
    assert response.context["form"].errors == {
        "name": ["There is already an area with this name. Choose another name."]
    }


def test_a_member_changes_place_and_ends(builder, area, home):
    membership = Membership.objects.get(municipality=home)
    base = f"/omraden/{area.slug}/medlemmar/{membership.pk}"

    builder.post(f"{base}/andra/", {"position": "7", "mark": "Ek"})
    asked = builder.post(f"{base}/avsluta/", {"last_day": "2030-06-30"})
    builder.post(f"{base}/avsluta/", {"last_day": "2030-06-30", "confirm": "on"})

    membership.refresh_from_db()
    assert asked.context["form"].errors == {"confirm": ["Tick the box to show that this is meant."]}
    assert (membership.position, membership.mark, membership.last_day) == (7, "Ek", date(2030, 6, 30))


def test_a_membership_is_reached_only_through_its_own_area(builder, area, elsewhere):
    other = Membership.objects.get(municipality=elsewhere)

    assert builder.get(f"/omraden/{area.slug}/medlemmar/{other.pk}/andra/").status_code == 404


def test_the_system_administrator_builds_board_provider_site_and_school(builder, home):
    builder.post(
        f"/kommuner/{home.pk}/namnder/ny/",
        {
            "name": "gymnasienämnden",
            "administration": "skolförvaltningen",
            "memo_head": "Enköpings kommun\r\nSkolförvaltningen",
            "case_number_pattern": "{år}/{nr}-GN",
            "case_number_example": "2022/17-GN",
        },
    )
    builder.post("/huvudman/ny/", {"name": "Enköpings kommun", "kind": "municipal", "municipality": home.pk})
    builder.post(f"/kommuner/{home.pk}/platser/ny/", {"name": "Västra", "latitude": "59,63304", "longitude": "17.0784"})
    board, site = Board.objects.get(name="gymnasienämnden"), Site.objects.get(name="Västra")
    builder.post(
        f"/kommuner/{home.pk}/skolor/ny/",
        {"name": "Nya gymnasiet", "provider": home.provider.pk, "sites": [site.pk], "first_day": "2024-08-01"},
    )

    assert board.accepts_case_number("2022/18-GN")
    assert not board.verified
    school = School.objects.get(name="Nya gymnasiet")
    assert school.is_municipal
    assert (school.first_day, list(school.sites.all())) == (date(2024, 8, 1), [site])
    assert f"{site.latitude}" == "59.63304"


def test_a_municipality_keeps_its_own_board_school_and_site_right(keeper, home, school):
    board, site = BoardFactory(municipality=home), SiteFactory(municipality=home)

    keeper.post(f"/namnder/{board.pk}/andra/", {"name": "gymnasienämnden", "case_number_pattern": "{nr}"})
    keeper.post(f"/skolor/{school.pk}/andra/", {"name": school.name, "status": "Öppen", "school_unit_code": "12345678"})
    keeper.post(f"/platser/{site.pk}/andra/", {"name": "Västra", "address": "Storgatan 1"})

    for row in (board, school, site):
        row.refresh_from_db()
        assert (row.came_in, row.verified) == ("form", False)
    assert (board.name, school.status, site.address) == ("gymnasienämnden", "Öppen", "Storgatan 1")


def test_a_board_that_is_saved_as_it_was_keeps_its_source(keeper, home):
    source = Source.objects.create(key="kalla")
    board = BoardFactory(municipality=home, memo_head="Enköping\nSkolan", source=source, came_in=CameIn.REFERENCE)

    keeper.post(f"/namnder/{board.pk}/andra/", {"name": board.name, "memo_head": "Enköping\r\nSkolan"})

    board.refresh_from_db()
    assert (board.source, board.came_in) == (source, CameIn.REFERENCE)
    assert not Event.objects.about(board).exists()


def test_a_school_leads_to_its_provider_and_back(reader, home, school):
    provider = ProviderFactory(name="Skolbolaget", kind=ProviderKind.INDEPENDENT)
    School.objects.filter(pk=school.pk).update(provider=provider)

    page = reader.get(f"/huvudman/{provider.pk}/")

    assert f'href="/huvudman/{provider.pk}/"' in reader.get(f"/skolor/{school.pk}/").content.decode()
    assert "Kind independent Schools Westerlundska gymnasiet , Enköping" in words(page)
    assert "/historik/organisations/provider/" in page.content.decode()


def test_a_municipality_answers_for_its_own_provider_and_nobody_for_others(home):
    assert ProviderFactory(municipality=home).owners() == [home]
    assert ProviderFactory().owners() == []


def test_a_note_on_a_source_ends_with_one_full_stop(reader, home):
    notes = {
        "Enligt beslut.": "Enligt beslut. The figure is not checked.",
        "Enligt avtal": "Enligt avtal. The figure is not checked.",
    }

    for note, told in notes.items():
        board = BoardFactory(municipality=home, source_note=note)
        assert told in words(reader.get(f"/namnder/{board.pk}/"))


def test_the_days_of_a_break_stand_in_one_row(keeper, home):
    page = keeper.get(f"/kommuner/{home.pk}/lasar/2022-23/").content.decode()

    assert page.count('class="row row-3"') == 3


def test_a_school_keeps_a_site_and_a_provider_that_have_ended(keeper, home, school):
    ended = span(None, date(2020, 6, 30))
    provider, site = ProviderFactory(valid=ended), SiteFactory(municipality=home, valid=ended)
    School.objects.filter(pk=school.pk).update(provider=provider)
    school.sites.add(site)

    page = keeper.get(f"/skolor/{school.pk}/andra/").context["form"]
    keeper.post(f"/skolor/{school.pk}/andra/", {"name": "Ny", "provider": provider.pk, "sites": [site.pk]})

    school.refresh_from_db()
    assert list(page.initial["sites"]) == [site]
    assert (school.name, school.provider, list(school.sites.all())) == ("Ny", provider, [site])


def test_a_neighbour_may_not_change_them(reader, home, school):
    board = BoardFactory(municipality=home, name="nämnden")

    assert reader.post(f"/namnder/{board.pk}/andra/", {"name": "vår nämnd"}).status_code == 403
    assert reader.post(f"/skolor/{school.pk}/andra/", {"name": "Vår"}).status_code == 403
    assert reader.post(f"/kommuner/{home.pk}/kontakter/", {}).status_code == 403
    board.refresh_from_db()
    assert board.name == "nämnden"


@pytest.mark.parametrize(
    ("data", "field", "sentence"),
    [
        ({"name": ""}, "name", "Write the board's name."),
        (
            {"name": "n", "case_number_pattern": "UAN"},
            "case_number_pattern",
            "Write {år}, {nr} or {text} where the case numbers differ.",
        ),
        (
            {"name": "n", "case_number_pattern": "{nr}", "case_number_example": "A"},
            "case_number_example",
            "The example is not written as the pattern says. Change one of them.",
        ),
        (
            {"name": "n", "first_day": "2022-07-01", "last_day": "2021-07-01"},
            "last_day",
            "Write a last day that is not before the first day.",
        ),
        (
            {"name": "n", "first_day": "07/01/2022"},
            "first_day",
            "Write the day as year-month-day, for example 2027-06-30.",
        ),
    ],
)
def test_a_board_form_says_what_to_do(keeper, home, data, field, sentence):
    board = BoardFactory(municipality=home)

    response = keeper.post(f"/namnder/{board.pk}/andra/", data)

    assert response.context["form"].errors == {field: [sentence]}


def test_contacts_are_kept_and_shown_on_the_public_pages(keeper, home, client):
    keeper.post(
        f"/kommuner/{home.pk}/kontakter/",
        {"accessibility-owner": "Kommunstyrelsen", "accessibility-email": "webb@enkoping.example"},
    )
    client.logout()

    text = words(client.get("/tillganglighet/"))

    assert "Enköping Kommunstyrelsen" in text
    assert "webb@enkoping.example" in text
    assert Contact.objects.get().purpose == "accessibility"


def test_a_wrong_contact_saves_none(keeper, home):
    response = keeper.post(
        f"/kommuner/{home.pk}/kontakter/",
        {"accessibility-owner": "Kommunstyrelsen", "cookies-email": "webb", "personal_data-phone": "ring"},
    )

    assert response.content.decode().count("ds-validation-message") == 2
    assert not Contact.objects.exists()


def test_a_municipality_states_a_travel_time_that_was_not_known(keeper, home, neighbour):
    keeper.post(f"/kommuner/{home.pk}/restider/ny/", {"destination": neighbour.pk, "mode": "rail"})
    unknown = TravelTime.objects.get()

    response = keeper.post(f"/restider/{unknown.pk}/andra/", {"minutes": "17", "source_note": "Tidtabell 2026"})

    unknown.refresh_from_db()
    assert (unknown.minutes, unknown.source_note, response.status_code) == (17, "Tidtabell 2026", 302)
    again = keeper.post(f"/kommuner/{home.pk}/restider/ny/", {"destination": neighbour.pk, "mode": "rail"})
    assert list(again.context["form"].errors) == ["destination"]


def test_a_reader_elsewhere_may_propose_another_travel_time(client, outsider, home, neighbour):
    time = TravelTime.objects.create(origin=home, destination=neighbour, mode=TravelMode.RAIL)
    client.force_login(outsider)

    page = client.get(home.get_absolute_url()).content.decode()

    assert f"?om=organisations.traveltime:{time.pk}&amp;falt=minutes" in page
    assert client.get(f"/rattelser/ny/?om=organisations.traveltime:{time.pk}&falt=minutes").status_code == 200


def test_a_school_year_is_kept_with_its_breaks(keeper, home):
    url = f"/kommuner/{home.pk}/lasar/2022-23/"
    rows = {"lov-TOTAL_FORMS": "3", "lov-INITIAL_FORMS": "0"}
    semesters = {"ht_first": "2022-08-17", "ht_last": "2022-12-20", "vt_first": "2023-01-10", "vt_last": "2023-06-09"}
    breaks = {"lov-0-name": "höstlov", "lov-0-first_day": "2022-10-31", "lov-0-last_day": "2022-11-04"}

    assert keeper.post(url, rows | semesters | breaks | {"checked": "on"}).status_code == 302

    assert Semester.objects.filter(municipality=home, verified=True).count() == 2
    assert SchoolBreak.objects.get(municipality=home).last_day == date(2022, 11, 4)
    shown = keeper.get(url).content.decode()
    assert 'value="2022-08-17"' in shown
    assert 'value="höstlov"' in shown
    emptied = {"lov-TOTAL_FORMS": "4", "lov-INITIAL_FORMS": "1", "lov-0-name": "", "lov-0-first_day": ""}
    assert keeper.post(url, emptied | semesters).status_code == 302
    assert not SchoolBreak.objects.filter(municipality=home).exists()


def test_a_half_filled_school_year_says_what_is_missing(keeper, home):
    rows = {"lov-TOTAL_FORMS": "1", "lov-INITIAL_FORMS": "0", "lov-0-name": "höstlov", "ht_first": "2022-08-17"}

    response = keeper.post(f"/kommuner/{home.pk}/lasar/2022-23/", rows)

    assert response.status_code == 200
    assert response.context["form"].errors == {"ht_last": ["Write both the first and the last day, or neither."]}
    assert set(response.context["breaks"].errors[0]) == {"first_day", "last_day"}
    assert not Semester.objects.exists()


@pytest.mark.parametrize("year", ["2022-24", "1850-51", "hostterminen", "9999-00"])
def test_a_school_year_that_is_none_is_not_found(keeper, home, year):
    assert keeper.get(f"/kommuner/{home.pk}/lasar/{year}/").status_code == 404


# The public pages


@pytest.mark.parametrize("path", ["/tillganglighet/", "/personuppgifter/", "/kakor/"])
def test_public_pages_say_not_stated_where_a_contact_is_missing(client, english, home, path):
    response = client.get(path)

    assert response.status_code == 200
    assert "Enköping not stated not stated not stated not stated" in words(response)


def test_public_pages_stand_when_nobody_has_joined(client, english):
    assert "No municipality has joined the portal yet." in words(client.get("/kakor/"))


def test_accessibility_statement_leads_to_the_supervisory_authority(client, english):
    assert 'href="https://www.digg.se/tdosanmalan"' in client.get("/tillganglighet/").content.decode()


def test_personal_data_page_tells_every_rule_of_retention(client, english):
    text = words(client.get("/personuppgifter/"))

    assert [rule for rule in RETENTION if str(rule.days) not in text] == []


def test_cookies_page_names_every_cookie_that_is_set(client, owner, home):
    client.get("/konto/login/")
    client.post("/sprak/", {"language": "en", "next": "/kakor/"})
    client.post("/konto/login/", {"login": owner.email, "password": "fyra-malarstader"})
    client.post(f"/kommuner/{home.pk}/kontakter/", {"cookies-owner": "Kommunstyrelsen"})

    told = {row.name for row in kept_in_the_browser()}
    assert set(client.cookies) <= told
    assert {settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.LANGUAGE_COOKIE_NAME} <= told


def test_a_provider_is_added_on_the_way_to_a_school(builder, home):
    back = f"/kommuner/{home.pk}/skolor/ny/"
    provider = {"name": "Nya skolor AB", "kind": "independent"}

    assert f'href="/huvudman/ny/?next={back}"' in builder.get(back).content.decode()
    assert builder.post(f"/huvudman/ny/?next={back}", provider)["Location"] == back
    elsewhere = builder.post("/huvudman/ny/?next=https://example.org/", provider | {"name": "Andra skolor AB"})
    assert elsewhere["Location"] == "/huvudman/ny/"


def test_an_area_without_members_shows_no_empty_tables(builder):
    area = AreaFactory()

    assert "<table" not in builder.get(area.get_absolute_url()).content.decode()


def test_the_end_of_a_membership_tells_all_that_is_wrong_at_once(builder, area, home):
    membership = area.memberships.get(municipality=home)
    membership.valid = span(date(2020, 1, 1), None)
    membership.save()

    response = builder.post(f"{area.get_absolute_url()}medlemmar/{membership.pk}/avsluta/", {"last_day": "2019-01-01"})

    assert {*response.context["form"].errors} == {"last_day", "confirm"}


@pytest.mark.parametrize("code", ["1234567", "1234567a", "12345678\n1"])
def test_a_school_unit_code_has_eight_figures(school, code):
    school.school_unit_code = code

    with pytest.raises(ValidationError):
        school.clean_fields()
