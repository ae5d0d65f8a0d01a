"""How many seats under agreement were used: reported by the two municipalities, in numbers only."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from agreements.models import Cover, SeatUse
from collab4m.errors import RuleBroken
from collab4m.school_year import SchoolYear
from organisations.models import Body, Municipality, RoleKind, User
from programmes.models import Orientation, Programme
from records.models import CameIn
from records.operations import differences, record


class NotYourSeats(RuleBroken):
    code = "not_your_seats"
    message = _("Only the home municipality or the provider reports how many were admitted.")


class NotUnderAgreement(RuleBroken):
    code = "not_under_agreement"
    message = _("No signed agreement covers this for that intake, so there are no seats to report the use of.")


class SeatUseChanged(RuleBroken):
    """Somebody has reported another number since the form was opened: `stands` is that number."""

    code = "seat_use_changed"

    def __init__(self, stands: int) -> None:
        self.stands = stands
        text = _("Somebody has reported %(number)s meanwhile. Save again if your number is the right one.")
        super().__init__(str(text) % {"number": stands}, "admitted")


@transaction.atomic
def report_seat_use(
    *,
    home: Municipality,
    provider: Municipality,
    programme: Programme,
    intake: SchoolYear,
    admitted: int,
    by: User,
    on_behalf_of: Body,
    orientation: Orientation | None = None,
    source_note: str = "",
    came_in: str = CameIn.FORM,
    seen: str | None = None,
) -> SeatUse:
    """How many pupils of `home` were admitted to a covered leaf at `provider`; a second report replaces the first.

    More than agreed is allowed: it is what happened. `seen` is the number that stood when the form was opened, "" for
    none; without it nothing is compared. Raises NotYourSeats, NotUnderAgreement, SeatUseChanged.
    """
    if on_behalf_of.pk not in {home.pk, provider.pk} or on_behalf_of.pk not in by.bodies_where(RoleKind.ADMINISTRATOR):
        raise NotYourSeats
    leaf: dict[str, Any] = {"home": home, "provider": provider, "programme": programme, "orientation": orientation}
    if not Cover.objects.of_intake(intake).filter(**leaf).exists():
        raise NotUnderAgreement
    facts: dict[str, Any] = {"admitted": admitted, "source_note": source_note.strip()}
    use, is_new = SeatUse.objects.get_or_create(
        **leaf, intake=intake, defaults={**facts, "came_in": came_in, "example": by.example}
    )
    use = SeatUse.objects.select_for_update(no_key=True, of=("self",)).get(pk=use.pk)
    if is_new:
        changes = {name: ["", str(value)] for name, value in facts.items() if value != ""}
    else:
        if seen is not None and seen != str(use.admitted) and admitted != use.admitted:
            raise SeatUseChanged(use.admitted)
        changes = differences(use, facts)
        if not changes:
            return use
        use.admitted, use.source_note = admitted, facts["source_note"]
        use.came_in, use.source, use.verified = came_in, None, False
        use.save()
    record(
        "seat_use.reported", use, by=by, on_behalf_of=on_behalf_of, changes=changes,
        home=home.name, provider=provider.name, what=str(orientation or programme), intake=str(intake),
    )  # fmt: skip
    return use
