"""Reports for programs: what is final, its files, and having it made."""

import pytest

from records.documents.files import MadeFile
from records.models import Job, Version
from records.operations import freeze, next_version, store_renditions
from reports.operations import content_of, covers_of
from tests.factories import AreaFactory, ReportFactory
from tests.reports.pages import frozen

pytestmark = pytest.mark.django_db


def made(report):
    """A version that is as the report now is, with a PDF for each board."""
    files = [MadeFile("pdf", code, f"{code}.pdf", code.encode(), cover) for code, cover in covers_of(report).items()]
    return freeze(next_version(report, content_of(report), by=None), files)


@pytest.fixture
def address(report):
    return f"/api/v1/reports/{report.pk}/"


def test_a_report_is_told_with_its_area_year_and_day(client, report, committee, address):
    ReportFactory(area=AreaFactory())
    client.force_login(committee)

    (row,) = client.get("/api/v1/reports/").json()["results"]

    assert row == client.get(address).json()
    told = {name: row[name] for name in ("id", "title", "area", "school_year", "due")}
    assert told == {
        "id": report.pk, "title": report.title, "area": "4m", "school_year": "2022/23", "due": "2022-09-01",
    }  # fmt: skip


def test_build_answers_with_a_job_or_with_the_version_that_says_the_same(client, report, owner, address):
    client.force_login(owner)

    ordered = client.post(f"{address}build/")
    assert (ordered.status_code, ordered.json()["id"]) == (202, Job.objects.get().pk)
    assert client.post(f"{address}build/").json()["id"] == ordered.json()["id"]
    assert client.get(f"/api/v1/jobs/{ordered.json()['id']}/").status_code == 200

    version = made(report)
    unchanged = client.post(f"{address}build/")
    assert (unchanged.status_code, unchanged.json()["content_sha256"]) == (200, version.content_sha256)


def test_build_is_for_the_administrators_of_members(client, report, committee, asker, address):
    client.force_login(committee)
    assert client.post(f"{address}build/").status_code == 403
    assert client.get(f"{address}build/").status_code == 405

    client.force_login(asker)
    assert client.post(f"{address}build/").status_code == 202
    assert Job.objects.get().on_behalf_of.name == "Västerås"


def test_versions_come_latest_first_with_their_current_files(client, report, home, committee, address):
    first = made(report)
    second = freeze(next_version(report, {**content_of(report), "subtitle": "Annat"}, by=None))
    store_renditions(first, [MadeFile("pdf", "0381", "0381.pdf", b"a new front", {"organisation": "A"})])
    client.force_login(committee)

    rows = client.get(f"{address}versions/").json()

    assert [(row["number"], row["content_sha256"]) for row in rows] == [
        (2, second.content_sha256), (1, first.content_sha256),
    ]  # fmt: skip
    assert [(file["kind"], file["variant"], file["size"]) for file in rows[1]["files"]] == [
        ("pdf", "0381", len(b"a new front")), ("pdf", "1980", 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("file=pdf&municipality=0381", 200),
        ("file=pdf", 200),
        ("file=csv&table=utbud-netto", 200),
        ("file=csv", 200),
        ("file=pdf&municipality=1980", 404),
        ("file=csv&table=finns-inte", 404),
        ("file=xlsx", 404),
        ("file=exe", 400),
        ("", 400),
        ("file=pdf&municipality=%00", 400),
    ],
)
def test_download_gives_the_file_asked_for(client, report, home, committee, address, query, status):
    frozen(report, home)
    client.force_login(committee)

    answer = client.get(f"{address}download/?{query}")

    assert answer.status_code == status
    if status == 200:
        assert answer.content == (b"%PDF-1.7" if "pdf" in query else b"a;b")
        assert "attachment" in answer["Content-Disposition"]


def test_nothing_is_downloaded_before_anything_is_final(client, report, committee, address):
    client.force_login(committee)

    assert client.get(f"{address}download/?file=pdf").status_code == 404
    assert client.get(f"{address}versions/").json() == []


def test_the_latest_version_is_downloaded(client, report, committee, address):
    made(report)
    latest = freeze(
        next_version(report, {**content_of(report), "subtitle": "Annat"}, by=None),
        [MadeFile("pdf", "0381", "ny.pdf", b"the later")],
    )
    client.force_login(committee)

    assert client.get(f"{address}download/?file=pdf&municipality=0381").content == b"the later"
    assert Version.objects.of(report).first() == latest


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_for_any_number(client, report, committee, count, django_assert_num_queries):
    for _nth in range(count - 1):
        ReportFactory(area=report.area)
    client.force_login(committee)
    client.get("/api/v1/reports/")

    with django_assert_num_queries(11):
        client.get("/api/v1/reports/")


@pytest.mark.parametrize("count", [1, 3])
def test_versions_cost_the_same_for_any_number(client, report, committee, address, count, django_assert_num_queries):
    for number in range(count):
        freeze(
            next_version(report, {**content_of(report), "subtitle": f"{number}"}, by=None),
            [MadeFile("pdf", "", "a.pdf", str(number).encode())],
        )
    client.force_login(committee)
    client.get(f"{address}versions/")

    with django_assert_num_queries(12):
        client.get(f"{address}versions/")
