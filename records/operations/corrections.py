"""This figure is wrong: a proposal to the body that owns a fact, to accept or decline."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now
from collab4m.errors import RuleBroken
from records import mails
from records.models import CameIn, Correction, CorrectionState, figures_of
from records.operations.history import record
from records.operations.mail import send
from records.operations.questions import NobodyAnswers, NotYourBody
from records.people import ACTING, Body, User, answering_for, speaking_for, still_answering
from records.values import as_text

NOTE_LENGTH = 500


class NotAFigure(RuleBroken):
    code = "not_a_figure"
    message = _("This is not kept with a source, so nobody can be asked to correct it here.")


class NoOwner(RuleBroken):
    code = "no_owner"
    message = _("Nobody is named as the owner of this figure. Ask the system administrator.")


class SameFigure(RuleBroken):
    code = "same_figure"
    message = _("That is what it says today. Write what it should say instead.")


class FigureRefused(RuleBroken):
    code = "figure_refused"
    message = _("That value cannot be kept here.")


class FigureTaken(RuleBroken):
    code = "figure_taken"
    message = _("Another row already says that, so it cannot be said twice.")


class AlreadyDecided(RuleBroken):
    code = "already_decided"
    message = _("The proposal has already been decided.")


class FigureGone(RuleBroken):
    code = "figure_gone"
    message = _("The figure is no longer there, so it cannot be corrected. Decline the proposal, and say so.")


class FigureChanged(RuleBroken):
    code = "figure_changed"
    message = _("The figure has changed since you opened the page. Look at what it says now, and decide again.")


class ReasonMissing(RuleBroken):
    code = "reason_missing"
    message = _("Write why the figure stays as it is.")


@transaction.atomic
def propose_correction(
    subject: models.Model,
    *,
    field: str,
    proposed: str,
    reason: str,
    source_note: str = "",
    by: User,
    on_behalf_of: Body,
) -> Correction:
    """Tell the owner of a fact that one of its `sourced_fields` is wrong, what is right, and how one knows.

    Raises NotYourBody, NotAFigure, NoOwner, NobodyAnswers, SameFigure or FigureRefused.
    """
    if on_behalf_of.pk not in by.bodies_where(*ACTING):
        raise NotYourBody(field="on_behalf_of")
    if field not in figures_of(subject):
        raise NotAFigure
    today = as_text(getattr(subject, field))
    should_be = as_text(cleaned(subject, field, proposed))
    if should_be == today:
        raise SameFigure(field="proposed")
    owner = owner_of(subject, on_behalf_of)
    people = list(answering_for(owner))
    if not people:
        raise NobodyAnswers
    correction = Correction.objects.create(
        subject=subject,
        field=field,
        value_then=today,
        proposed=should_be,
        reason=reason,
        source_note=source_note,
        from_body_id=on_behalf_of.pk,
        owner_id=owner.pk,
        by=by,
    )
    record(
        "correction.proposed", correction, by=by, on_behalf_of=on_behalf_of,
        about=str(subject), owner=str(owner), field=field, model=subject._meta.label_lower,
    )  # fmt: skip
    send(*(mails.correction_proposed(correction, person) for person in people if person != by))
    return correction


def owner_of(subject: models.Model, asker: Body) -> Body:
    """Who decides on a proposal from `asker`: an owner other than themselves, if there is one. Raises NoOwner."""
    owners = subject.owners()  # type: ignore[attr-defined]
    if not owners:
        raise NoOwner
    return next((owner for owner in owners if owner.pk != asker.pk), owners[0])


def cleaned(subject: models.Model, field: str, text: str) -> Any:
    """The value that `text` stands for, as the field itself reads and checks it. Raises FigureRefused."""
    model_field = subject._meta.get_field(field)
    value: Any = None if text == "" and model_field.null else text
    if isinstance(model_field, models.BooleanField) and text in ("true", "false"):
        value = text == "true"
    try:
        return model_field.clean(value, subject)  # type: ignore[union-attr]
    except ValidationError as error:
        raise FigureRefused(" ".join(error.messages), field="proposed") from error


@transaction.atomic
def accept_correction(
    correction: Correction, *, by: User, on_behalf_of: Body, seen: str, verified: bool = False, answer: str = ""
) -> Correction:
    """Make the fact say what was proposed. `seen` is what it said to whoever decides.

    Raises NotYourBody, AlreadyDecided, FigureRefused, FigureTaken, FigureGone if the fact is no longer there, and
    FigureChanged if it now says otherwise.
    """
    subject = _locked_subject(correction)
    correction = _undecided(correction, by, on_behalf_of)
    if subject is None:
        raise FigureGone
    before = as_text(getattr(subject, correction.field))
    if before != seen:
        raise FigureChanged
    setattr(subject, correction.field, cleaned(subject, correction.field, correction.proposed))
    _require_model_rules(subject, correction.field)
    subject.source, subject.came_in, subject.verified = None, CameIn.FORM, verified
    subject.source_note = _added(subject.source_note, correction.source_note)
    try:
        with transaction.atomic():
            subject.save(update_fields=[correction.field, "source", "came_in", "verified", "source_note"])
    except IntegrityError as error:
        raise FigureTaken from error
    _decide(correction, CorrectionState.ACCEPTED, by, answer)
    record("correction.accepted", correction, by=by, on_behalf_of=on_behalf_of, about=str(subject))
    record(
        "fact.corrected", subject, by=by, on_behalf_of=on_behalf_of,
        changes={correction.field: [before, correction.proposed]}, from_body=str(correction.from_body),
    )  # fmt: skip
    return correction


def _require_model_rules(subject: Any, field: str) -> None:
    """Raises FigureRefused if the new value does not go with what else the row says."""
    untouched = [other.name for other in subject._meta.fields if other.name != field]
    try:
        subject.full_clean(exclude=untouched)
    except ValidationError as error:
        raise FigureRefused(" ".join(error.messages)) from error


def _added(notes: str, note: str) -> str:
    """The notes on a fact's source with one more; the oldest lines give way when there is no room for all."""
    lines = [line for line in [*notes.splitlines(), *note.splitlines()] if line]
    while len("\n".join(lines)) > NOTE_LENGTH and len(lines) > 1:
        del lines[0]
    return "\n".join(lines)[:NOTE_LENGTH]


@transaction.atomic
def decline_correction(correction: Correction, *, by: User, on_behalf_of: Body, answer: str) -> Correction:
    """Leave the fact as it is, and say why. Raises NotYourBody, AlreadyDecided or ReasonMissing."""
    if not answer.strip():
        raise ReasonMissing(field="answer")
    _locked_subject(correction)
    correction = _undecided(correction, by, on_behalf_of)
    _decide(correction, CorrectionState.DECLINED, by, answer)
    record("correction.declined", correction, by=by, on_behalf_of=on_behalf_of, about=correction.subject_name)
    return correction


def _locked_subject(correction: Correction) -> Any:
    """The fact's row, locked before the proposal's, so that two decisions never wait for each other; None when gone.

    Its key is left free: rows that point to a municipality are written while it is locked.
    """
    return correction.model._base_manager.select_for_update(no_key=True).filter(pk=correction.subject_id).first()


def _undecided(correction: Correction, by: User, on_behalf_of: Body) -> Correction:
    correction = Correction.objects.select_for_update().get(pk=correction.pk)
    if on_behalf_of.pk not in speaking_for(by, correction.owner):
        raise NotYourBody(field="on_behalf_of")
    if correction.state != CorrectionState.WAITING:
        raise AlreadyDecided
    return correction


def _decide(correction: Correction, state: CorrectionState, by: User, answer: str) -> None:
    correction.state, correction.decided_by, correction.decided_at, correction.answer = state, by, now(), answer
    correction.save(update_fields=["state", "decided_by", "decided_at", "answer"])
    people = still_answering(correction.by, correction.from_body)
    send(*(mails.correction_answered(correction, person) for person in people if person != by))
