"""Price lists: what comes with the portal, what a file says, and editions that never change."""

from __future__ import annotations

import io
import os
from datetime import date
from decimal import Decimal

import pytest
from django.core.management import call_command
from openpyxl import Workbook

from agreements.models import PriceKind, PriceList, PriceRow
from agreements.operations import (
    NewPrice,
    NoPrices,
    NotYourList,
    PriceCatalogue,
    PriceTwice,
    price_of,
    publish_prices,
    read_prices,
)
from organisations.models import Municipality
from organisations.operations import BadReference
from programmes.operations import FileRefused
from records.models import Event
from tests.factories import MembershipFactory, OrientationFactory, ProgrammeFactory
from tests.records.test_races import at_once

pytestmark = pytest.mark.django_db
ROUNDS = int(os.environ.get("RACE_ROUNDS", "5"))


@pytest.fixture
def programme():
    return ProgrammeFactory(code="BA", name_sv="Bygg- och anläggningsprogrammet")


def publish(owner, home, programme, **more):
    facts = {
        "kind": PriceKind.OWN_LIST, "municipality": home, "area": None, "year": 2023, "title": "Prislista",
        "incl_meals": True, "incl_vat": False, "rows": [NewPrice(programme.pk, None, Decimal("137000.00"), "BA")],
        "by": owner, "on_behalf_of": home.body,
    }  # fmt: skip
    return publish_prices(**{**facts, **more})


# Publishing


def test_publishing_again_makes_the_next_edition_and_leaves_the_first_as_it_was(owner, home, programme):
    first = publish(owner, home, programme)

    second = publish(owner, home, programme, rows=[NewPrice(programme.pk, None, Decimal("138000"))])

    assert [(one.number, one.rows.get().sek_per_pupil_year) for one in (first, second)] == [
        (1, Decimal("137000.00")),
        (2, Decimal("138000.00")),
    ]
    assert [event.data["edition"] for event in Event.objects.filter(name="price_list.published").order_by("pk")] == [
        1,
        2,
    ]


def test_a_list_with_meals_and_one_without_are_numbered_apart(owner, home, programme):
    publish(owner, home, programme)

    assert publish(owner, home, programme, incl_meals=False).number == 1


def test_one_publishes_for_ones_own_municipality_and_area(owner, outsider, home, neighbour, area, programme):
    elsewhere = MembershipFactory().area

    with pytest.raises(NotYourList):
        publish(owner, home, programme, municipality=neighbour)
    with pytest.raises(NotYourList):
        publish(outsider, home, programme)
    with pytest.raises(NotYourList):
        publish(owner, home, programme, kind=PriceKind.COMMON_LIST, municipality=None, area=elsewhere)
    with pytest.raises(NotYourList):
        publish(owner, home, programme, kind=PriceKind.COMMON_LIST, area=area)
    with pytest.raises(NotYourList):
        publish(owner, home, programme, kind=PriceKind.FIXED)

    publish(owner, home, programme, kind=PriceKind.COMMON_LIST, municipality=None, area=area)
    publish(owner, home, programme, kind=PriceKind.NATIONAL_LIST, municipality=None)
    assert PriceList.objects.count() == 2


def test_a_list_needs_prices_each_for_something_of_its_own(owner, home, programme):
    with pytest.raises(NoPrices):
        publish(owner, home, programme, rows=[])
    with pytest.raises(PriceTwice):
        publish(owner, home, programme, rows=[NewPrice(programme.pk, None, Decimal(1))] * 2)

    assert not PriceList.objects.exists()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("nth", range(ROUNDS))
def test_rivals_who_publish_at_once_get_editions_of_their_own(owner, home, programme, nth):
    answers = at_once(*[lambda: publish(owner, home, programme).number] * 8)

    assert sorted(answers) == list(range(1, 9))


# Reading


@pytest.mark.parametrize(
    ("said", "price"),
    [
        ("137000", "137000.00"),
        ("137 000", "137000.00"),
        ("137\u00a0000,50", "137000.50"),
        ("137000.5", "137000.50"),
        ("137 000 kr", "137000.00"),
        (137000, "137000.00"),
        (137000.25, "137000.25"),
        (0, "0.00"),
    ],
)
def test_price_of_reads_what_people_write(said, price):
    assert str(price_of(said)) == price


@pytest.mark.parametrize(
    "said", ["", None, "dyr", "-1", "137.000", "1,234,567", "12 34", "1e5", "99999999999", True, "1,999"]
)
def test_price_of_refuses_what_can_be_read_two_ways_or_not_at_all(said):
    with pytest.raises(ValueError, match=r"\w"):
        price_of(said)


def csv(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


def test_a_file_is_read_by_its_headings(programme):
    house = OrientationFactory(programme=programme, code="BAHUS", name_sv="Husbyggnad")
    content = csv("Pris;Programkod;Inriktning;Benämning;Annat", "137 000;BA;;Bygg;x", "140000,50;ba;husbyggnad;;")

    found = read_prices("lista.csv", content)

    assert [(one.line, one.price) for one in found] == [
        (2, NewPrice(programme.pk, None, Decimal("137000.00"), "Bygg")),
        (3, NewPrice(programme.pk, house.pk, Decimal("140000.50"), "")),
    ]


def test_a_workbook_is_read_too(programme):
    book = Workbook()
    book.active.append(["Programkod", "Kronor per elev och år"])
    book.active.append(["BA", 137000.5])
    file = io.BytesIO()
    book.save(file)

    assert [one.price.price_sek for one in read_prices("lista.xlsx", file.getvalue())] == [Decimal("137000.50")]


def test_every_fault_is_told_by_line_and_column(programme):
    content = csv("Programkod;Inriktningskod;Pris", "XX;;1", "BA;BAXXX;1", "BA;;gratis", "BA;;1", "BA;;2")

    with pytest.raises(FileRefused) as refused:
        read_prices("lista.csv", content)

    places = [(problem.line, problem.column, problem.value) for problem in refused.value.problems]
    assert places == [(2, "1", "XX"), (3, "2", "BAXXX"), (4, "3", "gratis"), (6, "1", "BA")]


@pytest.mark.parametrize(
    "content", [csv("Programkod;Namn", "BA;x"), csv("Pris", "1"), csv("Programkod;Pris"), b"", b"\x00\x01"]
)
def test_a_file_without_prices_is_refused(programme, content):
    with pytest.raises(FileRefused):
        read_prices("lista.csv", content)


def test_a_code_alone_names_a_programme_or_an_orientation(programme):
    house = OrientationFactory(programme=programme, code="BAHUS", name_sv="Husbyggnad")
    catalogue = PriceCatalogue()

    assert catalogue.either("ba") == (programme, None)
    assert catalogue.either("BAHUS") == (programme, house)
    with pytest.raises(ValueError, match="FEL"):
        catalogue.either("FEL")


# What comes with the portal


def test_the_reference_lists_are_loaded_once(db):
    call_command("load_reference", stdout=io.StringIO())
    lists = list(PriceList.objects.order_by("reference_key").values_list("reference_key", "verified", "incl_meals"))
    rows = list(PriceRow.objects.order_by("pk").values_list("pk", "sek_per_pupil_year"))

    told = io.StringIO()
    call_command("load_reference", stdout=told)

    assert lists == [
        ("lindesberg-2024", True, True),
        ("riksprislistan-2023-med-maltider", True, True),
        ("riksprislistan-2023-utan-maltider", True, False),
        ("riksprislistan-2026-med-maltider", False, True),
    ]
    assert rows == list(PriceRow.objects.order_by("pk").values_list("pk", "sek_per_pupil_year"))
    assert "prices: 69 rows, 0 created, 0 changed" in told.getvalue()
    assert not PriceList.objects.filter(kind=PriceKind.NATIONAL_LIST, year=2022).exists()


def test_the_dearer_orientations_of_the_national_list_stand_beside_their_programmes(db):
    call_command("load_reference", stdout=io.StringIO())

    rows = PriceRow.objects.filter(price_list__reference_key="riksprislistan-2023-utan-maltider", programme__code="BA")

    assert dict(rows.values_list("orientation__code", "sek_per_pupil_year")) == {
        None: Decimal("137000.00"),
        "BAANL": Decimal("204400.00"),
    }


def test_a_published_reference_price_is_never_changed_by_the_loader(db):
    from agreements.operations.reference import load_reference

    call_command("load_reference", stdout=io.StringIO())
    PriceRow.objects.filter(price_list__reference_key="lindesberg-2024", programme__code="EK").delete()

    with pytest.raises(BadReference, match="prices.csv"):
        load_reference()


def test_a_list_that_somebody_published_before_is_left_alone(owner, home):
    from organisations.operations import load_reference as load_organisations
    from programmes.models import Programme
    from programmes.operations import load_reference as load_programmes

    load_organisations(history=False)
    load_programmes(history=False)
    programme = Programme.objects.get(code="EK")
    theirs = publish(
        owner, home, programme, kind=PriceKind.NATIONAL_LIST, municipality=None, year=2023,
        rows=[NewPrice(programme.pk, None, Decimal("1"))], decided_on=date(2023, 1, 31),
    )  # fmt: skip

    call_command("load_reference", stdout=io.StringIO())

    assert [row.sek_per_pupil_year for row in theirs.rows.all()] == [Decimal("1.00")]
    assert Municipality.objects.filter(pk=home.pk).exists()
