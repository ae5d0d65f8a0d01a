"""Files with offers and pupil flows: what is wrong is told, nothing of it stays, and a good one is written whole."""

import html
import io
import os
import re
import threading
import tracemalloc
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from collab4m.clock import today
from collab4m.school_year import SchoolYear
from organisations.models import RoleKind, School
from programmes.models import (
    ColumnChoice,
    FileImport,
    ImportRow,
    Offering,
    OfferingReport,
    PupilFlow,
    year_in_address,
)
from programmes.operations import (
    FileBusy,
    FileGone,
    FileRefused,
    Intake,
    IntakeRefused,
    NotYourSchool,
    choose_columns,
    confirm_file,
    drop_file,
    forget_files,
    read_file,
    report_offering,
    take_in_file,
)
from records.models import Event, Job, JobState
from records.operations import retry_job, work_off_jobs
from tests.collab4m.test_tables import REFUSED, hidden_bomb, workbook
from tests.factories import OrientationFactory, ProgrammeFactory, RoleFactory, SchoolFactory, UserFactory

pytestmark = pytest.mark.django_db

YEAR = SchoolYear.of(today())
NAME = "utbud <å> & 'b'"
OFFERS, FLOWS = "/program/rapportering/importera/", "/program/elevstrommar/importera/"
HEADINGS = "Skola;Programkod;Inriktningskod;Platser"
MODELS = (FileImport, ImportRow, ColumnChoice, OfferingReport, Offering, PupilFlow, Event, Job)


@pytest.fixture
def programme():
    return ProgrammeFactory(code="BA", name_sv="Bygg- och anläggningsprogrammet")


@pytest.fixture
def husbyggnad(programme):
    return OrientationFactory(programme=programme, code="BAHUS", name_sv="Husbyggnad")


@pytest.fixture
def plat(programme):
    return OrientationFactory(programme=programme, name_sv="Plåtslageri")


@pytest.fixture
def sender(owner, school, programme, husbyggnad, plat, neighbour):
    """The administrator who sends files; reads English, so that the texts stand here as they are in the code."""
    owner.language = "en"
    owner.save()
    return owner


@pytest.fixture
def desk(client, sender):
    client.force_login(sender)
    return client


def lines(*rows, headings=HEADINGS):
    return "\r\n".join([headings, *rows, ""]).encode()


def send(client, content, name=f"{NAME}.csv", address=OFFERS, **more):
    file = SimpleUploadedFile(name, content)
    return client.post(address, {"school_year": str(YEAR), "file": file, **more})


def counts():
    return {model.__name__: model.objects.count() for model in MODELS}


def words(response):
    """What the page says, as one reads it."""
    found = html.unescape(re.sub(r"<[^>]*>", " ", response.content.decode()))
    return " ".join(found.split())


def take_in(sender, home, content, kind="offerings", name="utbud.csv"):
    return take_in_file(
        kind, name=name, content=content, municipality=home, school_year=YEAR, by=sender, on_behalf_of=home.body
    )


# What is wrong in a file

SCHOOL = "Westerlundska gymnasiet"
SEVERAL = lines(f"{SCHOOL};BA;;många", f"{SCHOOL};BA;BAHUS;-3")

BAD = {
    "unknown school": (lines("Okänd skola;BA;;5"), 2, "1", "Enköping has no school called “Okänd skola” that year."),
    "no school": (lines(";BA;;5"), 2, "1", "Write the school's name or its school unit code."),
    "unknown programme": (lines(f"{SCHOOL};ZZ;;5"), 2, "2", "“ZZ” is no programme that new pupils can begin on"),
    "no programme": (lines(f"{SCHOOL};;;5"), 2, "2", "Write the programme's code, for example BA."),
    "unknown orientation": (lines(f"{SCHOOL};BA;XX;5"), 2, "3", "BA has no orientation “XX” for new pupils"),
    "text in a number": (lines(f"{SCHOOL};BA;;många"), 2, "4", "Write a whole number in figures, for example 24"),
    "negative seats": (lines(f"{SCHOOL};BA;;-3"), 2, "4", "The number cannot be below 0."),
    "decimals": (lines(f"{SCHOOL};BA;;2,5"), 2, "4", "Write a whole number without decimals."),
    "too large": (lines(f"{SCHOOL};BA;;99999"), 2, "4", "The number is too large. Write at most 32767."),
    "same row twice": (lines(f"{SCHOOL};BA;;5", f"{SCHOOL};ba;;6"), 3, "2", "The same stands on line 2."),
    "figures at both levels": (
        lines(f"{SCHOOL};BA;;5", f"{SCHOOL};BA;BAHUS;6"), 2, "2", "either for the programme or for its orientations"
    ),
    "figures of what is not offered": (
        lines(f"{SCHOOL};BA;nej;5", headings="Skola;Programkod;Svar;Platser"), 2, "2", "is not offered, so it has no"
    ),
    "an unclear answer": (
        lines(f"{SCHOOL};BA;kanske;5", headings="Skola;Programkod;Svar;Platser"), 2, "3", "Write yes or no."
    ),
    "figures without an answer": (
        lines(f"{SCHOOL};BA;not reported;5", headings="Skola;Programkod;Svar;Platser"), 2, "3",
        "The row has figures but no answer.",
    ),
    "another school year": (
        lines(f"{SCHOOL};BA;2001/02", headings="Skola;Programkod;Läsår"), 2, "3", "The row is about 2001/02, but"
    ),
    "mixed school years": (
        lines(f"{SCHOOL};BA;{YEAR}", f"{SCHOOL};BA;{YEAR + 1}", headings="Skola;Programkod;Läsår"), 3, "3",
        "Send one file for each year.",
    ),
    "no school year": (
        lines(f"{SCHOOL};BA;hösten", headings="Skola;Programkod;Läsår"), 2, "3", "Write the school year as 2022/23."
    ),
    "another municipality's row": (
        lines(f"Västerås;{SCHOOL};BA", headings="Kommun;Skola;Programkod"), 2, "1", "The row belongs to Västerås."
    ),
    "another municipality's school": (
        lines("Grannskolan;BA;;5"), 2, "1", "Grannskolan lies in Västerås. You send in the offer of Enköping."
    ),
    "a day that can be read two ways": (
        lines(f"{SCHOOL};BA;05/06/2022", headings="Skola;Programkod;Datum"), 2, "3", "Write the day as 2022-10-15."
    ),
    "markup in a cell": (lines(f"{SCHOOL};<script>alert(1)</script>;;5"), 2, "2", "is no programme"),
    "unknown headings": (lines("a;b", headings="Foo;Bar"), 1, "", "None of the headings is known."),
    "no row that says anything": (
        lines(f"{SCHOOL};BA;not reported", headings="Skola;Programkod;Svar"), None, "", "No row says anything."
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_row_is_told_with_its_place_and_leaves_no_trace(desk, neighbour, kind):
    SchoolFactory(name="Grannskolan", municipality=neighbour)
    content, line, column, message = BAD[kind]
    before = counts()

    response = send(desk, content)

    said = words(response)
    assert response.status_code == 200
    assert message in said
    place = [f"line {line}"] * bool(line) + [f"column {column}"] * bool(column)
    assert f"“{NAME}.csv” cannot be used as it is. {', '.join(place).capitalize()}" in said
    assert "<script>alert" not in response.content.decode()
    assert counts() == before


@pytest.mark.parametrize("kind", [*REFUSED, "zip bomb"])
def test_what_is_no_table_is_told_with_its_place_and_leaves_no_trace(desk, kind):
    name, content, message, line, column = REFUSED.get(kind) or ("a.xlsx", hidden_bomb(), "The workbook", None, "")
    name = name.replace("a.", f"{NAME}.")
    before = counts()

    response = send(desk, content, name)

    said = words(response)
    assert response.status_code == 200
    assert message in said
    assert f"“{name}”" in said
    assert (f"Line {line}" in said) or line is None
    assert (f"column {column}:" in said) or not column
    assert counts() == before


@pytest.mark.parametrize(
    ("headings", "row", "column", "message"),
    [
        (
            "Hemkommun;Skolkommun;Programkod;Termin;Elever",
            "Enköping;Väster;BA;HT;4",
            "2",
            "“Väster” is no municipality.",
        ),
        ("Hemkommun;Skolkommun;Programkod;Termin;Elever", "Enköping;Västerås;BA;HT;", "5", "Write how many pupils"),
        (
            "Hemkommun;Skolkommun;Programkod;Termin;Elever",
            "Enköping;Västerås;BA;Q3;4",
            "4",
            "Write the semester as HT or VT.",
        ),
        (
            "Hemkommun;Skolkommun;Programkod;Termin;Elever",
            "Västerås;1980;BA;HT;4",
            "1",
            "The row is not about Enköping.",
        ),
    ],
)
def test_a_bad_flow_is_told_with_its_place_and_leaves_no_trace(desk, headings, row, column, message):
    before = counts()

    response = send(desk, lines(row, headings=headings), address=FLOWS)

    assert response.status_code == 200
    assert f"cannot be used as it is. Line 2, column {column}" in words(response)
    assert message in words(response)
    assert counts() == before


def test_every_fault_is_told_up_to_200_with_how_many_there_are(desk, sender, home):
    content = lines(*[f"{SCHOOL};ZZ{number};;många" for number in range(150)])

    with pytest.raises(FileRefused) as refused:
        take_in(sender, home, content)
    response = send(desk, content)

    assert (len(refused.value.problems), refused.value.total) == (200, 300)
    assert "300 things to correct in the file" in words(response)
    assert "The first 200 are shown." in words(response)


def test_no_file_is_told_at_the_field(desk):
    response = desk.post(OFFERS, {"school_year": str(YEAR)})

    assert response.status_code == 200
    assert "Choose a file: CSV (.csv) or an Excel workbook (.xlsx)." in words(response)


# What is right in a file


def test_nothing_is_written_until_it_is_confirmed_and_then_all_of_it(desk, sender, school, programme, husbyggnad, plat):
    rows = (f"{SCHOOL};BA;BAHUS;1 200;15/10 2022;24,0", f"{SCHOOL};BA;Plåtslageri;\u00a08;2022-10-15;")
    content = (
        lines(*rows, headings="Skola;Programkod;Inriktningskod;Platser;Uppgift per;Antagna").decode().encode("cp1252")
    )

    response = send(desk, content)

    file = FileImport.objects.get()
    assert (response.status_code, response.url) == (302, file.get_absolute_url())
    assert (Offering.objects.count(), file.rows.count()) == (0, 2)
    assert "Nothing is saved yet." in words(desk.get(response.url))

    response = desk.post(reverse("file_confirm", args=[file.pk]), {})

    assert response.url == f"/program/rapportering/?lasar={year_in_address(YEAR)}"
    report = OfferingReport.objects.get()
    assert (report.school, report.school_year, report.complete, report.came_in) == (school, YEAR, False, "import")
    assert report.source_note == f"From the file {NAME}.csv."
    found = report.offerings.order_by("pk").values_list("orientation", "seats", "admitted", "as_of__month")
    assert list(found) == [(husbyggnad.pk, 1200, 24, 10), (plat.pk, 8, None, 10)]
    assert not FileImport.objects.exists()
    assert not ImportRow.objects.exists()
    assert list(Event.objects.values_list("name", "by")) == [("offering_report.created", sender.pk)]


def test_a_workbook_is_read_like_a_csv_file(desk, school):
    send(desk, workbook(["Skola", "Programkod", "Platser"], [SCHOOL, "BA", 24]), "utbud.xlsx")

    assert list(ImportRow.objects.values_list("line", "values__school", "values__seats")) == [(2, school.pk, 24)]


def test_a_fault_is_told_with_the_letter_of_a_workbooks_column(desk):
    response = send(desk, workbook(["Skola", "Programkod", "Platser"], [SCHOOL, "BA", "många"]), "utbud.xlsx")

    assert "Line 2, column C, “Platser”: Write a whole number" in words(response)


def test_all_rows_go_in_or_none(sender, home, school, programme):
    """The second school's rows do not go with what somebody reported after the file was read."""
    other = SchoolFactory(name="Andra skolan", municipality=home)
    file = take_in(sender, home, lines(f"{SCHOOL};BA;;5", "Andra skolan;BA;BAHUS;6"))
    report_offering(other, YEAR, [Intake(programme.pk, seats=8)], complete=False, by=sender, on_behalf_of=home.body)
    before = counts()

    with pytest.raises(IntakeRefused):
        confirm_file(file, complete=False)

    assert counts() == before


def test_rows_not_named_stay_unless_the_file_is_the_whole_offer(sender, home, school, programme):
    other = ProgrammeFactory(code="NA")
    confirm_file(take_in(sender, home, lines(f"{SCHOOL};BA;;5", f"{SCHOOL};NA;;6")), complete=False)

    confirm_file(take_in(sender, home, lines(f"{SCHOOL};BA;;7")), complete=False)
    assert dict(Offering.objects.values_list("programme", "seats")) == {programme.pk: 7, other.pk: 6}

    confirm_file(take_in(sender, home, lines(f"{SCHOOL};BA;;8")), complete=True)
    assert dict(Offering.objects.values_list("programme", "seats")) == {programme.pk: 8}
    assert OfferingReport.objects.get().complete


def test_the_preview_shows_what_is_new_changed_and_as_now(desk, sender, home):
    ProgrammeFactory(code="NA")
    ProgrammeFactory(code="EK")
    confirm_file(take_in(sender, home, lines(f"{SCHOOL};BA;;5", f"{SCHOOL};NA;;6")), complete=False)
    file = take_in(sender, home, lines(f"{SCHOOL};BA;;7", f"{SCHOOL};NA;;6", f"{SCHOOL};EK;;8"))

    page = desk.get(file.get_absolute_url())

    shown = [(line["is_new"], line["differs"]) for line in page.context["lines"]]
    assert shown == [(False, True), (False, False), (True, False)]
    assert "now: 5 in the file: 7" in words(page)
    assert page.content.decode().count("<del>") == 1


def test_flows_are_written_and_replaced_many_at_once(desk, sender, home, neighbour, programme):
    headings = "Hemkommun;Skolkommun;Programkod;Termin;Elever"
    for pupils in (40, 40, 41):
        send(desk, lines(f"Enköping;1980;BA;ht 22;{pupils}", "0381;381;BA;VT;4", headings=headings), address=FLOWS)
        response = desk.post(reverse("file_confirm", args=[FileImport.objects.get().pk]), {})
        assert response.url == "/program/elevstrommar/"

    flows = PupilFlow.objects.order_by("pk").values_list(
        "home", "provider_municipality", "semester", "pupils", "came_in"
    )
    assert list(flows) == [(home.pk, neighbour.pk, "HT", 41, "import"), (home.pk, home.pk, "VT", 4, "import")]
    told = Event.objects.order_by("pk").values_list("name", "changes")
    assert [name for name, _changes in told] == ["pupil_flow.reported"] * 2 + ["pupil_flow.changed"]
    assert told[2][1] == {"pupils": ["40", "41"]}


# Columns


def test_columns_are_asked_for_once_and_remembered_for_the_same_headings(desk, sender, home, school):
    headings = "Skola;Utbildning;Antal"
    response = send(desk, lines(f"{SCHOOL};BA;5", headings=headings))
    file = FileImport.objects.get()
    assert response.url == reverse("file_columns", args=[file.pk])
    assert "Which column holds what in “" + NAME in words(desk.get(response.url))

    response = desk.post(response.url, {"school": "0", "programme": "1", "seats": "2"})
    assert response.url == file.get_absolute_url()
    assert list(file.rows.values_list("values__seats", flat=True)) == [5]

    again = take_in(sender, home, lines(f"{SCHOOL};BA;6", headings=headings))
    assert (again.is_read, again.columns) == (True, {"school": 0, "programme": 1, "seats": 2})


def test_columns_are_not_remembered_when_the_file_is_refused_and_the_file_stays_for_another_choice(desk):
    send(desk, lines(f"{SCHOOL};BA;5", headings="Skola;Utbildning;Antal"))
    file = FileImport.objects.get()

    response = desk.post(reverse("file_columns", args=[file.pk]), {"school": "0", "programme": "2"})

    assert response.status_code == 200
    assert "“5” is no programme" in words(response)
    assert (ColumnChoice.objects.count(), FileImport.objects.count(), ImportRow.objects.count()) == (0, 1, 0)
    assert not FileImport.objects.get().is_read


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"school": "0"}, "Choose the column that holds “Programme code”."),
        ({"school": "0", "programme": "0"}, "The column is already chosen above."),
        ({"school": "0", "programme": "99"}, "Choose an answer to “Programme code (must be chosen)”"),
    ],
)
def test_columns_must_be_chosen_once_each(desk, chosen, message):
    send(desk, lines(f"{SCHOOL};BA;5", headings="Skola;Utbildning;Antal"))

    response = desk.post(reverse("file_columns", args=[FileImport.objects.get().pk]), chosen)

    assert response.status_code == 200
    assert message in words(response)


# The portal's own file


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_portals_own_file_can_be_sent_back_as_it_is(client, enkoping, reporter, language, kind):
    """Downloaded in one language, read in the other; what it says afterwards is the same."""
    address = f"{reverse('matrix_file', args=[kind])}?typ=alla&kommun=0381&lasar={year_in_address(YEAR)}"
    client.force_login(reporter)
    school = School.objects.filter(municipality=enkoping, valid__contains=YEAR.first_day).order_by("pk").first()
    rows = (f"{school.name};BA25;;24;", f"{school.name};EE25;;;nej", f"{school.name};NA25;;30;ja")
    content = lines(*rows, headings="Skola;Programkod;Inriktningskod;Platser;Svar")
    confirm_file(take_in(reporter, enkoping, content), complete=True)
    reporter.language = language
    reporter.save()
    first = client.get(address)
    reporter.language = {"sv": "en", "en": "sv"}[language]
    reporter.save()

    response = send(client, first.content, f"utbud.{kind}")

    assert response.status_code == 302, words(response)
    client.post(reverse("file_confirm", args=[FileImport.objects.get().pk]), {"complete": "on"})
    reporter.language = language
    reporter.save()
    assert answers(client.get(address).content, kind) == answers(first.content, kind)


def answers(content, kind):
    """What a downloaded file says, without where it is from."""
    if kind == "csv":
        rows = [line.split(";")[:15] for line in content.decode("utf-8-sig").splitlines()]
    else:
        rows = [row[:15] for row in load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)]
    assert len(rows) > 100
    return rows


# Large files


def many(number, home):
    schools = [SchoolFactory(name=f"Skola {place}", municipality=home) for place in range(number // 10)]
    programmes = [ProgrammeFactory() for _place in range(10)]
    rows = [
        f"{school.name};{programme.code};;{place}" for school in schools for place, programme in enumerate(programmes)
    ]
    return lines(*rows)


@pytest.fixture
def little_at_once(monkeypatch):
    monkeypatch.setattr("programmes.operations.files.READ_AT_ONCE_BYTES", 100)
    monkeypatch.setattr("programmes.operations.files.WRITE_AT_ONCE_ROWS", 10)
    monkeypatch.setattr("programmes.operations.files.BATCH", 7)


@pytest.mark.usefixtures("little_at_once")
def test_a_large_file_is_read_and_written_by_jobs_that_lead_back_to_its_page(desk, home):
    response = send(desk, many(50, home))
    file = FileImport.objects.get()
    assert response.url == file.get_absolute_url()
    assert desk.get(response.url).url == file.job.get_absolute_url()
    assert not file.rows.exists()

    assert work_off_jobs() == 1
    job = Job.objects.get()
    assert (job.state, job.result, job.total) == (JobState.DONE, {"rows": 50}, 51)
    assert file.get_absolute_url() in desk.get(job.get_absolute_url()).content.decode()
    assert "The file has 50 rows without fault." in words(desk.get(file.get_absolute_url()))

    response = desk.post(reverse("file_confirm", args=[file.pk]), {"complete": "on"})
    assert desk.post(reverse("file_confirm", args=[file.pk]), {"complete": "on"}).url == response.url
    assert desk.get(file.get_absolute_url()).url == response.url
    assert work_off_jobs() == 1
    assert (Offering.objects.count(), OfferingReport.objects.filter(complete=True).count()) == (50, 5)
    assert not FileImport.objects.exists()
    assert 'href="/program/rapportering/"' in desk.get(response.url).content.decode()


@pytest.mark.usefixtures("little_at_once")
def test_what_is_wrong_in_a_large_file_stays_with_it_until_it_is_dropped(desk, home):
    content = many(50, home) + "Okänd skola;BA;;5\r\n".encode()
    send(desk, content)
    work_off_jobs()

    file = FileImport.objects.get()
    page = desk.get(file.get_absolute_url())

    assert (file.is_read, file.rows.count(), Job.objects.get().state) == (False, 0, JobState.FAILED)
    assert "One thing to correct in the file" in words(page)
    assert "Enköping has no school called “Okänd skola” that year." in words(page)
    response = desk.post(reverse("file_drop", args=[file.pk]))
    assert response.url == OFFERS
    assert not FileImport.objects.exists()


@pytest.mark.usefixtures("little_at_once")
def test_a_large_file_that_breaks_off_is_told_with_its_line(desk, home):
    send(desk, many(50, home) + b'Skola 1;"BA;;5\r\n')
    work_off_jobs()

    page = desk.get(FileImport.objects.get().get_absolute_url())

    assert [(problem.line, problem.column) for problem in page.context["problems"]] == [(52, "")]
    assert "A quotation mark is opened but not closed here" in words(page)


@pytest.mark.usefixtures("little_at_once")
def test_columns_cannot_be_chosen_while_the_file_is_read(desk, sender, home):
    send(desk, many(50, home))
    file = FileImport.objects.get()

    assert desk.post(reverse("file_columns", args=[file.pk]), {"school": "0"}).url == file.job.get_absolute_url()
    with pytest.raises(FileBusy):
        choose_columns(file, {"school": 0, "programme": 1})
    assert desk.post(reverse("file_drop", args=[file.pk])).url == file.get_absolute_url()
    assert FileImport.objects.filter(pk=file.pk).exists()


@pytest.mark.usefixtures("little_at_once")
def test_a_job_that_is_tried_again_reads_the_file_as_it_is_now(desk, sender, home):
    content = many(50, home)
    file = take_in(sender, home, content + b"x;BA;;5\r\n")
    work_off_jobs()
    FileImport.objects.update(content=content)

    again = retry_job(Job.objects.get(), by=sender)
    work_off_jobs()

    file.refresh_from_db()
    assert (file.job, file.is_read, file.problems, file.rows.count()) == (again, True, [], 50)


def test_a_large_file_takes_few_queries_and_little_memory_to_read(sender, home):
    file = take_in(sender, home, many(20, home))
    FileImport.objects.filter(pk=file.pk).update(content=many(3000, home))
    file.refresh_from_db()

    tracemalloc.start()
    with CaptureQueriesContext(connection) as queries:
        assert read_file(file) == 3000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert len(queries) < 30
    assert peak < 20_000_000


# Who may


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("owner", 200),
        ("two_homes", 200),
        ("committee", 403),
        ("principal", 403),
        ("council_member", 403),
        ("roleless", 403),
    ],
)
@pytest.mark.parametrize("address", [OFFERS, FLOWS])
def test_import_is_for_administrators(client, request, who, status, address):
    client.force_login(request.getfixturevalue(who))

    assert client.get(address).status_code == status
    assert send(client, b"", address=address).status_code == status


def test_an_administrator_elsewhere_cannot_send_for_another_municipality(sender, home, outsider):
    with pytest.raises(NotYourSchool):
        take_in(outsider, home, lines(f"{SCHOOL};BA;;5"))

    assert not FileImport.objects.exists()


def test_who_has_two_homes_says_for_which_one(client, two_homes, home, neighbour, school, programme):
    client.force_login(two_homes)
    assert send(client, lines(f"{SCHOOL};BA;5", headings="Skola;Programkod;Platser")).status_code == 200

    response = send(client, lines(f"{SCHOOL};BA;5", headings="Skola;Programkod;Platser"), on_behalf_of=home.pk)

    assert response.status_code == 302
    assert FileImport.objects.get().municipality == home


@pytest.mark.parametrize("name", ["file_import", "file_columns", "file_confirm", "file_drop"])
def test_a_file_is_for_whoever_sent_it(client, sender, home, name):
    file = take_in(sender, home, lines(f"{SCHOOL};BA;;5"))
    client.force_login(RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body, user=UserFactory()).user)
    send_it = client.post if name in ("file_confirm", "file_drop") else client.get

    assert send_it(reverse(name, args=[file.pk])).status_code == 404
    assert FileImport.objects.filter(pk=file.pk).exists()


def test_files_nobody_confirms_are_forgotten_after_two_days(sender, home):
    old = take_in(sender, home, lines(f"{SCHOOL};BA;;5"))
    new = take_in(sender, home, lines(f"{SCHOOL};BA;;5"))
    FileImport.objects.filter(pk=old.pk).update(at=old.at - timedelta(days=365))

    forget_files()

    assert list(FileImport.objects.all()) == [new]
    with pytest.raises(FileGone):
        drop_file(old)


@pytest.mark.parametrize("rows", [1, 3])
def test_the_preview_takes_as_many_queries_for_1_row_as_for_3(desk, sender, home, rows, django_assert_num_queries):
    codes = ["BA", ProgrammeFactory(code="NA").code, ProgrammeFactory(code="EK").code]
    file = take_in(sender, home, lines(*[f"{SCHOOL};{code};;5" for code in codes[:rows]]))
    desk.get(file.get_absolute_url())

    with django_assert_num_queries(PREVIEW_QUERIES):
        desk.get(file.get_absolute_url())


PREVIEW_QUERIES = 11


# Races


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_round", range(int(os.environ.get("RACE_ROUNDS", "5"))))
def test_confirming_twice_at_once_writes_once(sender, home, school, _round):
    file = take_in(sender, home, lines(f"{SCHOOL};BA;;5"))
    start, said = threading.Barrier(2), []

    def confirm():
        try:
            start.wait()
            said.append(confirm_file(FileImport.objects.get(pk=file.pk), complete=True))
        except (FileGone, FileImport.DoesNotExist) as error:
            said.append(error)
        finally:
            connection.close()

    rivals = [threading.Thread(target=confirm) for _rival in range(2)]
    for rival in rivals:
        rival.start()
    for rival in rivals:
        rival.join(timeout=300)

    assert len(said) == 2
    assert said.count(None) == 1
    assert (OfferingReport.objects.count(), Offering.objects.count(), FileImport.objects.count()) == (1, 1, 0)
    assert list(Event.objects.values_list("name", flat=True)) == ["offering_report.created"]


def test_a_report_since_the_rows_were_shown_stops_the_confirmation(desk, sender, home, school, programme):
    file = take_in(sender, home, lines(f"{SCHOOL};BA;;5"))
    seen = desk.get(file.get_absolute_url()).context["form"]["seen"].value()
    report_offering(
        school, YEAR, [Intake(programme.pk, seats=9)], complete=True, by=sender, on_behalf_of=home.body
    )  # fmt: skip

    stopped = desk.post(reverse("file_confirm", args=[file.pk]), {"complete": "on", "seen": seen}, follow=True)
    again = stopped.context["form"]["seen"].value()
    left = Offering.objects.get().seats
    desk.post(reverse("file_confirm", args=[file.pk]), {"complete": "on", "seen": again})

    assert "Somebody has reported since the rows were shown. Nothing is saved." in words(stopped)
    assert left == 9
    assert Offering.objects.get().seats == 5
