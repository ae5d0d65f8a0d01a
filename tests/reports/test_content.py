"""What a report says: the apps' chapters and the officials' texts, the same for whoever collects it."""

import pytest
from django.utils import translation

from records.documents.content import canonical, check, sections_of
from records.models import Part
from records.operations import save_part
from reports.operations import content_of, open_parts
from reports.outline import written_sections
from tests.programmes.pages import with_offer
from tests.reports.texts import part

pytestmark = pytest.mark.django_db

TEXT = "## Läget\n\nFyra kommuner.\n\n- Västerås\n- Enköping\n\n1. Först\n2. Sedan"


def sections(report):
    return {section["id"]: section for section, _level in sections_of(content_of(report))}


def test_without_texts_and_figures_each_section_says_that_it_is_empty(report):
    check(content_of(report))

    for key, section in sections(report).items():
        kinds = [block["kind"] for block in section["blocks"]]
        assert kinds == {"arendet": [], "beslutsunderlag": ["list"]}.get(key, ["note"])
    assert content_of(report)["annexes"] == []


def test_a_text_stands_in_its_section_with_its_headings_and_lists(report, owner, home):
    save_part(part(report, "bakgrund"), text=TEXT, base_version=0, by=owner, on_behalf_of=home.body)

    section = sections(report)["bakgrund"]

    assert section["blocks"] == [
        {"kind": "paragraph", "text": [{"text": "Läget", "strong": True}]},
        {"kind": "paragraph", "text": "Fyra kommuner."},
        {"kind": "list", "ordered": False, "items": ["Västerås", "Enköping"]},
        {"kind": "list", "ordered": True, "items": ["Först", "Sedan"]},
    ]
    assert not section["example"]


def test_a_chapter_stands_in_its_mandate_after_the_text_and_its_annexes_are_named(
    report, owner, home, neighbour, school
):
    with_offer(home, neighbour, school)
    save_part(part(report, "uppdrag-1"), text="Inledning.", base_version=0, by=owner, on_behalf_of=home.body)

    content = content_of(report)
    check(content)
    found = sections(report)

    assert found["uppdrag-1"]["blocks"][0] == {"kind": "paragraph", "text": "Inledning."}
    assert len(found["uppdrag-1"]["blocks"]) > 1
    assert found["uppdrag-1"]["sections"][0]["id"] == "utbud-0381"
    assert len(found["beslutsunderlag"]["blocks"][0]["items"]) == 1 + len(content["annexes"]) == 3
    assert [block["kind"] for block in found["uppdrag-2"]["blocks"]] == ["note"]


def test_a_text_of_the_demonstrations_people_is_marked(report, owner, home):
    owner.example = True
    owner.save()
    save_part(part(report, "barn"), text="Påhittat.", base_version=0, by=owner, on_behalf_of=home.body)

    assert [key for key, section in sections(report).items() if section["example"]] == ["barn"]


def test_the_same_data_give_the_same_bytes_in_any_language(report, home, neighbour, school):
    with_offer(home, neighbour, school)
    before = canonical(content_of(report))

    with translation.override("en"):
        assert canonical(content_of(report)) == before


def test_parts_are_opened_once_and_in_the_reports_order(report):
    open_parts(report)

    keys = [one.key for one in Part.objects.about(report)]
    assert keys == [section.key for section in written_sections()]


@pytest.mark.parametrize("filled", [0, 3])
def test_content_costs_the_same_however_much_is_written(report, owner, home, filled, django_assert_num_queries):
    for section in written_sections()[:filled]:
        save_part(part(report, section.key), text="Text", base_version=0, by=owner, on_behalf_of=home.body)

    with django_assert_num_queries(10):
        content_of(report)
