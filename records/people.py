"""People and bodies as history, mail and questions need them.

`organisations` stands above and is never imported: its models are reached by name, as the foreign keys do.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import F, Q, QuerySet

from collab4m.swedish import swedish_key

User: TypeAlias = Any  # organisations.User
Body: TypeAlias = Any  # organisations.Body: a municipality or a school

ADMINISTRATOR = "administrator"
ACTING = (ADMINISTRATOR, "principal")  # the roles in which one asks, answers and proposes for a body


def bodies_acted_for(user: User) -> list[Any]:
    """The bodies for which `user` may ask and propose today, in the area's agreed order."""
    bodies = apps.get_model("organisations.Body").objects.filter(pk__in=user.bodies_where(*ACTING))
    return in_agreed_order(user, bodies)


def in_agreed_order(user: User, bodies: QuerySet[Any]) -> list[Any]:
    """Municipalities as the areas of `user` have agreed, then others in Swedish order; each followed by its schools."""
    memberships = apps.get_model("organisations.Membership").objects.on().filter(area__in=_areas_of(user))
    places: dict[int, int] = {}
    for place, pk in enumerate(memberships.in_agreed_order().values_list("municipality", flat=True)):
        places.setdefault(pk, place)

    def order(body: Body) -> tuple[float, str, bool, str]:
        is_school = body.kind == "school"
        municipality = body.as_school.municipality if is_school else body
        place = places.get(municipality.pk, float("inf"))
        return place, swedish_key(municipality.name), is_school, swedish_key(body.name)

    return sorted(bodies.select_related("as_school__municipality"), key=order)


def bodies_named(pks: Iterable[int]) -> list[Any]:
    """The bodies with these ids, in the same order."""
    pks = list(pks)
    found = apps.get_model("organisations.Body").objects.in_bulk(pks)
    return [found[pk] for pk in pks]


def neighbours_of(user: User) -> list[Any]:
    """Bodies that `user` may ask today: the municipalities of their areas, and the schools that lie there."""
    memberships = apps.get_model("organisations.Membership").objects.on()
    municipalities = memberships.filter(area__in=_areas_of(user)).values("municipality")
    bodies = apps.get_model("organisations.Body").objects.on()
    near = bodies.filter(Q(pk__in=municipalities) | Q(as_school__municipality__in=municipalities))
    return in_agreed_order(user, near)


def _areas_of(user: User) -> QuerySet[Any]:
    own = user.bodies_where(*ACTING)
    memberships = apps.get_model("organisations.Membership").objects.on()
    return memberships.filter(Q(municipality__in=own) | Q(municipality__schools__in=own)).values("area")


def _stand_in(body: Body) -> int | None:
    """The municipality whose administrators may stand in for `body`: the one that runs the school where it lies."""
    return body.as_school.municipality_id if body.kind == "school" and body.as_school.is_municipal else None


def answering_for(body: Body) -> QuerySet[Any]:
    """The people who answer for `body` today: its administrators or principals.

    For a school that its municipality runs, that municipality's administrators too.
    """
    roles = apps.get_model("organisations.Role").objects.on()
    answering = Q(body=body.pk, kind__in=ACTING)
    if stand_in := _stand_in(body):
        answering |= Q(body=stand_in, kind=ADMINISTRATOR)
    return get_user_model().objects.filter(is_active=True, pk__in=roles.filter(answering).values("user")).order_by("pk")


def still_answering(person: User, body: Body) -> list[Any]:
    """`person` alone while they answer for `body`; when they no longer do, everyone who does."""
    people = list(answering_for(body))
    return [person] if person in people else people


def speaking_for(user: User, body: Body) -> list[int]:
    """Ids of the bodies as which `user` may speak for `body`: itself, or the municipality that runs a school."""
    own = [body.pk] if body.pk in user.bodies_where(*ACTING) else []
    stand_in = _stand_in(body)
    if stand_in and stand_in in user.bodies_where(ADMINISTRATOR):
        own.append(stand_in)
    return own


def concerning(user: User, *fields: str) -> Q:
    """Rows where one of `fields` is a body `user` works for today, or a school run by one they administer."""
    return _among(user.bodies_today(), user, fields)


def answering(user: User, *fields: str) -> Q:
    """The same, of the bodies that `user` answers for: as administrator or principal."""
    return _among(user.bodies_where(*ACTING), user, fields)


def _among(bodies: list[int], user: User, fields: tuple[str, ...]) -> Q:
    found = Q(pk__in=[])
    for field in fields:
        found |= Q(**{f"{field}__in": bodies})
        found |= Q(
            **{
                f"{field}__as_school__municipality__in": user.bodies_where(ADMINISTRATOR),
                f"{field}__as_school__provider__municipality": F(f"{field}__as_school__municipality"),
            }
        )
    return found
