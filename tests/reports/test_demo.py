"""The demonstration in reports: texts that say they are examples, and no trace of them when they are taken away."""

from pathlib import Path

import pytest
from django.core.management import call_command

from organisations.models import Municipality, RoleKind
from records import storage
from records.documents.content import has_examples
from records.documents.files import MadeFile
from records.models import Part, Version
from records.operations import freeze, next_version, save_part
from reports import demo
from reports.models import Report
from reports.operations import content_of, order_build, order_due_reports
from tests.factories import RoleFactory
from tests.organisations.test_demo import everything, person
from tests.reports.texts import fill_in, part

pytestmark = pytest.mark.django_db

TOWNS = {"sammanfattning": "enkoping", "bakgrund": "vasteras", "ekonomi": "eskilstuna", "barn": "strangnas"}


@pytest.fixture
def report(db):
    call_command("load_reference")
    return Report.objects.get()


@pytest.fixture
def with_demo(demonstration):
    return Report.objects.get()


def make_final(report, *, by=None, on_behalf_of=None, file=b"%PDF-1.7"):
    files = [MadeFile("pdf", "", "a.pdf", file)]
    return freeze(next_version(report, content_of(report), by=by, on_behalf_of=on_behalf_of), files)


def test_officials_of_different_municipalities_have_written(with_demo):
    written = Part.objects.about(with_demo).filter(version__gt=0)

    assert {one.key: one.last_by for one in written} == {
        key: person(f"handlaggare.{town}") for key, town in TOWNS.items()
    }
    assert len({one.last_on_behalf_of for one in written}) == 4
    assert all(one.text.startswith("Exempel") and not any(map(str.isdigit, one.text)) for one in written)


def test_their_sections_are_marked_in_the_content_and_no_others(with_demo):
    sections = content_of(with_demo)["sections"]
    flat = [inner for one in sections for inner in (one, *one["sections"])]

    assert {one["id"] for one in flat if one["example"]} == set(TOWNS)


def test_nothing_is_filled_in_on_the_fronts(with_demo):
    assert not with_demo.covers.exists()


def test_load_demo_a_second_time_adds_nothing(with_demo):
    before = everything()

    assert demo.load_demo() == 0

    assert everything() == before


def test_load_demo_leaves_what_people_have_written(report):
    home = Municipality.objects.get(code="0381")
    real = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=home.body).user
    save_part(part(report, "barn"), text="Vårt", base_version=0, by=real, on_behalf_of=home.body)

    call_command("load_demo")

    assert (part(report, "barn").text, part(report, "barn").last_by) == ("Vårt", real)


def test_remove_demo_leaves_no_trace_of_versions_texts_and_fronts(report, django_capture_on_commit_callbacks):
    before = everything()
    call_command("load_demo")
    order_due_reports()
    official = person("handlaggare.enkoping")
    home = Municipality.objects.get(code="0381")
    first = make_final(report, file=b"%PDF of an example")
    save_part(part(report, "samverkan"), text="Mer", base_version=0, by=official, on_behalf_of=home.body)
    fill_in(report, home.boards.get(), official, official="Handläggaren", decision_points="att godkänna")
    make_final(report, by=official, on_behalf_of=home.body)
    order_build(report, by=official, on_behalf_of=home.body)
    kept = first.renditions.get().sha256
    assert storage.is_kept(kept)

    with django_capture_on_commit_callbacks(execute=True):
        call_command("remove_demo")

    assert everything() == before
    assert not Path(storage.path_of(kept)).exists()


def test_remove_demo_leaves_versions_of_facts_alone_and_the_line_between_them(report):
    first = make_final(report)
    call_command("load_demo")
    make_final(report)
    call_command("remove_demo")
    call_command("load_demo")
    home = Municipality.objects.get(code="0381")
    middle = make_final(report, by=person("handlaggare.enkoping"), on_behalf_of=home.body)
    last = freeze(next_version(report, {**first.content, "subtitle": "Senare"}, by=None))
    assert last.supersedes == middle

    call_command("remove_demo")

    assert [(one.number, one.supersedes) for one in Version.objects.of(report)] == [(3, first), (1, None)]


def test_the_clock_then_makes_the_report_from_facts_alone(with_demo):
    make_final(with_demo)
    assert order_due_reports() == []

    call_command("remove_demo")

    assert [job.key for job in order_due_reports()] == [str(with_demo.pk)]
    assert not has_examples(content_of(with_demo))
