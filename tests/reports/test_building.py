"""Making a report final: once, by whoever asks first, and by the clock when nobody has."""

import io
import json
import zipfile
from datetime import timedelta

import pytest

from collab4m.clock import now, today
from records import storage
from records.models import Job, JobState, Part, Version
from records.operations import save_part, work_off_jobs
from reports.models import Report
from reports.operations import content_of, order_build, order_due_reports
from reports.operations.building import BUILD, build_is_running, latest_build
from reports.tasks import make_due_reports
from tests.factories import ReportFactory
from tests.programmes.pages import with_offer
from tests.records.test_races import at_once
from tests.reports.pages import frozen
from tests.reports.texts import fill_in, part


@pytest.fixture
def acting(owner, home):
    return {"by": owner, "on_behalf_of": home.body}


# By people


def test_order_build_gives_a_job_that_others_follow(report, acting, asker, neighbour):
    job = order_build(report, **acting)

    assert (job.kind, job.key, job.args) == (BUILD, str(report.pk), {"report": report.pk})
    assert order_build(report, by=asker, on_behalf_of=neighbour.body) == job
    assert list(job.followers.all()) == [asker]
    assert build_is_running(report) == latest_build(report) == job


def test_the_worker_makes_all_files_and_an_unchanged_report_is_not_made_again(
    report, acting, board, home, neighbour, school, owner
):
    with_offer(home, neighbour, school)
    save_part(part(report, "bakgrund"), text="Nämnderna gav uppdragen.", base_version=0, **acting)
    fill_in(report, board, owner, case_number="UAN2022/17", decision_points="att godkänna återredovisningen")
    job = order_build(report, **acting)

    assert work_off_jobs() == 1

    job.refresh_from_db()
    version = Version.objects.of(report).get()
    assert (job.state, job.error) == (JobState.DONE, "")
    assert (version.number, version.by, version.on_behalf_of_id) == (1, acting["by"], home.body.pk)
    assert version.content == json.loads(json.dumps(content_of(report)))
    kinds = version.renditions.values_list("kind", "variant")
    assert {("pdf", "0381"), ("pdf", "1980"), ("docx", "0381"), ("zip", "1980"), ("html", "")} <= set(kinds)
    assert order_build(report, **acting) == version

    mine, theirs = (_zip(version, code) for code in ("0381", "1980"))
    assert _manifest(mine)["sections"] == _manifest(theirs)["sections"]
    assert {name.rpartition(".")[2] for name in mine.keys() - theirs.keys()} == {"pdf", "docx"}
    shared = (mine.keys() & theirs.keys()) - {"manifest.json"}
    assert {name: mine[name] for name in shared} == {name: theirs[name] for name in shared}
    assert "content.json" in shared

    fill_in(report, board, owner, case_number="UAN2022/18")
    order_build(report, **acting)
    work_off_jobs()

    assert Version.objects.of(report).get() == version
    current = version.renditions.current().filter(kind="pdf")
    assert {one.variant: one.cover["case_number"] for one in current} == {"0381": "UAN2022/18", "1980": ""}


def _zip(version, code):
    row = version.renditions.get(kind="zip", variant=code)
    with zipfile.ZipFile(io.BytesIO(storage.read(row.sha256))) as file:
        return {name: file.read(name) for name in file.namelist()}


def _manifest(files):
    return json.loads(files["manifest.json"])


def test_a_changed_text_makes_the_next_version(report, acting, home):
    first = frozen(report, home)
    save_part(part(report, "bakgrund"), text="Nytt", base_version=0, **acting)

    assert isinstance(order_build(report, **acting), Job)
    second = frozen(report, home)

    assert [second.number, second.supersedes] == [2, first]


def test_a_report_that_is_gone_fails_in_plain_words(report, acting):
    job = order_build(report, **acting)
    Part.objects.about(report).delete()
    Report.objects.all().delete()

    work_off_jobs()

    job.refresh_from_db()
    assert (job.state, Version.objects.exists()) == (JobState.FAILED, False)
    assert "rapporten" in job.error.lower()


# By the clock


def test_a_report_that_is_due_and_not_made_is_ordered_once_however_long_the_clock_stood_still(report):
    Report.objects.update(due=today() - timedelta(days=3))

    orders = [order_due_reports() for _tick in range(3)]

    assert [[job.key for job in jobs] for jobs in orders] == [[str(report.pk)], [], []]
    job = Job.objects.get()
    assert (job.by, job.on_behalf_of) == (None, None)


@pytest.mark.django_db(transaction=True)
def test_the_clock_orders_through_its_task(report):
    make_due_reports()

    assert Job.objects.get().kind == BUILD


def test_a_report_that_is_not_due_is_left(report):
    Report.objects.update(due=today() + timedelta(days=1))

    assert order_due_reports() == []

    Report.objects.update(due=today())
    assert len(order_due_reports()) == 1


def test_a_report_that_is_made_is_left(report, home):
    frozen(report, home)

    assert order_due_reports() == []


def test_what_has_just_failed_is_ordered_again_after_a_day(report):
    order_due_reports()
    Job.objects.update(state=JobState.FAILED, created_at=now() - timedelta(hours=23))
    assert order_due_reports() == []

    Job.objects.update(created_at=now() - timedelta(hours=25))

    assert len(order_due_reports()) == 1


def test_one_failed_report_does_not_keep_another_waiting(report):
    order_due_reports()
    Job.objects.update(state=JobState.FAILED)
    other = ReportFactory(area=report.area)

    assert [job.key for job in order_due_reports()] == [str(other.pk)]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_twenty_ticks_at_once_give_one_job(report):
    answers = at_once(*[order_due_reports] * 20)

    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert Job.objects.count() == 1


@pytest.mark.parametrize("number", [1, 3])
def test_the_clocks_look_costs_the_same_for_any_number_of_reports(report, home, number, django_assert_num_queries):
    frozen(report, home)
    for _nth in range(number - 1):
        frozen(ReportFactory(area=report.area), home)

    with django_assert_num_queries(4):
        order_due_reports()
