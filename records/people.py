"""People and bodies as history, mail and questions need them.

`organisations` stands above and is never imported: its models are reached by name, as the foreign keys do.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

User: TypeAlias = Any  # organisations.User
Body: TypeAlias = Any  # organisations.Body: a municipality or a school

ADMINISTRATOR = "administrator"
ACTING = (ADMINISTRATOR, "principal")  # the roles in which one asks, answers and proposes for a body


def bodies_acted_for(user: User) -> QuerySet[Any]:
    """The bodies for which `user` may ask and propose today."""
    return apps.get_model("organisations.Body").objects.filter(pk__in=user.bodies_where(*ACTING)).order_by("kind", "pk")


def bodies_named(pks: Iterable[int]) -> list[Any]:
    """The bodies with these ids, in the same order."""
    pks = list(pks)
    found = apps.get_model("organisations.Body").objects.in_bulk(pks)
    return [found[pk] for pk in pks]


def neighbours_of(user: User) -> QuerySet[Any]:
    """Bodies that `user` may ask today: the municipalities of their areas, and the schools that lie there."""
    own = user.bodies_where(*ACTING)
    memberships = apps.get_model("organisations.Membership").objects.on()
    mine = memberships.filter(Q(municipality__in=own) | Q(municipality__schools__in=own))
    municipalities = memberships.filter(area__in=mine.values("area")).values("municipality")
    bodies = apps.get_model("organisations.Body").objects.on()
    return bodies.filter(Q(pk__in=municipalities) | Q(as_school__municipality__in=municipalities))


def answering_for(body: Body) -> QuerySet[Any]:
    """The people who answer for `body` today: its administrators or principals; for a school its municipality's too."""
    roles = apps.get_model("organisations.Role").objects.on()
    answering = Q(body=body.pk, kind__in=ACTING)
    if body.kind == "school":
        answering |= Q(body=body.as_school.municipality_id, kind=ADMINISTRATOR)
    return get_user_model().objects.filter(is_active=True, pk__in=roles.filter(answering).values("user")).order_by("pk")


def still_answering(person: User, body: Body) -> list[Any]:
    """`person` alone while they answer for `body`; when they no longer do, everyone who does."""
    people = list(answering_for(body))
    return [person] if person in people else people


def speaking_for(user: User, body: Body) -> list[int]:
    """Ids of the bodies as which `user` may speak for `body`: itself, or the municipality where a school lies."""
    own = [body.pk] if body.pk in user.bodies_where(*ACTING) else []
    if body.kind == "school" and body.as_school.municipality_id in user.bodies_where(ADMINISTRATOR):
        own.append(body.as_school.municipality_id)
    return own


def concerning(user: User, *fields: str) -> Q:
    """Rows where one of `fields` is a body `user` works for today, or a school in a municipality they administer."""
    return _among(user.bodies_today(), user, fields)


def answering(user: User, *fields: str) -> Q:
    """The same, of the bodies that `user` answers for: as administrator or principal."""
    return _among(user.bodies_where(*ACTING), user, fields)


def _among(bodies: list[int], user: User, fields: tuple[str, ...]) -> Q:
    found = Q(pk__in=[])
    for field in fields:
        found |= Q(**{f"{field}__in": bodies})
        found |= Q(**{f"{field}__as_school__municipality__in": user.bodies_where(ADMINISTRATOR)})
    return found
