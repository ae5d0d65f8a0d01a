"""The API's addresses, and what each role meets there."""

from programmes.models import OfferingFact
from records.models import Job
from tests.agreements.api_pages import AGREEMENT_API_PAGES
from tests.agreements.price_pages import PRICE_API_PAGES
from tests.factories import (
    BoardFactory,
    OfferingFactory,
    OfferingReportFactory,
    OrientationFactory,
    PartFactory,
    ProgrammeFactory,
    PupilFlowFactory,
    SiteFactory,
    SuccessionFactory,
)
from tests.pages import Page
from tests.reports.pages import IN_THE_AREA, WRITERS
from tests.reports.pages import of_report as of_final_report
from tests.resources.api_pages import RESOURCE_API_PAGES

CLOSED = {"anonymous": 401}
OPEN = {"anonymous": 200}
FINAL = {"everyone": 404, "status": {**CLOSED, **IN_THE_AREA}}


def of_area(area):
    return [area.slug]


def of_home(home):
    return [home.pk]


def of_board(home):
    return [BoardFactory(municipality=home).pk]


def of_school(school):
    return [school.pk]


def of_site(home):
    return [SiteFactory(municipality=home).pk]


def of_job(owner):
    return [Job.objects.create(kind="test.work", key="1", by=owner).pk]


def of_programme(db):
    return [ProgrammeFactory().pk]


def of_orientation(db):
    return [OrientationFactory().pk]


def of_succession(db):
    return [SuccessionFactory(from_programme=ProgrammeFactory(), to_programme=ProgrammeFactory()).pk]


def of_offering(school):
    return [OfferingFactory(report__school=school).pk]


def of_offering_report(school):
    return [OfferingReportFactory(school=school).pk]


def of_offering_fact(home):
    return [OfferingFact.objects.create(municipality=home, programme=ProgrammeFactory()).pk]


def of_pupil_flow(home, neighbour):
    return [PupilFlowFactory(home=home, provider_municipality=neighbour).pk]


def with_home(home):
    return []


def of_part(area, home, neighbour):
    return [PartFactory(subject__area=area).pk]


PAGES = [
    Page("api-area-list", status=CLOSED, draws=False),
    Page("api-area-detail", args=of_area, status=CLOSED, draws=False),
    Page("api-municipality-list", status=CLOSED, draws=False),
    Page("api-municipality-detail", args=of_home, status=CLOSED, draws=False),
    Page("api-board-list", status=CLOSED, draws=False),
    Page("api-board-detail", args=of_board, status=CLOSED, draws=False),
    Page("api-school-list", status=CLOSED, draws=False),
    Page("api-school-detail", args=of_school, status=CLOSED, draws=False),
    Page("api-site-list", status=CLOSED, draws=False),
    Page("api-site-detail", args=of_site, status=CLOSED, draws=False),
    Page("api-programme-list", status=CLOSED, draws=False),
    Page("api-programme-detail", args=of_programme, status=CLOSED, draws=False),
    Page("api-orientation-list", status=CLOSED, draws=False),
    Page("api-orientation-detail", args=of_orientation, status=CLOSED, draws=False),
    Page("api-succession-list", status=CLOSED, draws=False),
    Page("api-succession-detail", args=of_succession, status=CLOSED, draws=False),
    Page("api-offering-list", status=CLOSED, draws=False),
    Page("api-offering-detail", args=of_offering, status=CLOSED, draws=False),
    Page("api-offering-report-list", status=CLOSED, draws=False),
    Page("api-offering-report-detail", args=of_offering_report, status=CLOSED, draws=False),
    Page("api-offering-fact-list", status=CLOSED, draws=False),
    Page("api-offering-fact-detail", args=of_offering_fact, status=CLOSED, draws=False),
    Page("api-pupil-flow-list", status=CLOSED, draws=False),
    Page("api-pupil-flow-detail", args=of_pupil_flow, status=CLOSED, draws=False),
    Page(
        "api-programme-gap-list",
        args=with_home,
        query="?municipality=0381&school_year=2022/23",
        status=CLOSED,
        draws=False,
    ),
    Page("api-job-list", status=CLOSED, draws=False),
    Page(
        "api-job-detail",
        args=of_job,
        everyone=404,
        status={**CLOSED, "owner": 200, "system_administrator": 200},
        draws=False,
    ),
    Page(
        "api-part-detail",
        args=of_part,
        everyone=404,
        status={**CLOSED, **dict.fromkeys(("owner", "asker", "principal", "committee", "council_member"), 200)},
        draws=False,
    ),
    Page("api-report-list", status=CLOSED, draws=False),
    Page("api-report-detail", args=of_final_report, **FINAL, draws=False),
    Page("api-report-versions", args=of_final_report, **FINAL, draws=False),
    Page("api-report-download", args=of_final_report, query="?file=pdf", **FINAL, draws=False),
    Page(
        "api-report-build",
        args=of_final_report,
        method="post",
        everyone=404,
        status={**WRITERS, **CLOSED, "owner": 202, "asker": 202},
        draws=False,
    ),
    *AGREEMENT_API_PAGES,
    *PRICE_API_PAGES,
    *RESOURCE_API_PAGES,
    Page("api_schema", status=OPEN, draws=False),
    Page("api_docs", status=OPEN),
]
