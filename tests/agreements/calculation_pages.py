"""The addresses of calculations, the yearly clock and the library of clauses, and what each role meets there."""

from typing import Any

from agreements.models import Calculation, Clause, ClauseVersion, ClockDay
from agreements.operations import add_clause, attach_calculation, make_calculation, write_clause
from organisations.models import TravelTime
from tests.agreements.stories import draft, signed
from tests.factories import PriceListFactory, PriceRowFactory, ProgrammeFactory
from tests.pages import Page

ASSUMED = {
    "pupils": "16", "years": "3", "school_days": "178", "group_size": "16", "teachers": "1800000", "premises": "600000",
    "equipment": "1200000", "equipment_years": "10", "other": "30000", "share_away": "10", "price": "150000",
    "price_kind": "own_list", "travel_day": "60", "travel_minutes": "42", "extra": "0",
}  # fmt: skip


def a_calculation(home: Any, neighbour: Any, owner: Any) -> Calculation:
    programme = ProgrammeFactory(code="BA", name_sv="Bygg- och anläggningsprogrammet")
    return make_calculation(
        title="Bygg hemma",
        municipality=home,
        provider=neighbour,
        programme=programme,
        assumptions=[{"key": key, "value": value, "source": "Budget 2023"} for key, value in ASSUMED.items()],
        by=owner,
        on_behalf_of=home.body,
    )


def listed_calculation(home: Any, neighbour: Any, owner: Any) -> list[Any]:
    a_calculation(home, neighbour, owner)
    return []


def of_calculation(home: Any, neighbour: Any, owner: Any) -> list[Any]:
    return [a_calculation(home, neighbour, owner).pk]


def of_attached(area: Any, home: Any, neighbour: Any, owner: Any) -> list[Any]:
    made = a_calculation(home, neighbour, owner)
    attach_calculation(made, draft(area, [home, neighbour], owner), by=owner, on_behalf_of=home.body)
    return [made.pk]


def of_unfinished(home: Any, owner: Any) -> list[Any]:
    made = make_calculation(
        title="Vård", municipality=home, programme=ProgrammeFactory(code="VO"), by=owner, on_behalf_of=home.body
    )
    return [made.pk]


def with_price(home: Any, neighbour: Any) -> list[Any]:
    programme = ProgrammeFactory(code="BA", name_sv="Bygg- och anläggningsprogrammet")
    prices = PriceListFactory(kind="own_list", municipality=neighbour, year=2023, incl_meals=True)
    PriceRowFactory(price_list=prices, programme=programme)
    TravelTime.objects.create(origin=home, destination=neighbour, mode="rail", minutes=25)
    return []


def with_programme(home: Any, neighbour: Any) -> list[Any]:
    ProgrammeFactory(code="BA", name_sv="Bygg- och anläggningsprogrammet")
    return []


def a_clock(area: Any, home: Any, neighbour: Any) -> ClockDay:
    signed(draft(area, [home, neighbour], programme=ProgrammeFactory()))
    ClockDay.objects.create(area=area, event="application_opens", month=1, day=13, year=2022)
    return ClockDay.objects.create(area=area, event="annex", month=12, day=15, lead_days=60)


def shown_clock(area: Any, home: Any, neighbour: Any) -> list[Any]:
    a_clock(area, home, neighbour)
    return []


def of_clock_day(area: Any) -> list[Any]:
    return [ClockDay.objects.create(area=area, event="annex", month=12, day=15, lead_days=60).pk]


def in_area(area: Any) -> list[Any]:
    return []


def shipped() -> Clause:
    clause = Clause.objects.create(section="tvist", name="Samtal först", reference_key="tvist")
    ClauseVersion.objects.create(clause=clause, number=1, text="De talar med varandra.\n\nSedan avgör domstol.")
    return clause


def own_clause(area: Any, home: Any, owner: Any) -> Clause:
    who = {"by": owner, "on_behalf_of": home.body}
    clause = add_clause(area, section="resor", name="Egna resor", text="Varje kommun för sig.", **who).clause
    write_clause(clause, text="Hemkommunen svarar inom [antal dagar] dagar.", **who)
    return clause


def listed_clauses(area: Any, home: Any, owner: Any) -> list[Any]:
    own_clause(area, home, owner)
    shipped()
    return []


def of_clause(area: Any, home: Any, owner: Any) -> list[Any]:
    return [own_clause(area, home, owner).pk]


def of_shipped(area: Any) -> list[Any]:
    return [shipped().pk]


CALCULATORS = dict.fromkeys(("owner", "asker", "outsider"), 200)
CHANGERS = dict.fromkeys(("owner", "asker"), 200)
POSTERS = dict.fromkeys(("owner", "asker"), 302)
AROUND = dict.fromkeys(("owner", "asker", "principal", "committee", "council_member"), 200)
IN_THE_AREA = dict.fromkeys(("principal", "committee", "council_member"), 403)
CLOSED = {"anonymous": 401}

CALCULATION_PAGES = [
    Page("calculations", args=listed_calculation),
    Page("calculations", query="?tom"),
    Page("calculation_new", args=with_programme, everyone=403, status=CALCULATORS),
    Page(
        "calculation_new", args=with_price, query="?program=BA&kommun=0381&hos=1980", everyone=403, status=CALCULATORS,
    ),
    Page("calculation", args=of_calculation, everyone=404, status={"owner": 200}),
    Page("calculation", args=of_attached, query="?avtal", everyone=404, status=CHANGERS),
    Page("calculation", args=of_unfinished, query="?ofardig", everyone=404, status={"owner": 200}),
    Page("calculation_change", args=of_attached, everyone=404, status={"owner": 200, "asker": 403}),
    Page(
        "calculation_attach", args=of_attached, method="post", draws=False, everyone=404,
        status={"owner": 302, "asker": 403},
    ),
    Page(
        # The owner, who comes first, takes it back: then the others do not know of it.
        "calculation_detach", args=of_attached, method="post", draws=False, everyone=404, status={"owner": 302},
    ),
    Page("clock", args=shown_clock),
    Page("clock_day_new", args=in_area, query="?omrade=4m", everyone=403, status=CHANGERS),
    Page("clock_day_change", args=of_clock_day, everyone=403, status=CHANGERS),
    # The owner, who comes first, removes it.
    Page("clock_day_remove", args=of_clock_day, method="post", draws=False, everyone=404, status={"owner": 302}),
    Page("clauses", args=listed_clauses),
    Page("clause_new", args=in_area, query="?omrade=4m&avsnitt=resor", everyone=403, status=CHANGERS),
    Page("clause", args=of_clause, everyone=404, status=AROUND),
    Page("clause", args=of_shipped, query="?portalen"),
    Page("clause_change", args=of_clause, everyone=404, status={**IN_THE_AREA, **CHANGERS}),
    Page("clause_retire", args=of_clause, method="post", draws=False, everyone=404, status={**IN_THE_AREA, **POSTERS}),
    Page(
        "clause_bring_back", args=of_clause, method="post", draws=False, everyone=404,
        status={**IN_THE_AREA, **POSTERS},
    ),
    Page("api-calculation-list", status=CLOSED, draws=False),
    Page("api-calculation-detail", args=of_attached, everyone=404, status={**CLOSED, **CHANGERS}, draws=False),
    Page("api-clause-list", status=CLOSED, draws=False),
    Page("api-clause-detail", args=of_clause, everyone=404, status={**CLOSED, **AROUND}, draws=False),
    Page(
        "api-clause-versions", args=of_clause, method="post", everyone=404,
        status={**CLOSED, **IN_THE_AREA, "owner": 400, "asker": 400}, draws=False,
    ),
]  # fmt: skip
