"""Writing together: a part is saved alone, from the version one began with, and no text leaves its history."""

from datetime import timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now
from collab4m.errors import RuleBroken
from records.models import Choice, Part, Wording
from records.operations.history import record
from records.operations.questions import NotYourBody
from records.people import ACTING, Body, User
from records.texts import clean_text

SITTING = timedelta(minutes=30)  # savings by the same person with shorter pauses are one event in the history


class PartClosed(RuleBroken):
    code = "part_closed"
    message = _("The text can no longer be changed by you here. Copy what you wrote before you leave the page.")


class PartChanged(RuleBroken):
    """Somebody else saved meanwhile: `part` holds their text, `text` is the one that was refused, kept in history."""

    code = "part_changed"
    message = _("Somebody saved this text while you wrote. Both texts are kept. Choose which one is to stand.")

    def __init__(self, part: Part, text: str) -> None:
        super().__init__()
        self.part = part
        self.text = text


def save_part(
    part: Part,
    *,
    text: str,
    base_version: int,
    by: User,
    on_behalf_of: Body | None,
    choice: str = "",
    sitting: str = "",
    turn: int = 0,
) -> Part:
    """Let `text` stand in `part`, if nobody has saved since `base_version`; otherwise both texts are kept.

    After a conflict `choice` tells what is to stand: one's own text, one that joins both, or the other's, and then
    `text` is one's own that gives way. Savings that bear the same `sitting` come from one open page: they never
    conflict with each other, and one with a lower `turn` than what is already saved gives way to it.
    Raises NotYourBody, PartClosed, and PartChanged, which is raised outside the transaction that keeps the text.
    """
    text = clean_text(text)
    with transaction.atomic():
        part = (
            Part.objects.select_for_update(of=("self",)).select_related("last_by", "last_on_behalf_of").get(pk=part.pk)
        )
        _require_writer(part, by, on_behalf_of)
        wording = Wording(
            part=part,
            base_version=base_version,
            text=text,
            by=by,
            on_behalf_of_id=on_behalf_of.pk if on_behalf_of else None,
            choice=choice,
            sitting=sitting,
            turn=turn,
        )
        has_changed = base_version != part.version and not _is_own_alone(wording)
        if _is_overtaken(wording):
            has_changed = False
            _set_aside(wording)
        elif has_changed or choice == Choice.THEIRS:
            _set_aside(wording)
        elif text != part.text:
            _let_stand(wording)
        if choice and not has_changed:
            record("part.settled", part, by=by, on_behalf_of=on_behalf_of, heading=part.heading, choice=choice)
    if has_changed:
        raise PartChanged(part, text)
    return part


def _require_writer(part: Part, by: User, on_behalf_of: Body | None) -> None:
    if not by.has_perm("records.write_part", part):
        raise PartClosed
    own = by.bodies_where(*ACTING)
    if on_behalf_of.pk not in own if on_behalf_of else own:
        raise NotYourBody(field="on_behalf_of")


def _is_own_alone(wording: Wording) -> bool:
    """Whether everything saved since the base came from the same open page, whose answers were lost on the way."""
    since = wording.part.wordings.filter(version__gt=wording.base_version)
    return (
        wording.sitting != ""
        and wording.base_version < wording.part.version
        and not since.exclude(sitting=wording.sitting, by=wording.by).exists()
    )


def _is_overtaken(wording: Wording) -> bool:
    """Whether something written later in the same open page has already come in."""
    own = wording.part.wordings.filter(sitting=wording.sitting, by=wording.by)
    return wording.sitting != "" and own.filter(turn__gt=wording.turn).exists()


def _set_aside(wording: Wording) -> None:
    """Keep a text that does not come to stand; once, however often it is sent."""
    part = wording.part
    known = part.wordings.filter(text=wording.text, by=wording.by, version=None, base_version__lte=wording.base_version)
    if wording.text != part.text and not known.exists():
        wording.save()


def _let_stand(wording: Wording) -> None:
    part = wording.part
    last = part.wordings.filter(version=part.version).first()
    goes_on = (
        last is not None
        and (last.by_id, last.on_behalf_of_id) == (wording.by_id, wording.on_behalf_of_id)
        and last.at > now() - SITTING
    )
    part.text, part.version = wording.text, part.version + 1
    part.last_by, part.last_on_behalf_of, part.last_at = wording.by, wording.on_behalf_of, wording.at
    part.save(update_fields=["text", "version", "last_by", "last_on_behalf_of", "last_at"])
    wording.version = part.version
    wording.save()
    if not goes_on and not wording.choice:
        record("part.written", part, by=part.last_by, on_behalf_of=part.last_on_behalf_of, heading=part.heading)
