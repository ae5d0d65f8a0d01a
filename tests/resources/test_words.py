"""Times, days and prices as the pages of resources write them."""

from dataclasses import dataclass
from datetime import date, time

import pytest
from django.utils.translation import override

from collab4m.clock import today
from resources.operations import local
from resources.templatetags.resource_words import days_in_words, hour, unbroken
from resources.templatetags.sharing_steps import price_per


@dataclass
class Days:
    first_day: date
    last_day: date


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (date(2017, 2, 20), date(2017, 2, 24), "20–24 februari 2017"),
        (date(2017, 2, 20), date(2017, 2, 20), "20 februari 2017"),
        (date(2017, 1, 9), date(2017, 6, 9), "9 januari – 9 juni 2017"),
        (date(2016, 12, 22), date(2017, 1, 8), "22 december 2016 – 8 januari 2017"),
    ],
)
def test_from_a_day_through_a_day(first, last, words):
    assert days_in_words(Days(first, last)) == words


def test_this_year_is_not_written():
    first = date(today().year, 3, 2)

    assert days_in_words(Days(first, first.replace(day=6))) == "2–6 mars"


def test_an_hour_has_no_minutes_without_any():
    day = date(2026, 12, 8)

    assert [hour(local(day, moment)) for moment in (time(9), time(9, 30))] == ["9", "9.30"]


def test_no_line_ends_at_the_dash_of_a_time():
    assert unbroken("Tisdag kl. 8–16.30, <b>") == ('Tisdag kl. <span class="c-nowrap">8–16.30</span>, &lt;b&gt;')
    assert unbroken("9 januari – 9 juni") == "9 januari – 9 juni"


def test_a_price_is_written_in_the_readers_language():
    assert price_per("450.00", "day") == "450 kr per dag"
    with override("en"):
        assert price_per("450.50", "day") == "SEK 450.50 per day"
    assert price_per("vet ej", "day") == "vet ej per dag"
