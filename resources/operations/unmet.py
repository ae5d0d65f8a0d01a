"""What was sought and not found, kept for the question what the area lacks."""

from __future__ import annotations

from typing import Any

from django.utils.timezone import localtime

from collab4m.clock import today
from organisations.models import Membership, User
from resources.models import UnmetNeed
from resources.operations.searching import Need


def keep_unmet(need: Need, *, by: User) -> None:
    """Keep a need that nothing met, once a day for each municipality it came from; never who looked for it.

    Of whoever only tries the portal it is an example, which nothing else tells and which goes with the demonstration.
    """
    home = need.from_municipality
    around = Membership.objects.around(by).in_agreed_order()
    area = (around.filter(municipality=home) if home else around).values_list("area", flat=True).first()
    if area is not None:
        row = UnmetNeed(area_id=area, from_municipality=home, sought=_sought(need), day=today(), example=by.example)
        UnmetNeed.objects.bulk_create([row], ignore_conflicts=True)


def _sought(need: Need) -> dict[str, Any]:
    """What was sought, in the words that search and reports share; what was not asked for is left out."""
    sought = {
        "words": " ".join(need.words.lower().split()),
        "kind": need.kind,
        "category": need.category.slug if need.category else "",
        "features": sorted(feature.slug for feature in need.features),
        "capacity": need.capacity,
        "quantity": need.quantity if need.quantity > 1 else None,
        "times": [[localtime(moment).isoformat() for moment in time] for time in need.times],
        "within": [[localtime(moment).isoformat() for moment in time] for time in need.windows],
        "minutes": int(need.length.total_seconds() // 60) if need.length else None,
    }
    return {name: value for name, value in sought.items() if value}
