"""Each board's own front: head, case number, date, decision points, receivers, order and headings of its memos."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Prefetch
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collab4m.clock import today
from collab4m.errors import RuleBroken
from collab4m.templatetags.shell import capital
from organisations.models import Board, Body, Membership, User
from records.documents import blocks
from records.documents.content import Content
from records.operations import differences, record
from reports.models import Cover, MemoSection, Report
from reports.operations.content import LANGUAGE
from reports.outline import SECTIONS


class NotYourBoard(RuleBroken):
    code = "not_your_board"
    message = gettext_lazy("You fill in the covers of your own municipality's boards.")


class CoverRefused(RuleBroken):
    code = "cover_refused"


def boards_of(report: Report) -> list[tuple[Membership, Board]]:
    """The boards of the area's members today, in the agreed order."""
    sections = Prefetch("memo_sections", MemoSection.objects.order_by("position"))
    boards: dict[int, list[Board]] = {}
    members = list(Membership.objects.on().filter(area=report.area_id).select_related("municipality").in_agreed_order())
    ids = [member.municipality_id for member in members]
    for board in Board.objects.on(today()).filter(municipality__in=ids).prefetch_related(sections).order_by("pk"):
        boards.setdefault(board.municipality_id, []).append(board)
    found = []
    for member in members:
        for board in boards.get(member.municipality_id, ()):
            board.municipality = member.municipality
            found.append((member, board))
    return found


def variants_of(boards: list[tuple[Membership, Board]]) -> dict[str, tuple[Membership, Board]]:
    """The boards by what their files are called: the municipality's code; a second board adds its number."""
    found: dict[str, tuple[Membership, Board]] = {}
    for member, board in boards:
        code = member.municipality.code
        found[code if code not in found else f"{code}-{board.pk}"] = (member, board)
    return found


def covers_of(report: Report) -> dict[str, Content]:
    """The cover of each board as documents have it, by what its files are called."""
    filled = {cover.board_id: cover for cover in report.covers.all()}
    with translation.override(LANGUAGE):
        return {
            variant: cover_of(board, filled.get(board.pk))
            for variant, (_member, board) in variants_of(boards_of(report)).items()
        }


def cover_of(board: Board, cover: Cover | None) -> Content:
    """A board's cover; what nobody has filled in is left out, and the decision is then the standing proposal."""
    head = [line.strip() for line in board.memo_head.splitlines() if line.strip()]
    unit = head[1] if len(head) > 1 else capital(board.administration)
    where = {"board": capital(board.name), "municipality": board.municipality.name}
    points = cover.points if cover and cover.points else standing_points()
    made = {
        "organisation": head[0] if head else board.municipality.official_name,
        "unit": unit,
        "kind": _("Memo"),
        "recipient": f"{where['board']}, {where['municipality']}",
        "case_number": cover.case_number if cover else "",
        "official": cover.official if cover else "",
        "decision": blocks.decision(_("%(board)s in %(municipality)s") % where, *points),
        "send_to": cover.receivers if cover else [],
        **_memo_order(board),
    }
    if cover and cover.day:
        made["date"] = cover.day.isoformat()
    return made


def standing_points() -> list[str]:
    """What is proposed until a board's officials have written its own points. In Swedish, as all that is decided."""
    return ["att godkänna återredovisningen av uppdragen"]


def _memo_order(board: Board) -> Content:
    own = {row.section: row for row in board.memo_sections.all()}
    places = {section.key: place for place, section in enumerate(SECTIONS)}
    order = sorted(places, key=lambda key: (own[key].position if key in own else 100, places[key]))
    headings = {key: row.heading for key, row in own.items() if row.heading}
    return {
        **({"order": order} if own else {}),
        **({"headings": headings} if headings else {}),
    }


@transaction.atomic
def change_cover(
    report: Report,
    board: Board,
    *,
    case_number: str,
    day: date | None,
    official: str,
    decision_points: str,
    send_to: str,
    by: User,
    on_behalf_of: Body,
) -> Cover:
    """Fill in a board's cover. Raises NotYourBoard, or CoverRefused for what the board does not write so."""
    if on_behalf_of.pk != board.municipality_id or not by.has_perm("reports.change_cover", board):
        raise NotYourBoard
    cover, _is_new = Cover.objects.select_for_update().get_or_create(
        report=report, board=board, defaults={"example": by.example}
    )
    facts = {
        "case_number": " ".join(case_number.split()),
        "day": day,
        "official": official.strip(),
        "decision_points": decision_points,
        "send_to": send_to,
    }
    changes = differences(cover, facts)
    for name, value in facts.items():
        setattr(cover, name, value)
    try:
        cover.full_clean()
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise CoverRefused(" ".join(messages), field=field) from error
    cover.save()
    if changes:
        named = {f"{board}:{name}": change for name, change in changes.items()}
        record("report.cover_changed", report, by=by, on_behalf_of=on_behalf_of, changes=named, board=str(board))
    return cover
