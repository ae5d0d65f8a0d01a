"""What several of the directory's pages share: who acts for whom, rows in order, and whom to contact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest

from collab4m.forms import tried
from collab4m.swedish import swedish_order
from organisations.forms.facts import SeenForm
from organisations.models import Board, Contact, ContactPurpose, Municipality, School, User
from organisations.operations import ChangedMeanwhile, acting_body


class Request(HttpRequest):
    """A request by somebody who is logged in; the log-in middleware sees to that."""

    user: User


def who_acts(user: User, fact: Any) -> dict[str, Any]:
    return {"by": user, "on_behalf_of": acting_body(user, fact)}


def saved(form: SeenForm, do: Callable[[], object]) -> bool:
    """As `tried`; if others have saved since the form was shown, it also tells what stands now."""
    meanwhile: list[ChangedMeanwhile] = []

    def notice() -> None:
        try:
            do()
        except ChangedMeanwhile as changed:
            meanwhile.append(changed)
            raise

    done = tried(form, notice)
    for changed in meanwhile:
        form.show_what_stands(changed)
    return done


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
