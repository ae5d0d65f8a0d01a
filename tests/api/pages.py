"""The API's addresses, and what each role meets there."""

from records.models import Job
from tests.factories import BoardFactory, SiteFactory
from tests.pages import Page

CLOSED = {"anonymous": 401}
OPEN = {"anonymous": 200}


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
    Page("api-job-list", status=CLOSED, draws=False),
    Page(
        "api-job-detail",
        args=of_job,
        everyone=404,
        status={**CLOSED, "owner": 200, "system_administrator": 200},
        draws=False,
    ),
    Page("api_schema", status=OPEN, draws=False),
    Page("api_docs", status=OPEN),
]
