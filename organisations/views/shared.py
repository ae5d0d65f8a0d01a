"""What several of the directory's pages share: who acts for whom, rows in order, and whom to contact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from collab4m.swedish import swedish_order
from organisations.models import Board, Body, Contact, ContactPurpose, Municipality, RoleKind, School, User


def _acts_for(user: User, fact: Any) -> Body | None:
    """The body for which `user` changes `fact`: the municipality that answers for it, if they administer it."""
    mine = user.bodies_where(RoleKind.ADMINISTRATOR)
    return next((body for body in fact.owners() if body.pk in mine), None)


def who_acts(user: User, fact: Any) -> dict[str, Any]:
    return {"by": user, "on_behalf_of": _acts_for(user, fact)}


def boards_in_order(boards: QuerySet[Board]) -> QuerySet[Board]:
    return boards.select_related("municipality", "source").order_by(swedish_order("name"), "pk")


def schools_in_order(schools: QuerySet[School]) -> QuerySet[School]:
    related = schools.select_related("municipality", "provider", "source")
    return related.order_by(swedish_order("name"), "pk")


@dataclass
class Answerable:
    """A municipality and who answers there for one purpose, if that is stated."""

    municipality: Municipality
    label: str
    contact: Contact | None


def contacts_of(municipalities: Sequence[Municipality], *purposes: ContactPurpose) -> dict[int, list[Answerable]]:
    """By municipality: one row per purpose, whether anything is stated or not."""
    purposes = purposes or tuple(ContactPurpose)
    found = Contact.objects.filter(municipality__in=municipalities, purpose__in=purposes)
    known = {(contact.municipality_id, contact.purpose): contact for contact in found}
    rows = defaultdict(list)
    for one in municipalities:
        for purpose in purposes:
            rows[one.pk].append(Answerable(one, str(purpose.label), known.get((one.pk, purpose))))
    return rows
