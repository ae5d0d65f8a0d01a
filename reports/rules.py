"""Who may write in a report, have it made final, and fill in a board's cover."""

from __future__ import annotations

import rules

from organisations.models import Board, Membership, RoleKind, User
from reports.models import Report


@rules.predicate
def administers_a_member(user: User, report: Report | None) -> bool:
    """Administrator today of a municipality that is a member of the report's area today."""
    if report is None or not user.is_authenticated:
        return False
    own = user.bodies_where(RoleKind.ADMINISTRATOR)
    return bool(own) and Membership.objects.on().filter(area=report.area_id, municipality__in=own).exists()


@rules.predicate
def works_for_the_board(user: User, board: Board | None) -> bool:
    """Administrator of the board's municipality, or of its committee: whoever registers the case."""
    if board is None or not user.is_authenticated:
        return False
    return board.municipality_id in user.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE)


rules.add_perm("reports.write_report", administers_a_member)
rules.add_perm("reports.build_report", administers_a_member)
rules.add_perm("reports.change_cover", works_for_the_board)
