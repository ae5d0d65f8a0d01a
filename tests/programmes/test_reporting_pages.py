"""Reporting by form: last year's copied forward, what is wrong told at its field, and two who save the same school."""

import pytest
from django.core import mail

from collab4m.school_year import SchoolYear
from programmes.models import Offering, OfferingReport
from tests.factories import OfferingReportFactory, OrientationFactory, ProgrammeFactory, PupilFlowFactory
from tests.programmes.offers import independent_school, own_school, report, say
from tests.programmes.test_offer_pages import queries, words

pytestmark = pytest.mark.django_db


@pytest.fixture
def building(db):
    return ProgrammeFactory(code="BA", name_sv="Byggprogrammet")


@pytest.fixture
def house(building):
    return OrientationFactory(programme=building, name_sv="Husbyggnad")


@pytest.fixture
def at_home(home):
    return own_school(home, name="Westerlundska")


@pytest.fixture
def reporter(client, owner):
    owner.language = "en"
    owner.save()
    client.force_login(owner)
    return client


def name_of(programme, orientation=None) -> str:
    return f"rad-{programme.pk}-{orientation.pk if orientation else 0}"


def form_at(client, address: str) -> dict[str, str]:
    """What a browser would send if nobody touched the form."""
    form = client.get(address).context["form"]
    sent = {"seen": form["seen"].value(), "source_note": form["source_note"].value()}
    for row in form.all_rows():
        sent[f"{row.name}-svar"] = row.answer
        sent |= {f"{row.name}-{name}": typed for name, _label, typed, _wrong in row.cells}
    return sent


def address_of(school, year="2022-23") -> str:
    return f"/program/rapportering/{school.pk}/{year}/andra/"


def test_a_report_is_written_and_shown(reporter, at_home, building, house):
    sent = form_at(reporter, address_of(at_home))
    sent |= {
        f"{name_of(building, house)}-svar": "ja",
        f"{name_of(building, house)}-seats": "1 024",
        "as_of": "2022-10-15",
    }

    answer = reporter.post(address_of(at_home), {**sent, "complete": "on"}, follow=True)

    assert answer.redirect_chain == [(f"/program/rapportering/{at_home.pk}/2022-23/", 302)]
    assert "The whole offer is reported." in words(answer.content.decode())
    row = Offering.objects.get()
    assert (row.report.complete, row.orientation, row.seats, str(row.as_of)) == (True, house, 1024, "2022-10-15")
    assert row.report.on_behalf_of.pk == at_home.municipality.pk


def test_figures_alone_say_that_it_is_offered(reporter, at_home, building):
    sent = form_at(reporter, address_of(at_home)) | {f"{name_of(building)}-seats": "24"}

    reporter.post(address_of(at_home), sent)

    assert Offering.objects.get().offered


def test_last_year_s_report_is_copied_forward_and_saved_only_when_somebody_saves(reporter, at_home, building, house):
    say(report(at_home), house, seats=24, admitted=20)

    page = reporter.get(address_of(at_home, "2023-24"))
    sent = form_at(reporter, address_of(at_home, "2023-24"))

    assert "The report for 2022/23 is filled in below" in words(page.content.decode())
    assert sent[f"{name_of(building, house)}-svar"] == "ja"
    assert (sent[f"{name_of(building, house)}-seats"], sent[f"{name_of(building, house)}-admitted"]) == ("24", "")
    assert OfferingReport.objects.count() == 1
    reporter.post(address_of(at_home, "2023-24"), sent)
    assert Offering.objects.get(report__school_year=SchoolYear(2023)).seats == 24


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("-3", "below 0"),
        ("tolv", "Write a whole number in figures"),
        ("2,5", "whole number"),
        ("99999999", "at most"),
        ("٣٤", "whole number"),
    ],
)
def test_what_is_wrong_is_told_at_its_field_and_nothing_is_lost(reporter, at_home, building, typed, told):
    sent = form_at(reporter, address_of(at_home))
    sent |= {f"{name_of(building)}-seats": typed, "source_note": "Antagningen"}

    answer = reporter.post(address_of(at_home), sent)

    text = answer.content.decode()
    assert f'href="#{name_of(building)}-seats"' in text
    assert told in words(text)
    assert f'value="{typed}"' in text
    assert 'value="Antagningen"' in text
    assert not OfferingReport.objects.exists()


def test_levels_are_never_mixed(reporter, at_home, building, house):
    sent = form_at(reporter, address_of(at_home))
    sent |= {f"{name_of(building)}-seats": "24", f"{name_of(building, house)}-seats": "12"}

    answer = reporter.post(address_of(at_home), sent)

    assert "so that nobody is counted twice" in words(answer.content.decode())
    assert f'href="#{name_of(building)}-ja"' in answer.content.decode()
    assert not OfferingReport.objects.exists()


def test_a_denied_programme_has_no_figures(reporter, at_home, building):
    sent = form_at(reporter, address_of(at_home))
    sent |= {f"{name_of(building)}-svar": "nej", f"{name_of(building)}-seats": "24"}

    assert "is not offered, so it has no figures" in words(reporter.post(address_of(at_home), sent).content.decode())


def test_whoever_saves_second_sees_what_stands_and_loses_nothing(reporter, client, owner, principal, school, building):
    other = ProgrammeFactory(code="VO")
    mine = form_at(reporter, address_of(school)) | {f"{name_of(building)}-seats": "24"}
    client.force_login(principal)
    client.post(address_of(school), form_at(client, address_of(school)) | {f"{name_of(other)}-seats": "30"})
    client.force_login(owner)

    answer = client.post(address_of(school), mine)

    text = words(answer.content.decode())
    assert "saved this report" in text
    assert "Saved by somebody else: offered, 30 seats" in text
    assert 'value="24"' in answer.content.decode()
    assert [row.programme for row in Offering.objects.all()] == [other]
    again = form_of(answer) | {f"{name_of(other)}-seats": "30", f"{name_of(other)}-svar": "ja"}
    assert client.post(address_of(school), again).status_code == 302
    assert {row.programme.code: row.seats for row in Offering.objects.all()} == {"BA": 24, "VO": 30}


def form_of(answer) -> dict[str, str]:
    form = answer.context["form"]
    sent = {"seen": form.data["seen"]}
    for row in form.all_rows():
        sent[f"{row.name}-svar"] = row.answer
        sent |= {f"{row.name}-{name}": typed for name, _label, typed, _wrong in row.cells}
    return sent


@pytest.mark.parametrize("address", ["/program/rapportering/{}/2022-23/", "/program/rapportering/{}/2022-23/andra/"])
def test_a_report_and_its_form_cost_the_same_with_one_row_and_with_three(reporter, at_home, house, address):
    say(report(at_home), house, seats=24)
    with_one = queries(reporter, address.format(at_home.pk))
    for number in range(2):
        say(OfferingReport.objects.get(), OrientationFactory(), seats=number)

    assert queries(reporter, address.format(at_home.pk)) == with_one


# How far reporting has come


def test_the_page_tells_how_far_each_member_has_come(reporter, home, neighbour, building):
    report(own_school(home, name="Westerlundska"), building)
    report(own_school(neighbour, name="Carlforsska"), complete=False)
    own_school(neighbour, name="Hahrska")
    independent_school(neighbour, name="Fria skolan")

    text = words(reporter.get("/program/rapportering/").content.decode())

    assert "1 of 2 municipalities have reported" in text
    assert "0 of 2 own schools done" in text
    assert "Fria skolan" in text


def test_one_click_reminds_and_a_second_within_a_day_does_not(reporter, asker, neighbour, building):
    own_school(neighbour, name="Carlforsska")
    address = f"/program/rapportering/kommun/{neighbour.pk}/2022-23/paminn/"

    first = reporter.post(address, {"omrade": "4m"}, follow=True)
    second = reporter.post(address, {"omrade": "4m"}, follow=True)

    assert "is reminded: mail to one person." in words(first.content.decode())
    assert "has been reminded in the last 24 hours" in words(second.content.decode())
    assert "Reminded today" in words(second.content.decode())
    assert len(mail.outbox) == 0  # mail goes through the outbox, which the worker empties


def test_a_member_sets_the_last_day(reporter, area, home):
    answer = reporter.post(
        "/program/rapportering/sista-dag/?omrade=4m&lasar=2022-23", {"last_day": "2022-11-01"}, follow=True
    )

    assert "The last day was 1 November 2022" in words(answer.content.decode())
    wrong = reporter.post("/program/rapportering/sista-dag/?omrade=4m&lasar=2022-23", {"last_day": "snart"})
    assert wrong.status_code == 200
    assert 'value="snart"' in wrong.content.decode()


def test_a_municipality_without_schools_says_so(reporter, home):
    answer = reporter.post(f"/program/rapportering/kommun/{home.pk}/2022-23/ingen-skola/", follow=True)

    assert "It is reported that the municipality runs no school that year." in words(answer.content.decode())
    assert OfferingReport.objects.get().complete
    back = reporter.post(f"/program/rapportering/kommun/{home.pk}/2022-23/ingen-skola/ta-tillbaka/", follow=True)
    assert "It is taken back" in words(back.content.decode())
    assert not OfferingReport.objects.exists()


def test_a_report_is_read_by_everyone_and_says_what_is_open(reporter, at_home, building, house):
    other = ProgrammeFactory(code="VO", name_sv="Vård")
    made = report(at_home, complete=False)
    say(made, house, seats=24)

    text = words(reporter.get(f"/program/rapportering/{at_home.pk}/2022-23/").content.decode())

    assert "The school has begun to report" in text
    assert "Nobody has said whether the school offers these programmes. VO Vård" in text
    assert other.code in text
    assert reporter.get(f"/program/rapportering/{at_home.pk}/2022-24/").status_code == 404
    assert reporter.get("/program/rapportering/0/2022-23/").status_code == 404


# Pupil flows


def test_pupil_flows_are_reported_and_shown(reporter, home, neighbour, building):
    sent = {
        "home": home.pk, "provider_municipality": neighbour.pk, "programme": building.pk, "school_year": "2022/23",
        "semester": "HT", "pupils": "12", "source_note": "",
    }  # fmt: skip

    back = {**sent, "home": neighbour.pk, "provider_municipality": home.pk, "pupils": "5"}

    first = reporter.post("/program/elevstrommar/andra/", sent, follow=True)
    second = reporter.post("/program/elevstrommar/andra/", back, follow=True)

    assert first.redirect_chain[0][0] == "/program/elevstrommar/?termin=HT-2022-23"
    assert "not known" in words(first.content.decode())
    assert "−7" in words(second.content.decode())
    assert "+7" in words(second.content.decode())


@pytest.mark.parametrize("pupils", ["-1", "tolv", "", "1e9", "999999999999"])
def test_a_wrong_number_of_pupils_is_told(reporter, home, neighbour, building, pupils):
    sent = {
        "home": home.pk, "provider_municipality": neighbour.pk, "programme": building.pk, "school_year": "2022/23",
        "semester": "HT", "pupils": pupils,
    }  # fmt: skip

    answer = reporter.post("/program/elevstrommar/andra/", sent)

    assert answer.status_code == 200
    assert 'href="#id_pupils"' in answer.content.decode()


def test_the_flows_of_others_cannot_be_reported(reporter, home, neighbour, elsewhere, building):
    sent = {
        "home": neighbour.pk, "provider_municipality": elsewhere.pk, "programme": building.pk,
        "school_year": "2022/23", "semester": "HT", "pupils": "12",
    }  # fmt: skip

    answer = reporter.post("/program/elevstrommar/andra/", sent)

    assert "Only the home municipality or the one where the pupils study" in words(answer.content.decode())


def test_the_flows_cost_the_same_with_one_row_and_with_three(reporter, home, neighbour):
    PupilFlowFactory(home=home, provider_municipality=neighbour)
    one = queries(reporter, "/program/elevstrommar/")
    PupilFlowFactory(home=home, provider_municipality=neighbour)
    PupilFlowFactory(home=neighbour, provider_municipality=home)

    assert queries(reporter, "/program/elevstrommar/") == one


def test_reports_of_other_years_do_not_change_how_far_this_one_has_come(reporter, home, building):
    OfferingReportFactory(school=own_school(home), school_year=SchoolYear(2021), complete=True)

    assert "0 of 1 own schools done" in words(reporter.get("/program/rapportering/?lasar=2022-23").content.decode())
