"""How long personal data is kept, and how it is forgotten."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, NamedTuple

import pgtrigger
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from collab4m.clock import now, today
from collab4m.errors import RuleBroken
from organisations.models import ApiToken, Invitation, Role, User
from records.models import AnswerLink, Correction, Event, Outgoing, OutgoingState, Question
from records.operations import record


class Retention(NamedTuple):
    """`what` is kept for `days` after it was last needed, because of `why`."""

    what: str | Promise
    days: int
    why: str | Promise


INVITATIONS = Retention(
    _("Name and e-mail address in an invitation that was answered, withdrawn or has expired"),
    90,
    _("So that whoever invited can see what became of it."),
)
MAIL_TEXT = Retention(
    _("Address and text of mail that has been sent"),
    180,
    _("So that it can be shown what was said to whom, for as long as someone may ask."),
)
PEOPLE = Retention(
    _("Name, e-mail address and log-in of a person whose last role has ended"),
    730,
    _("Decisions and reports are followed up during the two following school years. History stays, without the name."),
)
API_KEYS = Retention(
    _("API keys that were revoked or have expired"),
    90,
    _("So that a program that stops working can be traced to its key."),
)
SESSIONS = Retention(
    _("Log-ins, with IP address and browser, after they have ended"),
    1,
    _("The list of one's own log-ins shows only those that are open."),
)

RETENTION: tuple[Retention, ...] = (INVITATIONS, MAIL_TEXT, PEOPLE, API_KEYS, SESSIONS)


class StillHasRoles(RuleBroken):
    code = "still_has_roles"
    message = _("This person still has a role. End the roles first, so that what they leave behind is handed over.")


class AlreadyForgotten(RuleBroken):
    code = "already_forgotten"
    message = _("This person has already been removed.")


@transaction.atomic
def forget_person(user: User, *, by: User | None) -> User:
    """Take away everything that tells who `user` is. What they did stays in the history, by a "removed person".

    `by` is None when the keep-until rule does it. The one place where events are rewritten: the name and address inside
    them, never what happened or when. Raises StillHasRoles while a role holds or is to come, AlreadyForgotten.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.forgotten_at:
        raise AlreadyForgotten
    if user.roles.exclude(valid__fully_lt=DateRange(today(), None)).exists():
        raise StillHasRoles
    name, addresses = user.name, {user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)}

    for session in UserSession.objects.filter(user=user):
        session.end()
    ApiToken.objects.filter(user=user).delete()
    AnswerLink.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    EmailAddress.objects.filter(user=user).delete()

    gone = f"borttagen-{user.pk}@portal.invalid"
    Outgoing.objects.filter(Q(user=user) | Q(to__in=addresses), state__in=_UNSENT).delete()
    Outgoing.objects.filter(Q(user=user) | Q(to__in=addresses)).update(to=gone, subject="", text="", last_error="")
    by_address = Q(accepted_by=user)
    for address in addresses:
        by_address |= Q(email__iexact=address)
    _scrub_invitations(Invitation.objects.filter(by_address))
    _scrub_events(user, name, addresses)
    for about in (Question.objects.about(user), Correction.objects.about(user)):
        about.update(subject_name="")

    user.name, user.email, user.is_active, user.forgotten_at = "", gone, False, now()
    user.muted_kinds = []
    user.set_unusable_password()
    user.save()
    record("person.forgotten", user, by=by)
    return user


_UNSENT = [OutgoingState.WAITING, OutgoingState.BUNDLED]


def _scrub_invitations(invitations: QuerySet[Invitation]) -> int:
    """Empty name and address; an unanswered one is withdrawn by that."""
    invitations.unanswered().update(withdrawn_at=now())  # type: ignore[attr-defined]
    return invitations.exclude(email="").update(email="", name="")


def _scrub_events(user: User, name: str, addresses: set[str]) -> None:
    """Replace name and addresses inside events by "removed person".

    A namesake's events are left alone: the name is looked for elsewhere only while nobody else bears it.
    """
    user_type = ContentType.objects.get_for_model(User)
    related = Q(subject_type=user_type, subject_id=user.pk) | Q(by=user)
    elsewhere = {word for word in addresses if word}
    if name and not User.objects.filter(name=name).exclude(pk=user.pk).exists():
        elsewhere.add(name)
    for word in elsewhere:
        related |= Q(data_text__icontains=word) | Q(changes_text__icontains=word)
    words = sorted({word for word in [name, *addresses] if word}, key=len, reverse=True)
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words), re.IGNORECASE)
    with override("sv"):
        nobody = str(_("Removed person"))

    def scrubbed(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub(nobody, value)
        if isinstance(value, list):
            return [scrubbed(part) for part in value]
        if isinstance(value, dict):
            return {key: scrubbed(part) for key, part in value.items()}
        return value

    events = Event.objects.annotate(data_text=Cast("data", TextField()), changes_text=Cast("changes", TextField()))
    with pgtrigger.ignore("records.Event:append_only"):
        for event in events.filter(related):
            about_them = event.subject_type_id == user_type.pk and event.subject_id == user.pk
            data, changes = scrubbed(event.data), {} if about_them else scrubbed(event.changes)
            if (data, changes) != (event.data, event.changes):
                Event.objects.filter(pk=event.pk).update(data=data, changes=changes)


def forget_what_is_due() -> dict[str, int]:
    """Carry out every rule in RETENTION. Safe to run at any time; says how many rows each rule touched."""
    return {
        "invitations": _forget_invitations(),
        "mail": _forget_mail_texts(),
        "people": _forget_people(),
        "api_keys": _forget_api_keys(),
        "sessions": _forget_sessions(),
    }


def _forget_invitations() -> int:
    before = now() - timedelta(days=INVITATIONS.days)
    over = Q(accepted_at__lt=before) | Q(withdrawn_at__lt=before) | Q(accepted_at=None, expires_at__lt=before)
    with transaction.atomic():
        return _scrub_invitations(Invitation.objects.filter(over))


def _forget_mail_texts() -> int:
    before = now() - timedelta(days=MAIL_TEXT.days)
    done = Outgoing.objects.filter(created_at__lt=before).exclude(state__in=_UNSENT).exclude(text="")
    return done.update(to="borttagen@portal.invalid", subject="", text="", last_error="")


def _forget_people() -> int:
    before = today() - timedelta(days=PEOPLE.days)
    recent = Role.objects.filter(user=OuterRef("pk")).exclude(valid__fully_lt=DateRange(before, None))
    due = User.objects.filter(~Exists(recent), forgotten_at=None, joined_at__date__lt=before)
    for user in due:
        forget_person(user, by=None)
    return len(due)


def _forget_api_keys() -> int:
    before = now() - timedelta(days=API_KEYS.days)
    over = ApiToken.objects.filter(Q(revoked_at__lt=before) | Q(last_day__lt=before.date()))
    return over.delete()[0]


def _forget_sessions() -> int:
    Session.objects.filter(expire_date__lt=now()).delete()
    open_sessions = Session.objects.filter(session_key=OuterRef("session_key"))
    ended = UserSession.objects.filter(~Exists(open_sessions), last_seen_at__lt=now() - timedelta(hours=1))
    return ended.delete()[0]
