"""A data set of national size: 290 municipalities in areas of three to five, and one area of 26."""

from datetime import date, timedelta
from itertools import cycle

from django.contrib.contenttypes.models import ContentType
from django.db import connection

from benchmarks.agreements import load_agreements
from benchmarks.offers import load_catalogue, load_offers
from collab4m.clock import now
from organisations.models import (
    Board,
    CollaborationArea,
    Membership,
    Municipality,
    Provider,
    ProviderKind,
    Role,
    RoleKind,
    School,
    User,
)
from records.models import Event, Question, span

SCHOOLS_PER_MUNICIPALITY = 4
EVENTS_PER_MUNICIPALITY = 200
SINCE = span(date(2022, 7, 1), None)


def area_sizes(municipalities: int) -> list[int]:
    """How many members each area gets; one of 26 when there is room for it."""
    sizes = [26] if municipalities > 26 else []
    for size in cycle((4, 3, 5)):
        left = municipalities - sum(sizes)
        if left <= 5:
            return [*sizes, left] if left else sizes
        sizes.append(size)
    raise AssertionError("cycle never ends")


def load(municipalities: int) -> dict[int, User]:
    """Fill an empty database; returns an administrator to measure with, by the size of the area they work in."""
    load_catalogue()
    cast: dict[int, User] = {}
    number = 0
    for nth, size in enumerate(sorted(area_sizes(municipalities))):
        area = CollaborationArea.objects.create(slug=f"omrade-{nth}", name=f"Område {nth}", short_name=f"O{nth}")
        members = []
        for position in range(1, size + 1):
            number += 1
            members.append(_municipality(number, area, position))
        cast.setdefault(size, members[0])
        _questions(members)
        municipalities_there = [user.roles_today[0].body.as_municipality for user in members]
        load_offers(municipalities_there)
        load_agreements(area, municipalities_there)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as the database does by itself before long
    return cast


def _municipality(number: int, area: CollaborationArea, position: int) -> User:
    place = Municipality.objects.create(
        code=f"{number:04}", name=f"Kommun {number:03}", full_name=f"Kommun {number:03}", valid=SINCE
    )
    Membership.objects.create(area=area, municipality=place, position=position, mark=str(position)[:2], valid=SINCE)
    provider = Provider.objects.create(name=place.name, kind=ProviderKind.MUNICIPAL, municipality=place)
    Board.objects.create(municipality=place, name="Utbildningsnämnden", valid=SINCE)
    for nth in range(SCHOOLS_PER_MUNICIPALITY):
        School.objects.create(name=f"Skola {number:03}-{nth}", municipality=place, provider=provider, valid=SINCE)
    user = User.objects.create(email=f"handlaggare.{number}@kommun.example", name=f"Handläggare {number}")
    Role.objects.create(user=user, kind=RoleKind.ADMINISTRATOR, body=place.body, valid=SINCE)
    subject = ContentType.objects.get_for_model(Municipality)
    Event.objects.bulk_create(
        Event(
            name="correction.accepted",
            subject_type=subject,
            subject_id=place.pk,
            by=user,
            on_behalf_of=place.body,
            at=now() - timedelta(hours=nth),
            changes={"full_name": [f"Kommun {number:03}", place.name]},
            data={"about": place.name},
        )
        for nth in range(EVENTS_PER_MUNICIPALITY)
    )
    return user


def _questions(members: list[User]) -> None:
    subject = ContentType.objects.get_for_model(Municipality)
    bodies = [user.roles_today[0].body_id for user in members]
    Question.objects.bulk_create(
        Question(
            subject_type=subject,
            subject_id=to_body,
            from_body_id=bodies[nth],
            to_body_id=to_body,
            by=members[nth],
            title="Vilka veckor är ert höstlov?",
            text="Vi planerar gemensamma moment i höst.",
        )
        for nth, to_body in enumerate(bodies[1:] + bodies[:1])
        if bodies[nth] != to_body
    )
