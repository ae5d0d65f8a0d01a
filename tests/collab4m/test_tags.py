"""The tags that every template may use."""

import re

import pytest
from django.conf import settings
from django.template import Context, Template
from django.utils import translation

from collab4m.portal import Shell
from records.models import Source
from tests.factories import MembershipFactory, MunicipalityFactory, SchoolFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def draw(rf, owner):
    request = rf.get("/")
    request.user = owner
    shell = Shell(request)

    def render(source: str, **context) -> str:
        with translation.override("sv"):
            return Template(source).render(Context({"shell": shell, **context})).strip()

    return render


def test_icon_is_hidden_from_those_who_listen(draw):
    assert draw('{% icon "yes" %}') == (
        '<svg class="c-icon" aria-hidden="true"><use href="/static/icons.svg#yes"/></svg>'
    )


def test_municipality_has_its_mark_whichever_row_is_given(draw, home):
    membership = home.memberships.get()
    marked = '<span class="c-mun" data-color="neutral"><b aria-hidden="true">En</b>Enköping</span>'

    assert [draw("{% municipality row %}", row=row) for row in (membership, home, home.body)] == [marked] * 3


def test_municipality_takes_the_colour_of_its_membership(draw):
    membership = MembershipFactory(municipality=MunicipalityFactory(name="Trosa"), mark="Tr", colour="m2")

    assert draw("{% municipality row %}", row=membership) == (
        '<span class="c-mun" data-color="m2"><b aria-hidden="true">Tr</b>Trosa</span>'
    )


def test_municipality_outside_the_readers_areas_is_its_name(draw):
    assert draw("{% municipality row %}", row=MunicipalityFactory(name="Kalmar")) == '<span class="c-mun">Kalmar</span>'


def test_many_marks_cost_one_query_more_than_none(draw, home, neighbour, django_assert_num_queries):
    home.memberships.get().area.memberships.count()
    draw("{% municipality row %}", row=home)

    with django_assert_num_queries(0):
        draw("{% for row in rows %}{% municipality row %}{% endfor %}", rows=[home, neighbour, home.body])


def test_sources_are_numbered_once_each_and_listed_below(draw):
    source = Source.objects.create(key="skolverket", publisher="Skolverket", year="2026")
    facts = [
        SchoolFactory(source=source, came_in="import", verified=True),
        SchoolFactory(came_in="form", source_note="Samtal med rektor"),
        SchoolFactory(source=source, came_in="import", verified=True, example=True),
    ]

    page = draw("{% for fact in facts %}{% source fact %};{% endfor %}{% sources %}", facts=facts)

    marks = page.split(";")
    assert [mark.split('href="')[1].split('"')[0] for mark in marks[:3]] == ["#kalla-1", "#kalla-2", "#kalla-1"]
    assert '<span class="c-example">exempel</span>' in marks[2]
    assert '<li id="kalla-1">Skolverket, 2026, ' in page
    assert "Samtal med rektor. Uppgiften är inte kontrollerad.</li>" in page
    assert page.count("<li id=") == 2


def test_page_without_sources_has_no_list(draw):
    assert draw("{% sources %}") == ""


@pytest.mark.parametrize(
    ("inside", "expected"), [("text", '<p class="c-lead">text</p>'), (" \n ", ""), ("{% if x %}text{% endif %}", "")]
)
def test_filled_leaves_out_the_element_when_there_is_nothing_in_it(draw, inside, expected):
    assert draw(f'{{% filled "p" "c-lead" %}}{inside}{{% endfilled %}}') == expected


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/130.0 Safari/537.36 Edg/130.0", "Edge, Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit Version/18.0 Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Macintosh; Intel) Gecko/20100101 Firefox/130.0", "Firefox, Mac"),
        ("curl/8.0", "okänd webbläsare"),
    ],
)
def test_browser_is_named(draw, agent, name):
    assert draw("{{ agent|browser }}", agent=agent) == name


def test_no_template_draws_a_key_as_a_figure():
    """Keys stand in addresses and ids, where "1 469" with a space in it leads nowhere."""
    drawn = re.compile(r"\{\{ [\w.]+\.pk \}\}")

    found = [path.name for path in (settings.BASE_DIR / "templates").rglob("*.html") if drawn.search(path.read_text())]

    assert found == []
