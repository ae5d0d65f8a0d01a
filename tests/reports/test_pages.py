"""Reading and downloading what is final: as it was, the reader's own board first."""

import re

import pytest

from organisations.models import RoleKind
from programmes.models import Offering
from records.documents.files import MadeFile
from records.models import JobState, Rendition, Version
from records.operations import freeze, next_version, save_part, store_renditions
from reports.operations import content_of, covers_of, order_due_reports
from reports.operations.building import latest_build
from tests.factories import MembershipFactory, ReportFactory, RoleFactory
from tests.programmes.pages import with_offer
from tests.records.documents.content import small
from tests.reports.pages import frozen
from tests.reports.texts import fill_in, part

pytestmark = pytest.mark.django_db


@pytest.fixture
def acting(owner, home):
    return {"by": owner, "on_behalf_of": home.body}


@pytest.fixture
def in_two_versions(report, acting, home, neighbour, school):
    """The second says more than the first, in a text and in a figure."""
    with_offer(home, neighbour, school)
    frozen(report, home)
    save_part(part(report, "bakgrund"), text="Nämnderna gav uppdragen.", base_version=0, **acting)
    Offering.objects.filter(seats=24).update(seats=25)
    frozen(report, home)
    return report


def read(client, address):
    answer = client.get(address)
    assert answer.status_code == 200, address
    # Each time anew: the form's token, and when the page would be printed.
    anew = r'(?s)name="csrfmiddlewaretoken" value="\w+"|<p class="c-print">.*?</p>'
    return re.sub(anew, "", answer.content.decode())


# Frozen


def test_what_is_final_is_read_as_it_was_whatever_changes(client, in_two_versions, committee, acting, home):
    report = in_two_versions
    client.force_login(committee)
    address = report.get_absolute_url()
    files = {row.pk: client.get(row.get_absolute_url()).content for row in Rendition.objects.all()}
    seen = read(client, f"{address}?version=1"), read(client, address)
    told = client.get(f"/api/v1/reports/{report.pk}/versions/").json()
    comparison = read(client, f"{address}jamfor/2/")

    Offering.objects.update(seats=99)
    save_part(part(report, "bakgrund"), text="Något helt annat.", base_version=1, **acting)
    home.name = "Nyköping"
    home.save()
    home.boards.update(memo_head="Ny kommun")

    def documents(page):
        return page[page.index('aria-labelledby="versioner"') :]

    again = read(client, f"{address}?version=1"), read(client, address)
    for before, after in zip(seen, again, strict=True):
        assert documents(after).replace("Nyköping", "Enköping") == documents(before)
        assert "Något helt annat" not in after
    assert client.get(f"/api/v1/reports/{report.pk}/versions/").json() == told
    assert read(client, f"{address}jamfor/2/").replace("Nyköping", "Enköping") == comparison
    assert {pk: client.get(Rendition.objects.get(pk=pk).get_absolute_url()).content for pk in files} == files


def test_the_page_shows_the_latest_version_and_leads_to_the_earlier(client, in_two_versions, committee):
    client.force_login(committee)
    address = in_two_versions.get_absolute_url()

    latest, first = client.get(address), client.get(f"{address}?version=1")

    assert (latest.context["version"].number, first.context["version"].number) == (2, 1)
    assert "Nämnderna gav uppdragen." in latest.content.decode()
    assert "Nämnderna gav uppdragen." not in first.content.decode()
    assert (latest.context["is_latest"], first.context["is_latest"]) == (True, False)
    for page in (latest, first):
        assert f"/verifiera/{page.context['version'].content_sha256}/" in page.content.decode()


@pytest.mark.parametrize("number", ["0", "3", "x", "1%00", "٢", "99999999999999999999"])
def test_a_version_that_there_is_not_is_not_found(client, in_two_versions, committee, number):
    client.force_login(committee)

    assert client.get(f"{in_two_versions.get_absolute_url()}?version={number}").status_code in (400, 404)


def test_the_comparison_tells_what_changed(client, in_two_versions, committee):
    client.force_login(committee)

    found = client.get(f"{in_two_versions.get_absolute_url()}jamfor/2/").context["difference"]

    assert [change.heading for change in found.texts] == ["Bakgrund"]
    cells = {(cell.before, cell.after) for change in found.tables for cell in change.cells}
    assert ("24", "25") in cells
    assert client.get(f"{in_two_versions.get_absolute_url()}jamfor/1/").status_code == 404


def test_a_report_that_is_not_made_says_why_if_the_clock_has_tried(client, report, committee):
    order_due_reports()
    job = latest_build(report)
    job.state, job.error = JobState.FAILED, "Disken är full."
    job.save()
    client.force_login(committee)

    assert "Disken är full." in read(client, report.get_absolute_url())


# Files


@pytest.fixture
def with_files(report, home, neighbour, owner, board):
    """One version with a file for each of the two boards."""
    fill_in(report, board, owner, case_number="UAN2022/17")
    version = frozen(report, home)
    store_renditions(version, [MadeFile("pdf", "1980", "vasteras.pdf", b"%PDF-1.7 V")])
    return report


@pytest.mark.parametrize(("of", "first"), [("home", "Enköping"), ("neighbour", "Västerås")])
def test_the_readers_own_board_stands_first(client, request, with_files, of, first):
    user = RoleFactory(kind=RoleKind.COMMITTEE, body=request.getfixturevalue(of).body).user
    client.force_login(user)

    rows = client.get(with_files.get_absolute_url()).context["boards"]

    assert rows[0]["member"].municipality.name == first
    assert [row["own"] for row in rows] == [True, False]


def test_the_committee_downloads_its_own_file(client, with_files, committee):
    client.force_login(committee)
    page = client.get(with_files.get_absolute_url())
    file = page.context["boards"][0]["files"]["pdf"]

    answer = client.get(file.get_absolute_url())

    assert answer.content == b"%PDF-1.7"
    assert file.cover["case_number"] == "UAN2022/17"
    assert "UAN2022/17" in page.content.decode()


@pytest.mark.parametrize("who", ["outsider", "system_administrator", "roleless"])
def test_others_do_not_know_of_the_report(client, request, with_files, who):
    client.force_login(request.getfixturevalue(who))
    version = Version.objects.get()

    for address in (
        with_files.get_absolute_url(),
        f"{with_files.get_absolute_url()}arbete/",
        version.get_absolute_url(),
        version.renditions.first().get_absolute_url(),
        f"/api/v1/reports/{with_files.pk}/",
        f"/api/v1/reports/{with_files.pk}/versions/",
        f"/api/v1/reports/{with_files.pk}/download/?file=pdf",
    ):
        assert client.get(address).status_code == 404, address
    assert with_files.title not in read(client, "/rapporter/")
    assert client.get("/api/v1/reports/").json()["results"] == []


def test_a_member_that_has_left_no_longer_reads(client, with_files, committee, home):
    home.memberships.all().delete()
    client.force_login(committee)

    assert client.get(with_files.get_absolute_url()).status_code == 404


# Having it made


def test_an_unchanged_report_leads_back_and_says_so(client, report, owner, home, neighbour):
    files = [MadeFile("pdf", code, f"{code}.pdf", b"%PDF", cover) for code, cover in covers_of(report).items()]
    freeze(next_version(report, content_of(report), by=None), files)
    client.force_login(owner)

    answer = client.post(f"{report.get_absolute_url()}gor-slutlig/", follow=True)

    assert answer.redirect_chain == [(report.get_absolute_url(), 302)]
    assert len(list(answer.context["messages"])) == 1
    assert latest_build(report) is None


def test_whoever_orders_it_follows_the_job(client, report, owner):
    client.force_login(owner)

    answer = client.post(f"{report.get_absolute_url()}gor-slutlig/")

    job = latest_build(report)
    assert (answer.url, job.by) == (job.get_absolute_url(), owner)
    assert job.get_absolute_url() in read(client, report.get_absolute_url())


# What it costs


@pytest.mark.parametrize("count", [1, 3])
def test_the_list_costs_the_same_for_any_number(client, report, home, committee, count, django_assert_num_queries):
    for _nth in range(count - 1):
        frozen(ReportFactory(area=report.area), home)
    frozen(report, home)
    client.force_login(committee)
    client.get("/rapporter/")

    with django_assert_num_queries(6):
        client.get("/rapporter/")


@pytest.mark.parametrize("count", [1, 3])
def test_the_report_costs_the_same_for_any_number_of_versions_and_members(
    client, report, area, home, committee, count, django_assert_num_queries
):
    for number in range(count):
        freeze(next_version(report, small(f"Version {number}"), by=None))
        MembershipFactory(area=area)
    client.force_login(committee)
    client.get(report.get_absolute_url())  # draws the charts

    with django_assert_num_queries(15):
        client.get(report.get_absolute_url())


@pytest.mark.parametrize("count", [1, 3])
def test_the_work_costs_the_same_for_any_number_of_members_and_texts(
    client, report, area, acting, owner, count, django_assert_num_queries
):
    for key in ("bakgrund", "barn", "ekonomi")[:count]:
        save_part(part(report, key), text="Text", base_version=0, **acting)
        MembershipFactory(area=area)
    client.force_login(owner)
    client.get(f"{report.get_absolute_url()}arbete/")

    with django_assert_num_queries(13):
        client.get(f"{report.get_absolute_url()}arbete/")
