"""The addresses of programmes, offer and pupil flows, and what each role meets there."""

from collab4m.school_year import SchoolYear
from programmes.models import FileImport, OfferingFact, Orientation
from records.models import Source
from tests.factories import (
    OfferingFactory,
    OfferingReportFactory,
    OrientationFactory,
    ProgrammeFactory,
    ProviderFactory,
    PupilFlowFactory,
    SchoolFactory,
    SuccessionFactory,
)
from tests.pages import Page

REPORTERS = {"owner": 200}
SENDERS = {"owner": 200, "asker": 200, "outsider": 200}
YEAR = SchoolYear(2022)
CONTENT = b"skola;program;platser\r\nWesterlundska gymnasiet;BA;24\r\n"


def with_offer(home, neighbour, school):
    """Something of everything: an offer with orientations, an old fact, a gap, a neighbour's intake and pupil flows."""
    programme = ProgrammeFactory(
        code="BA", name_sv="Bygg- och anläggningsprogrammet", outcome_sv="Eleverna kan bli snickare."
    )
    old = ProgrammeFactory(code="BX", name_sv="Äldre byggprogrammet", family="BA")
    SuccessionFactory(from_programme=old, to_programme=programme)
    orientation = OrientationFactory(programme=programme, code="BAHUS", name_sv="Husbyggnad")
    OrientationFactory(programme=programme, name_sv="Måleri")
    missing = ProgrammeFactory(code="HV", name_sv="Hantverksprogrammet")
    nowhere = ProgrammeFactory(code="NB", name_sv="Naturbruksprogrammet")
    school.provider = ProviderFactory(municipality=home)
    school.save()
    report = OfferingReportFactory(school=school, complete=True, source_note="Exempel", example=True)
    OfferingFactory(report=report, programme=programme, orientation=orientation, seats=24, first_choice_applicants=30)
    beside = SchoolFactory(municipality=neighbour, provider=ProviderFactory(municipality=neighbour))
    there = OfferingReportFactory(school=beside)
    OfferingFactory(report=there, programme=missing, seats=16)
    independent = SchoolFactory(municipality=home, provider=ProviderFactory(kind="independent", municipality=None))
    OfferingFactory(report=OfferingReportFactory(school=independent), programme=nowhere)
    source = Source.objects.create(key="tidning", publisher="Tidningen", title="Om skolan", year="2021")
    OfferingFact.objects.create(municipality=neighbour, school=beside, programme=nowhere, year="2021", source=source)
    PupilFlowFactory(home=home, provider_municipality=neighbour, programme=missing, pupils=3)
    PupilFlowFactory(home=neighbour, provider_municipality=home, programme=programme, pupils=14)
    PupilFlowFactory(home=home, provider_municipality=home, programme=programme, pupils=80)
    return programme


def drawn(home, neighbour, school):
    with_offer(home, neighbour, school)
    return []


def of_programme(home, neighbour, school):
    return [with_offer(home, neighbour, school).code]


def as_csv(home, neighbour, school):
    return [*drawn(home, neighbour, school), "csv"]


def of_home(home):
    return [home.pk, "2022-23"]


def of_report(home, neighbour, school):
    with_offer(home, neighbour, school)
    return [school.pk, "2022-23"]


def a_file(home, owner, **facts):
    return FileImport.objects.create(
        kind="offerings", municipality=home, school_year=YEAR, name="utbud.csv", content=CONTENT, by=owner,
        on_behalf_of=home.body, **facts,
    )  # fmt: skip


def of_file(home, owner, school):
    programme = ProgrammeFactory(code="BA")
    orientation = Orientation.objects.create(programme=programme, name_sv="Husbyggnad")
    file = a_file(home, owner, columns={"school": 0, "programme": 1, "seats": 2}, is_read=True)
    values = {
        "school": school.pk,
        "programme": programme.pk,
        "orientation": orientation.pk,
        "offered": True,
        "seats": 24,
    }
    empty = {"first_choice_applicants": None, "admitted": None, "workplace_learning_capacity": None, "as_of": None}
    file.rows.create(line=2, values=values | empty)
    return [file.pk]


def of_unread_file(home, owner):
    return [a_file(home, owner).pk]


HIDDEN = {"everyone": 404}
PAGES = [
    Page("programmes", args=drawn),
    Page("programme", args=of_programme),
    Page("matrix", args=drawn),
    Page("matrix", args=drawn, query="?visning=kommun&visa=first_choice_applicants"),
    Page("matrix", args=drawn, query="?lasar=2030-31&q=finns+inte"),
    Page("matrix_file", args=as_csv, draws=False),
    Page("gaps", args=drawn),
    Page("gaps", args=drawn, query="?kommun=1980&typ=alla&efterfragan=tryck"),
    Page("gaps_file", args=as_csv, draws=False),
    Page("reporting", args=drawn),
    Page("reporting_deadline", args=lambda area: [], everyone=403, status=SENDERS, method="post", draws=False),
    Page("offering_report", args=of_report),
    Page("offering_report_change", args=of_report, everyone=403, status={"owner": 200, "principal": 200}),
    Page("offerings_import", everyone=403, status=SENDERS),
    Page(
        "offering_remind", args=of_home, everyone=403, status={"owner": 302, "asker": 302}, method="post", draws=False
    ),
    Page("no_school", args=of_home, everyone=403, status={"owner": 302}, method="post", draws=False),
    Page("no_school_taken_back", args=of_home, everyone=403, status={"owner": 302}, method="post", draws=False),
    Page("flows", args=drawn),
    Page("flows_file", args=as_csv, draws=False),
    Page("flows_change", everyone=403, status=SENDERS),
    Page("flows_import", everyone=403, status=SENDERS),
    Page("file_import", args=of_file, **HIDDEN, status=REPORTERS),
    Page("file_columns", args=of_unread_file, **HIDDEN, status=REPORTERS),
    Page("file_confirm", args=of_file, **HIDDEN, status={"owner": 302}, method="post", draws=False),
    Page("file_drop", args=of_file, **HIDDEN, status={"owner": 302}, method="post", draws=False),
]
