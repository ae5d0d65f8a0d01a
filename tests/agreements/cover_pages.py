"""The addresses of cover, used seats and notice, and what each role meets there."""

from __future__ import annotations

from typing import Any

from agreements.operations import give_notice
from collab4m.clock import today
from programmes.models import Programme
from tests.agreements.stories import administrator_of, draft, party_of, signed
from tests.pages import Page
from tests.programmes.pages import with_offer


def covered(area: Any, home: Any, neighbour: Any, school: Any, owner: Any) -> Any:
    """A signed agreement on what a neighbour offers and is missing at home, beside other gaps."""
    with_offer(home, neighbour, school)
    return signed(draft(area, [home, neighbour], owner, programme=Programme.objects.get(code="HV"), title="Hantverk"))


def with_cover(area: Any, home: Any, neighbour: Any, school: Any, owner: Any) -> list[Any]:
    covered(area, home, neighbour, school, owner)
    return []


def as_csv(area: Any, home: Any, neighbour: Any, school: Any, owner: Any) -> list[Any]:
    return [*with_cover(area, home, neighbour, school, owner), "csv"]


def of_agreement(area: Any, home: Any, neighbour: Any, school: Any, owner: Any) -> list[Any]:
    return [covered(area, home, neighbour, school, owner).pk]


def notice_of(area: Any, home: Any, neighbour: Any, school: Any, owner: Any) -> Any:
    made = covered(area, home, neighbour, school, owner)
    return give_notice(
        party_of(made, home), given_on=today(), received_on=today(), reason="Eget program startar.",
        by=administrator_of(home), on_behalf_of=home.body,
    )  # fmt: skip


def under_notice(area: Any, home: Any, neighbour: Any, school: Any, owner: Any) -> list[Any]:
    return [notice_of(area, home, neighbour, school, owner).agreement_id]


def of_notice(area: Any, home: Any, neighbour: Any, school: Any, owner: Any) -> list[Any]:
    notice = notice_of(area, home, neighbour, school, owner)
    return [notice.agreement_id, notice.pk]


READERS = ("owner", "asker", "principal", "committee", "council_member")
IN_THE_AREA = dict.fromkeys(READERS, 200)
IN_SOME_AREA = {**IN_THE_AREA, "outsider": 200}
ADMINISTRATORS = {"owner": 200, "asker": 200, "outsider": 200}
PARTIES = {**dict.fromkeys(READERS, 403), "owner": 200, "asker": 200}
PARTIES_ACT = {**PARTIES, "owner": 302, "asker": 302}
YEAR = "?lasar=2022-23"
NOTICE = {"given_on": "2026-01-10", "received_on": "2026-01-12", "reason": "Eget program"}

COVER_PAGES = [
    Page("cover", args=with_cover, query=YEAR, everyone=404, status=IN_SOME_AREA),
    Page("cover", args=with_cover, query=f"{YEAR}&omrade=4m", everyone=404, status=IN_THE_AREA, draws=False),
    Page("cover", args=with_cover, query=f"{YEAR}&visa=slutar", everyone=404, status=IN_SOME_AREA),
    Page("cover_file", args=as_csv, query=YEAR, everyone=404, status=IN_SOME_AREA, draws=False),
    Page("seat_use", args=with_cover, query=YEAR, everyone=403, status=ADMINISTRATORS),
    Page("agreement_if_it_ends", args=of_agreement, everyone=404, status=IN_THE_AREA),
    Page("notice_new", args=of_agreement, everyone=404, status=PARTIES),
    Page("notice_new", args=of_agreement, method="post", data=NOTICE, everyone=404, status=PARTIES),
    Page("notices", args=under_notice, everyone=404, status=IN_THE_AREA),
    Page("notice_withdraw", args=of_notice, method="post", draws=False, everyone=404, status=PARTIES_ACT),
]
