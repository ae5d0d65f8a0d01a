"""What several groups of pages need."""

from __future__ import annotations

from typing import Any

from organisations.models import Body, User
from records.people import bodies_acted_for, speaking_for
from resources.models import Askers, Resource


def who_acts(user: User, owner: Body) -> dict[str, Any]:
    """Who acts, and as which body: the owner itself, or the municipality that runs the school."""
    return {"by": user, "on_behalf_of": Body.objects.get(pk=speaking_for(user, owner)[0])}


def bodies_let_ask(user: User, resource: Resource) -> list[Body]:
    """The user's bodies that the owner lets ask."""
    bodies: list[Body] = bodies_acted_for(user)
    if resource.askers != Askers.OWNER:
        return bodies
    near = resource.municipality_id

    def belongs(body: Body) -> bool:
        place = body.as_school.municipality_id if body.kind == "school" else body.pk
        return body.pk == resource.owner_id or place == near

    return [body for body in bodies if belongs(body)]
