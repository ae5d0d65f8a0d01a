"""Price lists, pupils and statements between municipalities, as tests of compensation need them."""

from __future__ import annotations

from typing import Any

from agreements.models import PriceList, Statement
from agreements.operations import lines_of, lock_statement, make_statement, raise_dispute
from programmes.models import Programme, PupilFlow
from tests.agreements.stories import administrator_of, year
from tests.factories import (
    OrientationFactory,
    PriceListFactory,
    PriceRowFactory,
    ProgrammeFactory,
    PupilFlowFactory,
)

YEAR = year("2022/23")


def own_cost(municipality: Any, *rows: Any, **more: Any) -> PriceList:
    """A self-cost list of the municipality for 2022 with (programme, price) or (programme, orientation, price)."""
    facts = {"kind": "self_cost", "municipality": municipality, "incl_meals": True, "incl_vat": False, **more}
    price_list = PriceListFactory(**facts)
    for programme, *orientation, price in rows:
        PriceRowFactory(
            price_list=price_list,
            programme=programme,
            orientation=orientation[0] if orientation else None,
            sek_per_pupil_year=price,
        )
    return price_list


def flow(home: Any, provider: Any, programme: Any, pupils: int, **more: Any) -> PupilFlow:
    return PupilFlowFactory(home=home, provider_municipality=provider, programme=programme, pupils=pupils, **more)


def made(home: Any, neighbour: Any, semester: str = "HT") -> Statement:
    """The statement of 2022/23, made by an administrator of the first."""
    return make_statement(home, neighbour, YEAR, semester, by=administrator_of(home), on_behalf_of=home.body)


def programme_of(code: str, name: str) -> Any:
    return Programme.objects.filter(code=code).first() or ProgrammeFactory(code=code, name_sv=name)


def a_statement(home: Any, neighbour: Any) -> Statement:
    """A draft with a line that has its price, one that is disputed, one with several prices and one without any."""
    building = programme_of("BA", "Bygg- och anläggningsprogrammet")
    economy = programme_of("EK", "Ekonomiprogrammet")
    arts = programme_of("ES", "Estetiska programmet")
    music, theatre = (OrientationFactory(programme=arts, name_sv=name) for name in ("Musik", "Teater"))
    own_cost(neighbour, (building, "137000"), (arts, music, "158100"), (arts, theatre, "124300"))
    own_cost(home, (building, "135000"))
    flow(home, neighbour, building, 12)
    flow(home, neighbour, arts, 3)
    flow(home, neighbour, economy, 5)
    flow(neighbour, home, building, 7)
    statement = made(home, neighbour)
    line = next(line for line in lines_of(statement) if line.home_id == neighbour.pk)
    raise_dispute(line, text="Två elever flyttade i september.", by=administrator_of(home), on_behalf_of=home.body)
    return statement


def a_ready_statement(home: Any, neighbour: Any) -> Statement:
    """A draft in which nothing is left to do."""
    building = programme_of("BA", "Bygg- och anläggningsprogrammet")
    own_cost(neighbour, (building, "130000"))
    own_cost(home, (building, "120000"))
    flow(home, neighbour, building, 7)
    flow(neighbour, home, building, 2)
    return made(home, neighbour)


def a_locked_statement(home: Any, neighbour: Any) -> Statement:
    statement = a_ready_statement(home, neighbour)
    return lock_statement(statement, by=administrator_of(home), on_behalf_of=home.body)
