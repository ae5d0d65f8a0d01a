"""How long personal data is kept, and how it is forgotten."""

from __future__ import annotations

import logging
import re
from collections.abc import Collection
from datetime import timedelta
from itertools import product
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
from collab4m.errors import RuleBroken, each_by_itself
from organisations.models import ApiToken, Invitation, Role, User
from records.models import AnswerLink, Correction, Event, Outgoing, OutgoingState, Question
from records.operations import record
from records.operations.history import PERSON_KEYS

log = logging.getLogger(__name__)


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
    addresses = {user.email, *EmailAddress.objects.filter(user=user).values_list("email", flat=True)}

    for session in UserSession.objects.filter(user=user):
        session.end()
    ApiToken.objects.filter(user=user).delete()
    AnswerLink.objects.filter(user=user).delete()
    Authenticator.objects.filter(user=user).delete()
    EmailAddress.objects.filter(user=user).delete()

    gone = f"borttagen-{user.pk}@portal.invalid"
    Outgoing.objects.filter(Q(user=user) | Q(to__in=addresses), state__in=_UNSENT).delete()
    Outgoing.objects.filter(Q(user=user) | Q(to__in=addresses)).update(to=gone, **_EMPTIED)
    by_address = Q(accepted_by=user)
    for address in addresses:
        by_address |= Q(email__iexact=address)
    _scrub_invitations(Invitation.objects.filter(by_address))
    _scrub_events(user, addresses)
    for about in (Question.objects.about(user), Correction.objects.about(user)):
        about.update(subject_name="")

    user.name, user.email, user.is_active, user.forgotten_at = "", gone, False, now()
    user.muted_kinds = []
    user.set_unusable_password()
    user.save()
    record("person.forgotten", user, by=by)
    return user


_UNSENT = [OutgoingState.WAITING, OutgoingState.BUNDLED]
_EMPTIED = {"subject": "", "text": "", "calendar": "", "last_error": ""}


def _scrub_invitations(invitations: QuerySet[Invitation]) -> int:
    """Empty name and address; an unanswered one is withdrawn by that."""
    invitations.unanswered().update(withdrawn_at=now())  # type: ignore[attr-defined]
    return invitations.exclude(email="").update(email="", name="")


def _scrub_events(user: User, addresses: set[str]) -> None:
    """Replace what tells who `user` is by "removed person": addresses anywhere, names where a person is named.

    Every name they have had is looked for. One that somebody else bears is left alone where it need not mean `user`.
    """
    user_type = ContentType.objects.get_for_model(User)
    about_user = Q(subject_type=user_type, subject_id=user.pk)
    names = _names_of(user, Event.objects.filter(about_user))
    namesakes = User.objects.filter(name__in=names).exclude(pk=user.pk)
    only_theirs = names - set(namesakes.values_list("name", flat=True))
    asked_about = Q(pk__in=[])
    for model in (Question, Correction):
        ids = list(model.objects.about(user).values_list("pk", flat=True))
        asked_about |= Q(subject_type=ContentType.objects.get_for_model(model), subject_id__in=ids)
    named = Q(pk__in=[])
    for name, key in product(only_theirs, PERSON_KEYS):
        named |= Q(**{f"data__{key}__icontains": name})
    addressed = Q(pk__in=[])
    for address in addresses:
        addressed |= Q(data_text__icontains=address) | Q(changes_text__icontains=address)

    events = Event.objects.annotate(data_text=Cast("data", TextField()), changes_text=Cast("changes", TextField()))
    with pgtrigger.ignore("records.Event:append_only"):
        for where, keys, words in (
            (about_user, {"person"}, names),
            (asked_about, {"about", "title"}, names),
            (named, set(PERSON_KEYS), only_theirs),
            (addressed, set(), set()),
        ):
            for event in events.filter(where):
                data = _without(event.data, keys, words, addresses)
                changes = {} if where is about_user else _replaced(event.changes, _ADDRESS, addresses)
                if (data, changes) != (event.data, event.changes):
                    Event.objects.filter(pk=event.pk).update(data=data, changes=changes)


def _names_of(user: User, events: QuerySet[Event]) -> set[str]:
    """The name of today, and those that the events about `user` tell of."""
    names = {user.name}
    for changes, data in events.values_list("changes", "data"):
        names |= {*changes.get("name", ()), data.get("person", "")}
    return {name for name in names if name}


_ADDRESS = r"(?<![\w.+-])(?:%s)(?![\w-]|\.\w)"
_NAME = r"(?:^|(?<=, ))(?:%s)(?=, |$)"
_NAME_IN_TEXT = r"(?<!\w)(?:%s)(?!\w)"


def _without(data: dict[str, Any], keys: set[str], names: set[str], addresses: set[str]) -> dict[str, Any]:
    """`data` without `addresses`, and under `keys` without `names`."""
    found: dict[str, Any] = _replaced(data, _ADDRESS, addresses)
    for key in found.keys() & keys:
        found[key] = _replaced(found[key], _NAME if key in PERSON_KEYS else _NAME_IN_TEXT, names)
    return found


def _replaced(value: Any, pattern: str, words: Collection[str]) -> Any:
    """`value`, however deep, with "removed person" for each of `words` that stands as `pattern` says."""
    if isinstance(value, list):
        return [_replaced(part, pattern, words) for part in value]
    if isinstance(value, dict):
        return {key: _replaced(part, pattern, words) for key, part in value.items()}
    if not isinstance(value, str) or not words:
        return value
    with override("sv"):
        nobody = str(_("Removed person"))
    longest_first = sorted(words, key=len, reverse=True)
    return re.sub(pattern % "|".join(map(re.escape, longest_first)), nobody, value, flags=re.IGNORECASE)


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
    return done.update(to="borttagen@portal.invalid", **_EMPTIED)


def _forget_people() -> int:
    before = today() - timedelta(days=PEOPLE.days)
    recent = Role.objects.filter(user=OuterRef("pk")).exclude(valid__fully_lt=DateRange(before, None))
    due = User.objects.filter(~Exists(recent), forgotten_at=None, joined_at__date__lt=before)
    return each_by_itself(_forget_one, due, named=lambda user: f"Forgetting person {user.pk}")


def _forget_one(user: User) -> int:
    forget_person(user, by=None)
    return 1


def _forget_api_keys() -> int:
    before = now() - timedelta(days=API_KEYS.days)
    over = ApiToken.objects.filter(Q(revoked_at__lt=before) | Q(last_day__lt=today() - timedelta(days=API_KEYS.days)))
    return over.delete()[0]


def _forget_sessions() -> int:
    Session.objects.filter(expire_date__lt=now()).delete()
    open_sessions = Session.objects.filter(session_key=OuterRef("session_key"))
    ended = UserSession.objects.filter(~Exists(open_sessions), last_seen_at__lt=now() - timedelta(hours=1))
    return ended.delete()[0]
