"""The demonstration's resources: owned by real municipalities but invented, marked, and gone without a trace."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pgtrigger
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Q

from collab4m.clock import today
from organisations.demo import TOWNS, DemoNeedsReference, address_of
from organisations.models import Body, Municipality, School, SchoolBreak, Site, User
from records.models import Event, Link
from resources.models import (
    Approval,
    Askers,
    Blocking,
    Booking,
    Category,
    Deputy,
    Feature,
    FeedToken,
    Picture,
    PriceUnit,
    Resource,
    Rivalry,
    Series,
    Takes,
    Unit,
    UnmetNeed,
    VatTreatment,
    Waiting,
)
from resources.operations import (
    Pattern,
    approve_booking,
    ask_for_more,
    block_resource,
    decline_booking,
    local,
    red_days,
    request_booking,
    request_series,
    wait_for,
)
from resources.operations.pictures import forget_files
from resources.operations.sharing import Opening, set_opening, set_price, share_resource

MARK = "(exempel)"
# So long that what waits for an answer is still there when somebody looks at it.
DECIDE_HOURS = 24 * 21
WEEKDAYS, EVERY_DAY = range(1, 6), range(1, 8)


@dataclass(frozen=True)
class _Example:
    """Something that a town, or its principal's school, shares. Prices are round, and nobody's."""

    town: str
    name: str
    category: str
    description: str
    capacity: int | None = None
    features: Sequence[str] = ()
    by_school: bool = False
    site: str = ""
    units: Sequence[str] = ()
    parts: Sequence[str] = ()
    opens: tuple[int, int] = (7, 17)
    every_day: bool = False
    price: tuple[str, int] | None = None
    facts: dict[str, Any] = field(default_factory=dict)


HALL, NORTH, SOUTH = "Sporthall", "Sporthall, norra halvan", "Sporthall, södra halvan"
BUS_A, BUS_B, BUS_C, BUS_D = "Minibuss A", "Minibuss B", "Minibuss C", "Minibuss D"
TRUCK, SIMULATOR, WELDING, CNC = "Lastbil med släp", "Lastbilssimulator", "Svetshall", "CNC-maskin"
TABLETS, CAMERA, SOUND, FILM = "Surfplattor", "Kamerautrustning", "Ljudutrustning", "Filmpaket"
KITCHEN, DIGGER, STAGE = "Undervisningskök", "Grävmaskin", "Aula"

EXAMPLES = (
    _Example(
        "strangnas", BUS_A, "minibuss", "Exempel på en minibuss som går att boka direkt, dygnet runt.",
        capacity=9, features=["dragkrok"], opens=(0, 24), every_day=True, price=(PriceUnit.DAY, 400),
        facts={"approval": Approval.AUTOMATIC},
    ),
    _Example(
        "strangnas", KITCHEN, "undervisningskok", "Exempel på ett kök för undervisning.",
        capacity=16, features=["tillganglig-med-rullstol"], by_school=True, price=(PriceUnit.HOUR, 200),
        facts={"terms": "Exempel på villkor. Gruppen städar köket efter sig.", "turnaround_minutes": 30},
    ),
    _Example(
        "eskilstuna", BUS_B, "minibuss", "Exempel på en minibuss där ägaren svarar på varje förfrågan.",
        capacity=9, features=["dragkrok", "alkolas"], opens=(6, 18), price=(PriceUnit.DAY, 300),
        facts={"turnaround_minutes": 30},
    ),
    _Example(
        "eskilstuna", TRUCK, "lastbil", "Exempel på ett ekipage. Flera får fråga om samma tid, och ägaren väljer.",
        features=["dubbelkommando", "dragkrok"], units=["Lastbil", "Släp"], price=(PriceUnit.DAY, 2000),
        facts={
            "rivalry": Rivalry.COMPETE,
            "permits": "Exempel på krav. Föraren har den behörighet som ekipaget kräver.",
            "longest_minutes": 5 * 24 * 60,
            "lead_minutes": 24 * 60,
            "cancel_hours": 24,
        },
    ),
    _Example(
        "eskilstuna", WELDING, "svetshall", "Exempel på en svetshall med bås för en hel grupp.",
        capacity=12, features=["punktutsug", "svetsbas"], by_school=True, price=(PriceUnit.HOUR, 300),
        facts={"turnaround_minutes": 30, "terms": "Exempel på villkor. En lärare från värdskolan är med."},
    ),
    _Example(
        "eskilstuna", DIGGER, "gravmaskin", "Exempel på en grävmaskin för övning på värdskolans plats.",
        features=["instruktor"], price=(PriceUnit.DAY, 1500), facts={"lead_minutes": 48 * 60},
    ),
    _Example(
        "vasteras", BUS_C, "minibuss", "Exempel på en minibuss med lyft.",
        capacity=9, features=["dragkrok", "rullstolslyft"], price=(PriceUnit.DAY, 500),
    ),
    _Example(
        "vasteras", SIMULATOR, "lastbilssimulator", "Exempel på en simulator. Den som frågar först håller tiden.",
        capacity=1, by_school=True, price=(PriceUnit.HOUR, 200), facts={"turnaround_minutes": 15},
    ),
    _Example(
        "vasteras", CNC, "cnc-maskin", "Exempel på en maskin för kurser i datorstyrd produktion.",
        capacity=8, features=["instruktor"], price=(PriceUnit.HOUR, 500),
    ),
    _Example(
        "vasteras", STAGE, "aula", "Exempel på en aula. Ägarens egna skolor får fråga.",
        capacity=200, features=["inbyggd-projektor", "horslinga", "scen"], opens=(8, 21), price=(PriceUnit.OCCASION, 0),
        facts={"askers": Askers.OWNER},
    ),
    _Example(
        "enkoping", BUS_D, "minibuss", "Exempel på en minibuss utan dragkrok.",
        capacity=8, features=["automatlada"], price=(PriceUnit.DAY, 400),
    ),
    _Example(
        "enkoping", NORTH, "sporthall", "Exempel på en halv hall.",
        capacity=30, site="westerlundska", opens=(8, 22), price=(PriceUnit.HOUR, 100),
    ),
    _Example(
        "enkoping", SOUTH, "sporthall", "Exempel på en halv hall.",
        capacity=30, site="westerlundska", opens=(8, 22), price=(PriceUnit.HOUR, 100),
    ),
    _Example(
        "enkoping", HALL, "sporthall", "Exempel på en hel hall. Den är upptagen när någon av halvorna är det.",
        capacity=60, features=["omkladningsrum", "laktare"], site="westerlundska", parts=[NORTH, SOUTH], opens=(8, 22),
        price=(PriceUnit.HOUR, 200),
    ),
    _Example(
        "enkoping", TABLETS, "surfplattor", "Exempel på surfplattor. Den som bokar säger hur många.",
        features=["laddvagn", "flyttbar"], by_school=True, units=[f"iPad {number}" for number in range(1, 31)],
        price=(PriceUnit.DAY, 10), facts={"takes": Takes.SOME},
    ),
    _Example(
        "enkoping", CAMERA, "kamerautrustning", "Exempel på en kamera med stativ.",
        features=["flyttbar"], by_school=True, units=["Kamera", "Stativ"], price=(PriceUnit.DAY, 100),
    ),
    _Example(
        "enkoping", SOUND, "ljudanlaggning", "Exempel på mikrofoner och högtalare.",
        features=["flyttbar"], by_school=True, units=["Mikrofoner", "Högtalare"], price=(PriceUnit.DAY, 100),
    ),
    _Example(
        "enkoping", FILM, "kamerautrustning", "Exempel på ett paket: kamera, stativ, mikrofoner och högtalare.",
        features=["flyttbar"], by_school=True, parts=[CAMERA, SOUND], price=(PriceUnit.DAY, 150),
    ),
)  # fmt: skip


@transaction.atomic
def load_demo() -> int:
    """Share the example resources, with bookings on the school days to come, unless there are any; returns how many.

    Needs the people that organisations.demo loads. Raises DemoNeedsReference if the municipalities, the schools or the
    categories are not there.
    """
    if Resource.objects.filter(example=True).exists():
        return 0
    places = _Places()
    shared: dict[str, Resource] = {}
    for one in EXAMPLES:
        shared[one.name] = _share(places, one, shared)
    _book(places, shared)
    return len(shared)


class _Places:
    """Whose the examples are, and who acts for whom."""

    def __init__(self) -> None:
        try:
            self.municipalities = {town.slug: Municipality.objects.get(code=town.code) for town in TOWNS}
            self.schools = {town.slug: School.objects.get(reference_key=town.school) for town in TOWNS}
            self.people = {town.slug: User.objects.get(email=address_of(f"handlaggare.{town.slug}")) for town in TOWNS}
            self.principals = {town.slug: User.objects.get(email=address_of(f"rektor.{town.slug}")) for town in TOWNS}
        except (Municipality.DoesNotExist, School.DoesNotExist, User.DoesNotExist) as missing:
            raise DemoNeedsReference from missing

    def owner(self, one: _Example) -> Body:
        return self.schools[one.town].body if one.by_school else self.municipalities[one.town].body

    def keeper(self, one: _Example) -> User:
        return self.principals[one.town] if one.by_school else self.people[one.town]

    def asking(self, slug: str) -> dict[str, Any]:
        """The principal of a town's school, who asks for it."""
        return {"by": self.principals[slug], "on_behalf_of": self.schools[slug].body}

    def school_days(self, most: int) -> list[date]:
        """The coming weekdays on which none of the four has a break, and which are not red."""
        first = today() + timedelta(days=1)
        window = (first, first + timedelta(days=400))
        breaks = list(SchoolBreak.objects.filter(municipality__in=self.municipalities.values(), valid__overlap=window))
        days = (first + timedelta(days=step) for step in range(400))
        found = [
            day for day in days
            if day.isoweekday() <= 5 and day not in red_days(day.year) and not any(day in one.valid for one in breaks)
        ]  # fmt: skip
        return found[:most]


def _share(places: _Places, one: _Example, shared: dict[str, Resource]) -> Resource:
    owner, by = places.owner(one), places.keeper(one)
    category = Category.objects.filter(reference_key=one.category).first()
    if category is None:
        raise DemoNeedsReference
    facts: dict[str, Any] = {
        "name": f"{one.name} {MARK}",
        "category": category,
        "kind": category.kind,
        "description": one.description,
        "capacity": one.capacity,
        "site": Site.objects.filter(reference_key=one.site).first() if one.site else None,
        "decide_hours": DECIDE_HOURS,
        **one.facts,
    }
    resource = share_resource(
        owner=owner,
        facts=facts,
        features=Feature.objects.filter(reference_key__in=one.features),
        units=one.units,
        parts=[shared[name] for name in one.parts],
        by=by,
        example=True,
    )
    opens, closes = (time(hour % 24) for hour in one.opens)  # midnight is the end of the day too
    openings = [
        Opening(weekday, opens, closes, in_breaks=one.every_day, on_red_days=one.every_day)
        for weekday in (EVERY_DAY if one.every_day else WEEKDAYS)
    ]
    set_opening(resource, openings=openings, by=by, on_behalf_of=owner)
    if one.price:
        unit, sek = one.price
        set_price(
            resource, unit=unit, sek=Decimal(sek), vat=VatTreatment.ASK, first_day=today(), by=by, on_behalf_of=owner
        )
    return resource


# What is booked


def _book(places: _Places, shared: dict[str, Resource]) -> None:
    days = places.school_days(60)
    tuesdays = [day for day in days if day.isoweekday() == 2]
    no_tuesday = next(day for day in days[6:] if day not in tuesdays)
    keepers: dict[str, dict[str, Any]] = {
        one.name: {"by": places.keeper(one), "on_behalf_of": places.owner(one)} for one in EXAMPLES
    }

    def ask(name: str, slug: str, day: date, hours: tuple[int, int], purpose: str, **more: Any) -> Booking:
        starts_at, ends_at = _span(day, *hours)
        return request_booking(
            shared[name], starts_at=starts_at, ends_at=ends_at, purpose=f"Exempel: {purpose}",
            licence_confirmed=True, **places.asking(slug), **more,
        )  # fmt: skip

    def approved(name: str, *rest: Any, **more: Any) -> Booking:
        return approve_booking(ask(name, *rest, **more), **keepers[name])

    def own(name: str, slug: str, day: date, hours: tuple[int, int], purpose: str) -> Booking:
        starts_at, ends_at = _span(day, *hours)
        return request_booking(
            shared[name], starts_at=starts_at, ends_at=ends_at, purpose=f"Exempel: {purpose}",
            by=places.people[slug], on_behalf_of=places.municipalities[slug].body, licence_confirmed=True,
        )  # fmt: skip

    ask(BUS_A, "enkoping", days[3], (8, 15), "studiebesök", pupils=8)
    own(BUS_B, "eskilstuna", tuesdays[1], (8, 12), "studiebesök")
    approved(BUS_B, "strangnas", no_tuesday, (8, 16), "praktikbesök", pupils=6)
    approved(BUS_C, "enkoping", tuesdays[0], (8, 16), "resa till mässa", pupils=8)
    ask(BUS_C, "strangnas", days[14], (9, 15), "studiebesök", pupils=7)
    approved(BUS_D, "vasteras", days[4], (9, 14), "resa till praktik", pupils=5)
    ask(TRUCK, "vasteras", days[16], (8, 16), "övningskörning med ekipage", pupils=3)
    ask(TRUCK, "enkoping", days[16], (9, 15), "övning på manöverplan", pupils=4)
    approved(TRUCK, "strangnas", days[9], (8, 16), "övningskörning", pupils=2)
    approved(SIMULATOR, "eskilstuna", days[2], (9, 11), "halkövning", pupils=1)
    ask(SIMULATOR, "eskilstuna", days[15], (9, 12), "körpass", pupils=1)
    ask(SIMULATOR, "strangnas", days[15], (13, 15), "körpass", pupils=1)
    asked = ask(WELDING, "strangnas", days[17], (8, 15), "svetsmoment för VVS", pupils=12)
    ask_for_more(asked, question="Exempel på fråga. Har gruppen egen skyddsutrustning?", **keepers[WELDING])
    refused = ask(CNC, "eskilstuna", days[13], (8, 16), "moment i datorstyrd produktion", pupils=6)
    decline_booking(refused, reason="Exempel på svar. Våra egna elever använder maskinen den dagen.", **keepers[CNC])
    approved(NORTH, "vasteras", days[5], (13, 15), "bollspel", pupils=25)
    own(HALL, "enkoping", days[8], (9, 16), "skolornas idrottsdag")
    approved(TABLETS, "strangnas", days[7], (8, 16), "digitalt prov", quantity=12, pupils=12)
    ask(TABLETS, "eskilstuna", days[18], (8, 16), "filmning på praktik", quantity=20, pupils=20)
    approved(FILM, "vasteras", days[10], (8, 16), "filmprojekt", pupils=10)
    request_series(
        shared[SOUTH],
        Pattern(days[12], days[12] + timedelta(weeks=5), time(13), 120, breaks_of=places.municipalities["enkoping"]),
        leave_out=_closed(days[12], days),
        purpose="Exempel: idrott varje vecka",
        pupils=24,
        **places.asking("strangnas"),
    )
    service_from, service_to = _span(days[11], 7, 17)
    block_resource(
        shared[WELDING], starts_at=service_from, ends_at=service_to, reason="Exempel: service av utsuget", seen=set(),
        **keepers[WELDING],
    )  # fmt: skip
    waits_from, waits_to = _span(no_tuesday, 9, 14)
    wait_for(
        shared[BUS_B], starts_at=waits_from, ends_at=waits_to, purpose="Exempel: studiebesök",
        **places.asking("vasteras"),
    )  # fmt: skip


def _span(day: date, begins: int, ends: int) -> tuple[datetime, datetime]:
    return local(day, time(begins)), local(day, time(ends))


def _closed(first: date, days: Iterable[date]) -> set[date]:
    """The days of a weekly series that are no school days."""
    return {first + timedelta(weeks=week) for week in range(6)} - set(days)


# Taking everything away


@transaction.atomic
def remove_demo() -> None:
    """Take away example resources and those that the demonstration's people shared, with all that came of them."""
    people = list(User.objects.filter(example=True).values_list("pk", flat=True))
    shared = Event.objects.filter(
        subject_type=ContentType.objects.get_for_model(Resource), name="resource.shared", by__in=people
    )
    resources = Resource.objects.filter(
        Q(example=True)
        | Q(owner__example=True)
        | Q(municipality__example=True)
        | Q(pk__in=shared.values_list("subject_id", flat=True))
    )
    ids = list(resources.values_list("pk", flat=True))
    pictures = Picture.objects.filter(Q(resource__in=ids) | Q(pk__in=_pictures_by(people)))
    forget_files(list(pictures.values_list("sha256", flat=True)))
    pictures.delete()
    of_them = Q(resources__in=ids) | Q(is_retired=True, claims__booking__resource__in=ids)
    units = list(Unit.objects.filter(of_them).values_list("pk", flat=True))
    with pgtrigger.ignore("records.Event:append_only"):
        _remove_bookings(ids, people)
        _forget(Resource, ids)
        feeds = FeedToken.objects.filter(Q(resource__in=ids) | Q(body__example=True))
        _forget(FeedToken, feeds.values_list("pk", flat=True))
    Deputy.objects.filter(pk__in=_deputies_by(people)).delete()
    UnmetNeed.objects.filter(example=True).delete()
    Resource.objects.filter(pk__in=ids).delete()
    Unit.objects.filter(pk__in=units, resource_units=None).delete()


def _remove_bookings(resources: list[int], people: list[int]) -> None:
    """What was booked, blocked and waited for: of these resources, by these people, and for bodies that go."""
    of_bodies = Q(resource__in=resources) | Q(booked_for__example=True)
    bookings = Booking.objects.filter(of_bodies | Q(asked_by__in=people) | Q(example=True))
    ids = list(bookings.values_list("pk", flat=True))
    Booking.objects.filter(decided_by__in=people).exclude(pk__in=ids).update(decided_by=None)
    waiting = Waiting.objects.filter(of_bodies | Q(asked_by__in=people))
    _forget(Waiting, waiting.values_list("pk", flat=True))
    waiting.delete()
    Blocking.objects.filter(Q(resource__in=resources) | Q(by__in=people)).delete()
    _forget(Booking, ids)
    Booking.objects.filter(pk__in=ids).delete()
    Series.objects.filter(of_bodies | Q(bookings=None)).delete()


def _pictures_by(people: list[int]) -> list[int]:
    """Ids of the pictures that these people put up, on whatever resource."""
    added = Event.objects.filter(name="resource.picture_added", by__in=people)
    return [
        pk
        for resource, data in added.values_list("subject_id", "data")
        for pk in Picture.objects.filter(resource=resource, sha256=data["sha256"]).values_list("pk", flat=True)
    ]


def _deputies_by(people: list[int]) -> list[int]:
    """Ids of the deputies whom these people named, for whatever owner."""
    named = Event.objects.filter(name="deputy.named", by__in=people)
    return [
        pk
        for user, data in named.values_list("subject_id", "data")
        for pk in Deputy.objects.filter(
            user=user, owner__name=data["owner"], valid__startswith=data["first_day"]
        ).values_list("pk", flat=True)
    ]


def _forget(model: type[models.Model], ids: Iterable[int]) -> None:
    """The history and links of rows that are about to go."""
    about = {"subject_type": ContentType.objects.get_for_model(model), "subject_id__in": list(ids)}
    Event.objects.filter(**about).delete()
    for end in ("from", "to"):
        Link.objects.filter(**{f"{end}_type": about["subject_type"], f"{end}_id__in": about["subject_id__in"]}).delete()
