"""Dates, times and numbers, read and written as officials do."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.template import Context, Template
from django.utils import translation

from collab4m.forms import WrittenDateField
from collab4m.templatetags import shell

DAY = '<time datetime="2026-12-13">13 %s</time>'
MOMENT = '<time datetime="2026-11-23T08:40+01:00">%s 8.40</time>'
STOCKHOLM = ZoneInfo("Europe/Stockholm")


def written(source: str, language: str = "sv", **context) -> str:
    with translation.override(language):
        return Template(source).render(Context(context))


@pytest.mark.parametrize("language", ["sv", "en"])
@pytest.mark.parametrize(
    "text",
    ["2026-12-13", "20261213", "13.12.2026", "13 december 2026", "13 Dec 2026", "13. dec. 2026", " 13  december 2026 "],
)
def test_day_is_read_as_people_write_it(text, language):
    with translation.override(language):
        assert WrittenDateField().clean(text) == date(2026, 12, 13)


@pytest.mark.parametrize(
    ("text", "month"), [("1 maj 2026", 5), ("1 May 2026", 5), ("1 oktober 2026", 10), ("1 Oct 2026", 10)]
)
def test_months_are_known_in_both_languages(text, month):
    assert WrittenDateField().clean(text) == date(2026, month, 1)


@pytest.mark.parametrize("text", ["03/04/2026", "12-13-2026", "13 dembre 2026", "31 februari 2026", "i morgon"])
def test_day_that_could_be_read_two_ways_is_refused(text):
    with translation.override("sv"), pytest.raises(Exception, match="Skriv dagen som år-månad-dag"):
        WrittenDateField().clean(text)


def test_times_have_a_point_and_thousands_a_space_that_does_not_break():
    moment = datetime(2026, 12, 13, 13, 5, tzinfo=STOCKHOLM)

    assert written("{{ moment|time }} {{ number }} {{ share }}", moment=moment, number=1234567, share=2.5) == (
        "13.05 1\xa0234\xa0567 2,5"
    )
    assert written("{{ moment|date:'DATETIME_FORMAT' }}", moment=moment) == "13 december 2026 kl. 13.05"
    assert written("{{ moment|date:'DATETIME_FORMAT' }}", "en", moment=moment) == "13 December 2026, 13.05"


@pytest.mark.parametrize(
    ("source", "sv", "en"),
    [
        ("{{ this_year|in_text }}", "13 december", "13 December"),
        ("{{ next_year|in_text }}", "2 januari 2027", "2 January 2027"),
        ("{{ this_year|short_day }}", "13 dec", "13 dec"),
        ("{% moment now %}", MOMENT % "i dag", MOMENT % "today"),
        ("{% day this_year %}", DAY % "december", DAY % "December"),
        ("{% far_off late %}", "tre dagar sent", "three days late"),
        ("{% far_off soon %}", "på fredag", "on Friday"),
        ("{% far_off this_year %}", "om 20 dagar", "in 20 days"),
        ("{% this_week %}", "v. 48", "w. 48"),
        ("{{ 12|in_words|capital }}, {{ 13|in_words }}", "Tolv, 13", "Twelve, 13"),
    ],
)
def test_days_in_running_text(monkeypatch, source, sv, en):
    monkeypatch.setattr(shell, "today", lambda: date(2026, 11, 23))
    context = {
        "this_year": date(2026, 12, 13),
        "next_year": date(2027, 1, 2),
        "now": datetime(2026, 11, 23, 8, 40, tzinfo=STOCKHOLM),
        "late": date(2026, 11, 20),
        "soon": date(2026, 11, 27),
    }

    assert written(source, "sv", **context) == sv
    assert written(source, "en", **context) == en
