"""The catalogue, the matrix and what is missing, as pages: what they show, and at what cost."""

import csv
import io
import re
from datetime import date, timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import load_workbook

from collab4m.clock import today
from collab4m.school_year import SchoolYear
from programmes.models import OfferingFact, OfferingReport
from records.models import Source, span
from tests.factories import (
    MembershipFactory,
    MunicipalityFactory,
    OfferingReportFactory,
    OrientationFactory,
    ProgrammeFactory,
    PupilFlowFactory,
    SuccessionFactory,
)
from tests.programmes.offers import independent_school, own_school, report, say

pytestmark = pytest.mark.django_db
YEAR = SchoolYear(2022)


def words(html: str) -> str:
    """Text without markup."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


def rows_of(response) -> dict[str, str]:
    """The rows of the page's tables that have an id, as text."""
    found = re.findall(r'<tr[^>]* id="([^"]+)".*?</tr>', response.content.decode(), re.DOTALL)
    bodies = re.findall(r'<tr[^>]* id="[^"]+"(.*?)</tr>', response.content.decode(), re.DOTALL)
    return {name: words(f"<tr {body}") for name, body in zip(found, bodies, strict=True)}


def key(programme, orientation=None) -> str:
    return f"rad-{programme.pk}-{orientation.pk if orientation else 0}"


@pytest.fixture
def reader(client, asker):
    asker.language = "en"
    asker.save()
    client.force_login(asker)
    return client


@pytest.fixture
def building(db):
    return ProgrammeFactory(code="BA", name_sv="Byggprogrammet")


def queries(client, address) -> int:
    """What a page costs the second time: the first fills what a process keeps."""
    client.get(address)
    with CaptureQueriesContext(
        connection,
    ) as spent:
        assert client.get(address).status_code == 200
    return len(spent)


# The catalogue


def test_the_catalogue_stands_by_kind_in_swedish_order(reader):
    for code, name in [("ZA", "Ökenprogrammet"), ("ZB", "Åkerprogrammet"), ("ZC", "Zonprogrammet")]:
        ProgrammeFactory(code=code, name_sv=name)
    ProgrammeFactory(code="ZD", name_sv="Ämnesprogrammet", kind="preparatory")

    text = words(reader.get("/program/").content.decode())

    places = [text.index(name) for name in ("Zonprogrammet", "Åkerprogrammet", "Ökenprogrammet", "Ämnesprogrammet")]
    assert places == sorted(places)


def test_an_unknown_first_day_stays_unknown_and_a_last_day_is_told(reader):
    ProgrammeFactory(code="HA", name_sv="Handelsprogrammet", valid=span(None, date(2022, 6, 30)))

    text = words(reader.get("/program/").content.decode())

    assert "first day unknown , the last day was 2022-06-30" in text


def test_the_catalogue_is_searched_by_code_name_and_orientation(reader, building):
    OrientationFactory(programme=building, code="BAHUS", name_sv="Husbyggnad")
    ProgrammeFactory(code="VO", name_sv="Vårdprogrammet")

    for sought in ("BA", "bygg", "husbygg", "BAHUS"):
        page = reader.get("/program/", {"q": sought})
        assert [one.code for group in page.context["groups"] for one in group.programmes] == ["BA"], sought


def test_a_programme_tells_what_pupils_become_what_came_after_and_where_it_is(reader, home, neighbour):
    old = ProgrammeFactory(
        code="HA",
        name_sv="Handelsprogrammet",
        outcome_sv="Eleverna kan bli säljare.",
        valid=span(None, date(2022, 6, 30)),
    )
    new = ProgrammeFactory(code="FS", name_sv="Serviceprogrammet", family="HA")
    old.family = "HA"
    old.save()
    SuccessionFactory(kind="replaced", from_programme=old, to_programme=new, since=date(2022, 7, 1))
    report(own_school(neighbour, name="Carlforsska"), new)

    before, after = (words(reader.get(f"/program/{code}/").content.decode()) for code in ("HA", "FS"))

    assert "Eleverna kan bli säljare." in before
    assert "2022-07-01 : replaced by FS Serviceprogrammet" in before
    assert "Takes no new pupils since 30 June 2022" in before
    assert "Eleverna kan bli säljare." in after
    assert "which it goes back to" in after
    assert "Carlforsska" in before
    assert "Carlforsska" in after


# The matrix


def test_three_answers_stand_apart_with_what_is_last_known(reader, home, neighbour, building):
    missing = ProgrammeFactory(code="VO", name_sv="Vårdprogrammet")
    unheard = ProgrammeFactory(code="NB", name_sv="Naturbruk")
    school = own_school(neighbour, name="Carlforsska")
    there = report(school, complete=False)
    say(there, building, seats=24)
    say(there, missing, offered=False)
    paper = Source.objects.create(key="a", publisher="Tidningen", title="Om skolan")
    OfferingFact.objects.create(municipality=neighbour, school=school, programme=unheard, year="2021", source=paper)

    page = reader.get("/program/utbud/")
    rows = rows_of(page)

    assert page.context["year"] == YEAR
    assert "24 Offered, BA Byggprogrammet" in rows[key(building)]
    assert "Not offered, VO Vårdprogrammet" in rows[key(missing)]
    assert "2021 Not reported, last known: offered, 2021." in rows[key(unheard)]
    assert "Tidningen" in page.content.decode()


def test_independent_schools_stand_beside_the_municipality_s_own(reader, neighbour, building):
    report(own_school(neighbour, name="Carlforsska"))
    report(independent_school(neighbour, name="Fria skolan"), building)

    by_school = words(reader.get("/program/utbud/").content.decode())
    by_municipality = rows_of(reader.get("/program/utbud/?visning=kommun"))

    assert by_school.index("Carlforsska") < by_school.index("Fria skolan")
    assert "(Västerås not offered)" in by_municipality[key(building)]


def test_the_matrix_opens_on_the_latest_reported_year_and_obeys_the_address(reader, neighbour, building):
    school = own_school(neighbour)
    report(school, building)
    OfferingReportFactory(school=school, school_year=SchoolYear(2024))

    assert reader.get("/program/utbud/").context["year"] == SchoolYear(2024)
    assert reader.get("/program/utbud/?lasar=2022-23").context["year"] == YEAR
    assert reader.get("/program/utbud/?lasar=2022-24").status_code == 404
    assert reader.get("/program/utbud/?omrade=finns-inte").status_code == 404


def test_a_search_opens_the_orientations_it_finds(reader, neighbour, building):
    OrientationFactory(programme=building, name_sv="Husbyggnad")
    ProgrammeFactory(code="VO", name_sv="Vårdprogrammet")

    page = reader.get("/program/utbud/", {"q": "husb"})

    assert key(building) in rows_of(page)
    assert 'data-open="yes"' in page.content.decode()
    assert "Vårdprogrammet" not in page.content.decode()


def test_only_rows_where_an_answer_is_missing(reader, neighbour, building):
    unheard = ProgrammeFactory(code="VO", name_sv="Vårdprogrammet")
    report(own_school(neighbour), building, complete=False)

    assert list(rows_of(reader.get("/program/utbud/?svar=saknas"))) == [key(unheard)]


def test_figures_of_schools_are_added_and_those_of_levels_never(reader, neighbour, building):
    one, other = OrientationFactory(programme=building), OrientationFactory(programme=building)
    first, second = report(own_school(neighbour)), report(own_school(neighbour))
    say(first, building)
    say(first, one, seats=10)
    say(first, other, seats=12)
    say(second, building, seats=8)

    rows = rows_of(reader.get("/program/utbud/?visning=kommun"))

    assert re.search(r"\b30 Offered, BA", rows[key(building)])


def offer_in(client, address) -> list[dict[str, str]]:
    page = client.get(address)
    if "xlsx" in address:
        sheet = load_workbook(io.BytesIO(page.content)).active
        head, *rows = (
            [("" if cell is None else str(cell)) for cell in row] for row in sheet.iter_rows(values_only=True)
        )
        return [dict(zip(head, row, strict=True)) for row in rows]
    return list(csv.DictReader(io.StringIO(page.content.decode("utf-8-sig")), delimiter=";"))


def test_csv_and_xlsx_hold_what_the_page_holds(reader, neighbour, building):
    orientation = OrientationFactory(programme=building, code="BAHUS", name_sv="Husbyggnad")
    school = own_school(neighbour, name="=Carlforsska")
    there = report(school, example=True, source_note="Exempel")
    say(there, orientation, seats=24, admitted=20)

    as_csv = offer_in(reader, "/program/utbud/fil/csv/")
    as_xlsx = offer_in(reader, "/program/utbud/fil/xlsx/")
    page = rows_of(reader.get("/program/utbud/"))

    assert [row["Answer"] for row in as_csv] == ["offered", "offered"]
    assert [(row["Orientation code"], row["Seats"], row["Admitted"]) for row in as_csv] == [
        ("", "24", "20"),
        ("BAHUS", "24", "20"),
    ]
    assert [row["Example"] for row in as_csv] == ["yes", "yes"]
    assert as_csv[0]["School"] == "'=Carlforsska"  # never a formula when it is opened
    assert [{**row, "School": row["School"].lstrip("'")} for row in as_csv] == as_xlsx
    assert all("24 Offered" in page[name] for name in (key(building), key(building, orientation)))


@pytest.mark.parametrize("address", ["/program/", "/program/utbud/", "/program/saknas/", "/program/rapportering/"])
def test_a_page_costs_the_same_with_one_row_and_with_three(reader, area, home, neighbour, address):
    def add(number: int) -> None:
        programme = ProgrammeFactory(code=f"PX{number}")
        OrientationFactory(programme=programme)
        for municipality in (home, neighbour):
            school = own_school(municipality)
            made = report(school, complete=False)
            say(made, programme, seats=number + 5)
            OfferingFact.objects.create(municipality=municipality, school=school, programme=ProgrammeFactory())
            report(independent_school(municipality), programme)
        PupilFlowFactory(home=neighbour, provider_municipality=home, programme=programme, pupils=9)

    add(1)
    with_one = queries(reader, address)
    add(2)
    add(3)
    for number in (4, 5):
        member = MembershipFactory(area=area, municipality=MunicipalityFactory(), position=number).municipality
        report(own_school(member))

    assert queries(reader, address) == with_one


# What is missing


def test_what_is_missing_stands_in_three_lists_and_each_row_says_why(reader, home, neighbour, building):
    nowhere, unheard = ProgrammeFactory(code="NB", name_sv="Naturbruk"), ProgrammeFactory(code="VO", name_sv="Vård")
    own = own_school(neighbour, name="Carlforsska")
    there = own_school(home, name="Westerlundska")
    report(own, denied=[building, nowhere], complete=False)
    made = report(there)
    say(made, building, seats=16, first_choice_applicants=20)
    report(independent_school(neighbour, name="Fria skolan"), building)
    PupilFlowFactory(home=neighbour, provider_municipality=home, programme=building, pupils=12)

    page = reader.get("/program/saknas/")
    rows = rows_of(page)

    assert page.context["municipality"] == neighbour
    states = {gap.programme.code: str(gap.state) for gap in page.context["gaps"].rows}
    assert states == {"BA": "neighbour_offers", "NB": "nobody_offers", "VO": "not_reported"}
    assert "Westerlundska" in rows[key(building)]
    assert "16 seats, 20 first-choice applicants" in rows[key(building)]
    assert "Beside: independent schools" in rows[key(building)]
    assert "Fria skolan" in rows[key(building)]
    assert "Carlforsska: Not offered" in rows[key(building)]
    assert rows[key(building)].endswith(" 12 Start an agreement : Byggprogrammet")
    assert "All members of the area have answered" in rows[key(nowhere)]
    assert "No answer yet from: Carlforsska" in rows[key(unheard)]


def test_what_is_missing_is_filtered_by_kind_level_and_demand(reader, home, neighbour, building):
    wanted = ProgrammeFactory(code="VO", name_sv="Vård", kind="preparatory")
    report(own_school(neighbour))
    made = report(own_school(home))
    say(made, building, seats=30, first_choice_applicants=10)
    say(made, wanted, seats=10, first_choice_applicants=30)
    PupilFlowFactory(home=neighbour, provider_municipality=home, programme=building, pupils=12)

    def shown(query: str) -> list[str]:
        return list(rows_of(reader.get(f"/program/saknas/?{query}")))

    assert shown("") == [key(building), key(wanted)]
    assert shown("typ=yrkes") == [key(building)]
    assert shown("efterfragan=elever") == [key(building)]
    assert shown("efterfragan=tryck") == [key(wanted)]


def test_a_masked_number_does_not_decide_what_an_outsider_sees(reader, client, outsider, home, neighbour, building):
    report(own_school(home))
    say(report(own_school(neighbour)), building)
    PupilFlowFactory(home=home, provider_municipality=neighbour, programme=building, pupils=3)
    client.force_login(outsider)
    address = f"/program/saknas/?kommun={home.code}"

    assert "under 5" in words(client.get(address).content.decode()) or "färre än 5" in words(
        client.get(address).content.decode()
    )
    assert list(rows_of(client.get(f"{address}&efterfragan=elever"))) == []


def test_a_municipality_without_neighbours_is_told_so(reader, building):
    alone = MunicipalityFactory(name="Orust", code="1421")

    text = words(reader.get("/program/saknas/?kommun=1421").content.decode())

    assert alone.name in text
    assert "belongs to no cooperation area that year" in text


def test_a_reader_without_municipality_begins_with_the_area_s_first(client, home, council_member, building):
    client.force_login(council_member)

    assert client.get("/program/saknas/").context["municipality"] == home


# The start page and the search


def test_the_start_page_tells_who_has_reported_and_what_one_should_report(
    client, owner, home, neighbour, area, building
):
    report(own_school(neighbour), building)
    own_school(home, name="Westerlundska")
    owner.language = "en"
    owner.save()
    client.force_login(owner)
    area.reporting_deadlines.create(school_year=YEAR, last_day=date(2022, 11, 1))
    this_year = SchoolYear.of(today())
    area.reporting_deadlines.create(school_year=this_year, last_day=today() + timedelta(days=5))

    text = words(client.get("/").content.decode())

    assert "1 of 2 municipalities have reported their whole offer 2022/23" in text
    assert f"Report what Westerlundska offers {this_year}" in text
    assert "Report what Westerlundska offers 2022/23" not in text  # too long ago to be on a list


def test_the_search_finds_programmes_and_orientations(reader, building):
    OrientationFactory(programme=building, name_sv="Husbyggnad")

    text = words(reader.get("/sok/", {"q": "husbyggnad"}).content.decode())

    assert "Husbyggnad, BA" in text
    assert "BA Byggprogrammet" in words(reader.get("/sok/", {"q": "ba"}).content.decode())


def test_the_directory_s_pages_lead_to_the_offer(reader, area, home, school):
    report(school)

    for address, there in [
        (school.get_absolute_url(), f"/program/rapportering/{school.pk}/2022-23/"),
        (home.get_absolute_url(), "/program/saknas/?kommun=0381"),
        (area.get_absolute_url(), "/program/utbud/?omrade=4m"),
    ]:
        assert there in reader.get(address).content.decode()
    assert OfferingReport.objects.count() == 1
