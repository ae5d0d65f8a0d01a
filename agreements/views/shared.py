"""What the pages about agreements share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import Http404, HttpRequest

from agreements.models import Agreement, Party, Revision, RevisionState
from collab4m.access import get_visible
from organisations.models import Body, CollaborationArea, Membership, Municipality, RoleKind, User
from organisations.operations import area_named


class Request(HttpRequest):
    """A request by somebody who is logged in; the log-in middleware sees to that."""

    user: User


def agreement_of(request: Request, pk: int) -> Agreement:
    """The agreement, or 404 if there is none that the reader may see."""
    rows = Agreement.objects.select_related("area", "replaces", "gap_home", "started_by")
    found: Agreement = get_visible(rows, request.user, pk=pk)
    return found


def current_revision(request: Request, agreement: Agreement) -> Revision | None:
    """What is under way, else the latest signed, of what the reader may see."""
    rows = Revision.objects.visible_to(request.user).filter(agreement=agreement).select_related("agreement", "version")
    under_way = rows.under_way().first()
    return under_way or rows.signed().last() or rows.order_by("-ordinal").first()


def revision_in(request: Request, agreement: Agreement, *states: str) -> Revision:
    """The revision under way, if the reader may see it and it is in one of `states`; else 404."""
    rows = Revision.objects.visible_to(request.user).filter(agreement=agreement).select_related("agreement", "version")
    found = rows.under_way().filter(state__in=states or RevisionState.under_way()).first()
    if found is None:
        raise Http404
    return found


def own_parties(user: User, agreement: Agreement, *kinds: str) -> list[Party]:
    """The parties for which the reader holds one of these roles; administrator unless said otherwise."""
    own = user.bodies_where(*(kinds or (RoleKind.ADMINISTRATOR,)))
    return list(agreement.parties.filter(municipality__in=own).select_related("municipality", "board", "agreement"))


def acting_for(user: User, municipalities: Iterable[Municipality]) -> Body | None:
    """The first of the municipalities for which the reader is an administrator."""
    own = user.bodies_where(RoleKind.ADMINISTRATOR)
    return next((one.body for one in municipalities if one.pk in own), None)


def acting_party(user: User, agreement: Agreement) -> Any:
    """The body as which the reader works on the agreement: the first party they administer, or None."""
    parties = own_parties(user, agreement)
    return parties[0].municipality.body if parties else None


def area_chosen(request: Request) -> CollaborationArea:
    """The area named in the address, else the reader's own, else the first there is. 404 if there is none such."""
    found = area_named(request.user, request.GET.get("omrade", ""))
    if found is None:
        raise Http404
    return found


def acting_member(user: User, area: CollaborationArea | None) -> Any:
    """The body as which the reader works in an area: the first member they administer, or None."""
    own = user.bodies_where(RoleKind.ADMINISTRATOR)
    members = Membership.objects.on().filter(area=area, municipality__in=own).select_related("municipality")
    first = members.in_agreed_order().first()
    return first.municipality.body if first else None
