"""Nobody reads of bookings that are not theirs: every address about resources, read by everyone, searched for words.

Each booking and each place in line carries a word of its own in all that somebody wrote about it.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any
from urllib.parse import urlencode

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from collab4m.clock import today
from organisations.models import RoleKind
from resources.models import (
    Approval,
    Blocking,
    Booking,
    Deputy,
    FeedKind,
    FeedToken,
    Picture,
    Resource,
    Rivalry,
    Unit,
    Waiting,
    WaitingOffer,
)
from resources.operations import (
    FeedRefused,
    Pattern,
    add_picture,
    answer_owner,
    approve_booking,
    ask_for_more,
    block_resource,
    cancel_booking,
    decline_booking,
    make_feed,
    request_booking,
    request_series,
    wait_for,
)
from tests.factories import MembershipFactory, MunicipalityFactory, ProviderFactory, ResourceFactory, RoleFactory
from tests.resources.booking_stories import in_days
from tests.resources.painted import painted

# Who reads of what: whoever asked and whoever looks on there, the owner, and its deputy on the days that are theirs.
CONCERNED = {
    "homes": {"owner", "two_homes", "committee", "asker", "deputy"},
    "schools": {"principal", "owner", "two_homes", "asker", "deputy"},
    "thirds": {"third", "asker", "two_homes", "deputy"},
    "neighbours": {"asker", "two_homes", "owner", "committee"},
    "elsewheres": {"outsider"},
    "repeated": {"owner", "two_homes", "committee", "asker", "deputy"},
    "waiting": {"third"},
    "offered": {"owner", "two_homes", "committee"},
}
READERS = [
    "anonymous", "owner", "asker", "third", "outsider", "two_homes", "principal", "committee", "council_member",
    "roleless", "system_administrator", "deputy", "deputy_before", "deputy_to_come",
]  # fmt: skip
# What stands after a beginning of an address, the longest first.
NAMED = {
    "resurser/bokningar/": Booking,
    "resurser/sparrar/": Blocking,
    "resurser/vantelista/": Waiting,
    "resurser/erbjudanden/": WaitingOffer,
    "resurser/bilder/": Picture,
    "resurser/stallforetradare/": Deputy,
    "resurser/kalendrar/": FeedToken,
    "resurser/": Resource,
    "api/v1/bookings/": Booking,
    "api/v1/blockings/": Blocking,
    "api/v1/waiting/": Waiting,
    "api/v1/waiting-offers/": WaitingOffer,
    "api/v1/units/": Unit,
    "api/v1/resources/": Resource,
}
DAY = 7  # days from now, on which everything is


@pytest.fixture
def third(area):
    place = MembershipFactory(area=area, municipality=MunicipalityFactory(name="Strängnäs", code="0486"), mark="St")
    return RoleFactory(kind=RoleKind.ADMINISTRATOR, body=place.municipality.body).user


def a_deputy(area, neighbour, code, first, last):
    """Somebody of another municipality who decides for the neighbour on some days."""
    place = MembershipFactory(area=area, municipality=MunicipalityFactory(code=code))
    person = RoleFactory(kind=RoleKind.ADMINISTRATOR, body=place.municipality.body).user
    Deputy.objects.create(owner=neighbour.body, user=person, valid=(first, last))
    return person


@pytest.fixture
def deputy(area, neighbour):
    return a_deputy(area, neighbour, "0001", today(), today() + timedelta(days=1))


@pytest.fixture
def deputy_before(area, neighbour):
    return a_deputy(area, neighbour, "0002", today() - timedelta(days=9), today())


@pytest.fixture
def deputy_to_come(area, neighbour):
    return a_deputy(area, neighbour, "0003", today() + timedelta(days=1), today() + timedelta(days=9))


@pytest.fixture
def world(
    home, neighbour, elsewhere, school, buses, owner, asker, third, principal, outsider, two_homes, committee,
    council_member, roleless, system_administrator, deputy, deputy_before, deputy_to_come,
):  # fmt: skip
    """Four owners' vans, and what is asked for, decided, waited for and offered."""
    school.provider = ProviderFactory(municipality=home)
    school.save()
    third_body = third.roles_today[0].body

    def van(name, municipality, **more):
        return ResourceFactory(name=name, municipality=municipality, category=buses, **more)

    compete = {"approval": Approval.BY_OWNER, "rivalry": Rivalry.COMPETE}
    theirs = van("Minibuss A", neighbour, **compete)
    lent = van("Minibuss B", neighbour)
    ours = van("Minibuss C", home, approval=Approval.BY_OWNER)
    far = van("Minibuss D", elsewhere)
    their = {"by": asker, "on_behalf_of": neighbour.body}
    our = {"by": owner, "on_behalf_of": home.body}

    def words(key):
        return {"purpose": f"Ändamål {key}", "cost_place": f"kst {key}"}

    def ask(resource, key, hour, **who):
        times = {"starts_at": in_days(DAY, hour), "ends_at": in_days(DAY, hour + 2)}
        return request_booking(resource, **times, **words(key), **who)

    approve_booking(ask(theirs, "homes", 8, **our), note="Svar homes", **their)
    asked = ask(theirs, "schools", 12, by=principal, on_behalf_of=school.body)
    ask(theirs, "thirds", 12, by=third, on_behalf_of=third_body)
    ask_for_more(asked, question="Fråga schools", **their)
    answer_owner(asked, answer="Besked schools", by=principal, on_behalf_of=school.body)
    decline_booking(ask(ours, "neighbours", 8, **their), reason="Skäl neighbours", **our)
    ask(far, "elsewheres", 8, by=outsider, on_behalf_of=elsewhere.body)
    first = in_days(DAY + 1, 8)
    pattern = Pattern(first.date(), first.date() + timedelta(days=7), first.time(), 120)
    request_series(lent, pattern, **words("repeated"), **our)
    # One who waits for what home has, and home itself, to whom a freed time is offered.
    taken = {"starts_at": in_days(DAY, 8), "ends_at": in_days(DAY, 10)}
    wait_for(theirs, **taken, **words("waiting"), by=third, on_behalf_of=third_body)
    kept = request_booking(lent, **taken, purpose="Eget", **their)
    wait_for(lent, **taken, **words("offered"), **our)
    cancel_booking(kept, **their)
    block_resource(ours, starts_at=in_days(DAY, 14), ends_at=in_days(DAY, 16), reason="Service", seen=set(), **our)
    add_picture(theirs, data=painted(), alt="Vit minibuss", **their)


def routes(patterns: list[Any] | None = None, before: str = "") -> Iterator[str]:
    """Every address under those of resources, as it is written."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and route.startswith(tuple(NAMED)):
            yield route


def addresses() -> Iterator[tuple[str, str]]:
    """Each of them, with each row that it may be about; and as it is written."""
    ids = {model: list(model._default_manager.values_list("pk", flat=True)) for model in {*NAMED.values()}}
    for route in routes():
        model = next(model for start, model in NAMED.items() if route.startswith(start))
        names = re.findall(r"<(?:(\w+):)?(\w+)>", route)
        values = [
            ["csv"] if kind == "file_kind" else ids[Unit] if name == "unit" else ids[model] for kind, name in names
        ]
        for chosen in product(*values):
            parts = iter(chosen)
            yield route, "/" + re.sub(r"<[^>]+>", lambda _found, parts=parts: str(next(parts)), route)


def about_the_day() -> Iterator[str]:
    """What answers by a time or by words, asked for the day on which everything is."""
    day, span = in_days(DAY, 0).date(), {"from": in_days(DAY, 0).isoformat(), "to": in_days(DAY + 2, 0).isoformat()}
    for view in ("vy=dag", "vy=dag&form=lista", "vy=dag&dygnet=hela", "vy=vecka", "vy=vecka&form=lista", "vy=manad"):
        yield f"/resurser/tidslinje/?datum={day}&{view}"
    yield f"/resurser/?dag={day}&fran=8&till=10"
    yield f"/resurser/?dag={day}&fran=8&till=10&veckor=2&platser=9"
    yield from ("/resurser/bokningar/?lage=all", "/resurser/bokningar/?lage=ended")
    yield f"/api/v1/resources/timeline/?{urlencode(span)}"
    free = {"free_from": in_days(DAY, 8).isoformat(), "free_to": in_days(DAY, 10).isoformat()}
    yield f"/api/v1/resources/?{urlencode(free)}"
    for pk in Resource.objects.values_list("pk", flat=True):
        yield f"/api/v1/resources/{pk}/timeline/?{urlencode(span)}"
        yield f"/api/v1/resources/{pk}/displaced/?{urlencode(span)}"
        yield f"/resurser/{pk}/boka/?fran={day}T08:00&till={day}T10:00"
        yield f"/resurser/{pk}/?dygnet=hela"
    for pk, resource in Booking.objects.values_list("pk", "resource"):
        yield f"/resurser/{resource}/boka/?kopia={pk}"
    for key in ("homes", "schools", "waiting"):
        yield from (f"/sok/?q={key}", f"/api/v1/resources/?search={key}")
    yield from ("/", "/rapporter/", "/personer/", "/fragor/", "/jobb/")
    for model in (Resource, Booking, Blocking, Waiting, Unit, Picture):
        for pk in model._default_manager.values_list("pk", flat=True):
            yield f"/historik/resources/{model._meta.model_name}/{pk}/"


def asked_in_vain(client: Any) -> Iterator[Any]:
    """What a refusal says: the same time is asked for again, looked at again, blocked."""
    times = {"starts_at": in_days(DAY, 8).isoformat(), "ends_at": in_days(DAY, 10).isoformat()}
    day = str(in_days(DAY, 0).date())
    form = {"first_day": day, "begins": "8.00", "last_day": day, "ends": "10.00", "purpose": "Nej", "steg": "visa"}
    for pk in Resource.objects.values_list("pk", flat=True):
        said = {**times, "purpose": "Nej"}
        yield client.post(f"/api/v1/resources/{pk}/preview/", said, content_type="application/json")
        yield client.post(f"/resurser/{pk}/boka/", form)
        yield client.post(f"/resurser/{pk}/sparra/", form | {"reason": "Nej"})


def calendars(client: Any, user: Any) -> Iterator[Any]:
    """Every calendar that the reader can make."""
    bodies = [None, *{role.body for role in user.roles_today if role.body}]
    for kind, body, resource in product(FeedKind.values, bodies, [None, *Resource.objects.all()]):
        try:
            _token, secret = make_feed(kind, by=user, body=body, resource=resource)
        except FeedRefused:
            continue
        yield client.get(f"/kalender/{secret}.ics")


@pytest.mark.django_db
@pytest.mark.parametrize("reader", READERS)
def test_everyone_reads_of_their_own_bookings_and_of_no_other(client, request, world, reader):
    if reader != "anonymous":
        client.force_login(request.getfixturevalue(reader))

    read, taking_posts_only = [], set()
    for route, address in [*addresses(), *((address, address) for address in about_the_day())]:
        if route not in taking_posts_only:
            read.append((address, client.get(address)))
            if read[-1][1].status_code == 405:
                taking_posts_only.add(route)
    if reader != "anonymous":
        read += [(answer.request["PATH_INFO"], answer) for answer in asked_in_vain(client)]
        read += [("a calendar", answer) for answer in calendars(client, request.getfixturevalue(reader))]

    assert [address for address, answer in read if answer.status_code >= 500] == []
    told: dict[str, set[str]] = {}
    for address, answer in read:
        text = b"".join(answer.streaming_content) if answer.streaming else answer.content
        # What the reader wrote in the address comes back with the page.
        words = set(re.findall(r"(?:Ändamål|kst|Svar|Fråga|Besked|Skäl) (\w+)", text.decode(errors="replace")))
        for key in words & set(CONCERNED):
            told.setdefault(key, set()).add(address)
    assert {key: told[key] for key in told if reader not in CONCERNED[key]} == {}
    assert sorted(told) == sorted(key for key, readers in CONCERNED.items() if reader in readers)
