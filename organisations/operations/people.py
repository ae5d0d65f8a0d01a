"""Inviting people, giving and ending roles, and what a person decides about themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now, today
from collab4m.errors import RuleBroken, refused
from organisations import mails
from organisations.models import (
    ApiToken,
    Body,
    BodyKind,
    CollaborationArea,
    Invitation,
    MailRhythm,
    Role,
    RoleKind,
    User,
)
from organisations.models.people import hash_of, new_secret
from organisations.operations.left_behind import LeftBehind, left_behind
from records.messages import Message
from records.models import span
from records.operations import differences, record, send

LONGEST_TOKEN_DAYS = 365
USUAL_TOKEN_DAYS = 90


class RoleDoesNotFit(RuleBroken):
    code = "role_does_not_fit"
    message = _("That role cannot be held there. Choose a municipality, school or area that fits the role.")


class AlreadyHasRole(RuleBroken):
    code = "already_has_role"
    message = _("The person already has this role for some of those days.")


class AlreadyInvited(RuleBroken):
    code = "already_invited"
    message = _("There is already an open invitation to this role for that address. Send it again, or withdraw it.")


class InvitationClosed(RuleBroken):
    code = "invitation_closed"
    message = _("The invitation has been answered or withdrawn.")


class InvitationExpired(InvitationClosed):
    code = "invitation_expired"
    message = _("The invitation has expired. Ask for a new one.")


class InvitedSomebodyElse(RuleBroken):
    code = "invited_somebody_else"
    message = _("The invitation is to another e-mail address than the one you are logged in with.")


class AccountExists(RuleBroken):
    code = "account_exists"
    message = _("There is already an account with that address. Log in, and then accept.")


class DayOutOfOrder(RuleBroken):
    code = "day_out_of_order"
    message = _("The last day cannot come before the first day of the role.")


class RoleHasEnded(RuleBroken):
    code = "role_has_ended"
    message = _("This role has already ended.")


class OnlySystemAdministrator(RuleBroken):
    code = "only_system_administrator"
    message = _("Nobody else is system administrator after that day. Give somebody else the role first.")


class CannotTakeOver(RuleBroken):
    code = "cannot_take_over"
    message = _("Whoever takes over must have the same role there. Choose somebody else.")


class PersonIsGone(RuleBroken):
    code = "person_is_gone"
    message = _("This account is closed and cannot be given roles.")


class KeyLivesTooLong(RuleBroken):
    code = "key_lives_too_long"
    message = _("A key can be used for at most one year. Choose an earlier last day.")


class KeyOverBeforeUse(RuleBroken):
    code = "key_over_before_use"
    message = _("Choose a last day that is today or later.")


# Invitations


@transaction.atomic
def invite_person(
    *,
    email: str,
    name: str,
    kind: str,
    by: User,
    body: Body | None = None,
    area: CollaborationArea | None = None,
    last_day: date | None = None,
    language: str = "sv",
    on_behalf_of: Body | None = None,
) -> Invitation:
    """Invite `email` to a role; the link goes out by mail and works for INVITATION_DAYS days.

    An expired invitation to the same role gives way. Raises RoleDoesNotFit, DayOutOfOrder, AlreadyHasRole if they hold
    the role today, AlreadyInvited if an open invitation to it exists.
    """
    _require_fit(kind, body, area)
    if last_day and last_day < today():
        raise DayOutOfOrder(gettext("Choose a last day that is today or later."), field="last_day")
    invited = account_with(email)
    if invited and invited.roles.on().filter(kind=kind, body=body, area=area).exists():
        raise AlreadyHasRole(gettext("The person with this address already has the role."), field="email")
    earlier = Invitation.objects.unanswered().filter(email__iexact=email, kind=kind, body=body, area=area)
    earlier.filter(expires_at__lte=now()).update(withdrawn_at=now())
    secret = new_secret()
    with refused(invitation_one_open_per_role=AlreadyInvited):
        invitation = Invitation.objects.create(
            email=email.lower(),
            name=name,
            kind=kind,
            body=body,
            area=area,
            last_day=last_day,
            language=language,
            token_sha256=hash_of(secret),
            by=by,
            expires_at=_expiry(),
        )
    record("invitation.sent", invitation, by=by, on_behalf_of=on_behalf_of, **_role_words(invitation))
    send(mails.invitation_sent(invitation, secret))
    return invitation


@transaction.atomic
def resend_invitation(invitation: Invitation, *, by: User, on_behalf_of: Body | None = None) -> Invitation:
    """Send a new link, good for INVITATION_DAYS days; the old one stops working. Raises InvitationClosed."""
    invitation = _lock_unanswered(invitation)
    secret = new_secret()
    invitation.token_sha256 = hash_of(secret)
    invitation.sent_at, invitation.expires_at = now(), _expiry()
    invitation.save(update_fields=["token_sha256", "sent_at", "expires_at"])
    record("invitation.resent", invitation, by=by, on_behalf_of=on_behalf_of, **_role_words(invitation))
    send(mails.invitation_sent(invitation, secret))
    return invitation


@transaction.atomic
def withdraw_invitation(invitation: Invitation, *, by: User, on_behalf_of: Body | None = None) -> Invitation:
    """Make the link stop working. Raises InvitationClosed if it is answered or withdrawn."""
    invitation = _lock_unanswered(invitation)
    invitation.withdrawn_at = now()
    invitation.save(update_fields=["withdrawn_at"])
    record("invitation.withdrawn", invitation, by=by, on_behalf_of=on_behalf_of, **_role_words(invitation))
    return invitation


@transaction.atomic
def accept_invitation(invitation: Invitation, *, by: User) -> Role:
    """Give `by` the role they were invited to. A role they already hold is left as it is, and the link is used up.

    Raises InvitationClosed, InvitationExpired, or InvitedSomebodyElse if the address is not one of theirs.
    """
    invitation = _lock_open(invitation)
    if by != account_with(invitation.email):
        raise InvitedSomebodyElse
    held = by.roles.on().filter(kind=invitation.kind, body=invitation.body, area=invitation.area).first()
    role = held or give_role(
        by,
        kind=invitation.kind,
        body=invitation.body,
        area=invitation.area,
        last_day=invitation.last_day,
        by=invitation.by,
        tell=False,
    )
    invitation.accepted_at, invitation.accepted_by = now(), by
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    record("invitation.accepted", invitation, by=by, **_role_words(invitation))
    return role


@transaction.atomic
def accept_invitation_as_new(invitation: Invitation, *, name: str, password: str) -> Role:
    """Open an account with the invited address, which the link has proved, and give it the role.

    Raises InvitationClosed, InvitationExpired, or AccountExists if somebody already logs in with the address.
    """
    invitation = _lock_open(invitation)
    if account_with(invitation.email):
        raise AccountExists
    user = User(email=invitation.email, name=name, language=invitation.language)
    user.set_password(password)
    with refused(user_one_per_email=AccountExists, unique_verified_email=AccountExists):
        user.save()
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    record("person.joined", user, by=user, person=user.name)
    return accept_invitation(invitation, by=user)


def invitation_by(secret: str) -> Invitation | None:
    """The invitation whose latest link carries `secret`, open or not."""
    related = Invitation.objects.select_related("body", "area", "by")
    return related.filter(token_sha256=hash_of(secret)).first()


def account_with(email: str) -> User | None:
    """Whoever logs in with `email`, also as a verified second address."""
    return (
        User.objects.filter(email__iexact=email).first()
        or User.objects.filter(emailaddress__email__iexact=email, emailaddress__verified=True).first()
    )


def _lock_unanswered(invitation: Invitation) -> Invitation:
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    if invitation.accepted_at or invitation.withdrawn_at:
        raise InvitationClosed
    return invitation


def _lock_open(invitation: Invitation) -> Invitation:
    given = invitation.token_sha256
    invitation = _lock_unanswered(invitation)
    if not invitation.is_open() or invitation.token_sha256 != given:
        raise InvitationExpired
    return invitation


def _expiry() -> datetime:
    return now() + timedelta(days=settings.INVITATION_DAYS)


def _role_words(role: Role | Invitation) -> dict[str, Any]:
    """What a sentence about a role needs: the kind's code, what it is for, and its last day if there is one."""
    last_day = role.last_day
    return {"role": role.kind, "scope": str(role.scope or ""), "last_day": last_day.isoformat() if last_day else ""}


# Roles


def _require_fit(kind: str, body: Body | None, area: CollaborationArea | None) -> None:
    fits = {
        RoleKind.ADMINISTRATOR: body is not None and body.kind == BodyKind.MUNICIPALITY and area is None,
        RoleKind.COMMITTEE: body is not None and body.kind == BodyKind.MUNICIPALITY and area is None,
        RoleKind.PRINCIPAL: body is not None and body.kind == BodyKind.SCHOOL and area is None,
        RoleKind.COUNCIL_MEMBER: body is None and area is not None,
        RoleKind.SYSTEM_ADMINISTRATOR: body is None and area is None,
    }
    if not fits.get(RoleKind(kind)):
        raise RoleDoesNotFit


@transaction.atomic
def give_role(
    user: User,
    *,
    kind: str,
    by: User,
    body: Body | None = None,
    area: CollaborationArea | None = None,
    first_day: date | None = None,
    last_day: date | None = None,
    on_behalf_of: Body | None = None,
    tell: bool = True,
) -> Role:
    """Let `user` act in a role from `first_day` (today) through `last_day` (until further notice).

    Raises RoleDoesNotFit, DayOutOfOrder, PersonIsGone, or AlreadyHasRole if any of the days is covered already.
    """
    _require_fit(kind, body, area)
    first_day = first_day or today()
    if last_day and last_day < first_day:
        raise DayOutOfOrder(field="last_day")
    user = User.objects.select_for_update().get(pk=user.pk)
    if not user.is_active:
        raise PersonIsGone
    with refused(role_once_at_a_time=AlreadyHasRole):
        role = Role.objects.create(user=user, kind=kind, body=body, area=area, valid=span(first_day, last_day))
    words = _role_words(role)
    record(
        "role.given", user, by=by, on_behalf_of=on_behalf_of, person=user.name, first_day=first_day.isoformat(), **words
    )
    if tell:
        send(mails.role_given(role))
    return role


@transaction.atomic
def end_role(
    role: Role,
    *,
    last_day: date,
    by: User,
    on_behalf_of: Body | None = None,
    hand_over: Mapping[str, User] | None = None,
) -> Role:
    """Let `last_day` be the role's last, and hand over what it leaves behind.

    `hand_over` says by `LeftBehind.key` who takes what; things that are finished meanwhile are passed by. With the last
    role go the API keys: at once if `last_day` is over, else with it. Raises RoleHasEnded, DayOutOfOrder,
    CannotTakeOver, or OnlySystemAdministrator if the portal would be left without one.
    """
    alike = list(Role.objects.select_for_update(of=("self",)).like(role).select_related("user").order_by("pk"))
    role = next(held for held in alike if held.pk == role.pk)
    if role.last_day and role.last_day < today():
        raise RoleHasEnded
    if role.first_day and last_day < role.first_day:
        raise DayOutOfOrder(field="last_day")
    the_day_after = max(last_day, today()) + timedelta(days=1)
    left = [held.user for held in alike if held.pk != role.pk and held.user.is_active and held.holds_on(the_day_after)]
    if role.kind == RoleKind.SYSTEM_ADMINISTRATOR and not left:
        raise OnlySystemAdministrator
    taken = _hand_over(role, hand_over or {}, by, on_behalf_of)
    role.valid = span(role.first_day, last_day)
    role.save(update_fields=["valid"])
    _let_keys_follow(role.user)
    record(
        "role.ended",
        role.user,
        by=by,
        on_behalf_of=on_behalf_of,
        person=role.user.name,
        handed_to=", ".join(sorted(heir.name for heir in taken)),
        **_role_words(role),
    )
    send(mails.role_ended(role), *(_handed_over(role, heir, things) for heir, things in taken.items()))
    return role


def _handed_over(role: Role, heir: User, things: list[LeftBehind]) -> Message:
    return mails.role_handed_over(role, heir, [(thing.label, thing.url) for thing in things])


def heirs_of(role: Role) -> list[User]:
    """Who can take over what `role` leaves behind: others with the same kind of role there today."""
    others = Role.objects.on().like(role).exclude(user=role.user_id).values("user")
    return list(User.objects.filter(pk__in=others, is_active=True).order_by("name", "pk"))


def is_last_administrator(role: Role) -> bool:
    """Whether ending `role` leaves its municipality without an administrator."""
    return role.kind == RoleKind.ADMINISTRATOR and not heirs_of(role)


def _hand_over(
    role: Role, chosen: Mapping[str, User], by: User, on_behalf_of: Body | None
) -> dict[User, list[LeftBehind]]:
    """Give each thing to whoever was chosen; what each of them got."""
    eligible = set(heirs_of(role)) if chosen else set()
    taken: dict[User, list[LeftBehind]] = defaultdict(list)
    for thing in left_behind(role) if chosen else []:
        heir = chosen.get(thing.key)
        if heir is None or thing.hand_over is None:
            continue
        if heir not in eligible:
            raise CannotTakeOver
        thing.hand_over(heir, by, on_behalf_of)
        taken[heir].append(thing)
    return taken


def _let_keys_follow(user: User) -> None:
    """No API key outlives the person's roles: it is revoked when none is left, else ends with the last of them."""
    roles = list(user.roles.all())
    if any(role.last_day is None for role in roles):
        return
    over = max((role.last_day for role in roles if role.last_day), default=None)
    keys = ApiToken.objects.filter(user=user, revoked_at=None)
    if over is None or over < today():
        keys.update(revoked_at=now())
    else:
        keys.filter(last_day__gt=over).update(last_day=over)


# What a person decides about themselves


@transaction.atomic
def change_preferences(
    user: User,
    *,
    by: User,
    name: str,
    language: str,
    mail_rhythm: str = MailRhythm.AT_ONCE,
    muted_kinds: Collection[str] = (),
) -> User:
    """Change name, language, and which mail is wanted when."""
    user = User.objects.select_for_update().get(pk=user.pk)
    cleaned = {"name": name, "language": language, "mail_rhythm": mail_rhythm, "muted_kinds": sorted(muted_kinds)}
    changes = differences(user, cleaned)
    if not changes:
        return user
    for field, value in cleaned.items():
        setattr(user, field, value)
    user.save(update_fields=list(cleaned))
    record("person.preferences_changed", user, by=by, changes=changes, person=user.name)
    return user


@transaction.atomic
def create_token(
    user: User, *, name: str, by: User, may_write: bool = False, last_day: date | None = None
) -> tuple[ApiToken, str]:
    """A new API key and its secret, which is told this once. Lives 90 days if `last_day` is not said.

    Raises KeyLivesTooLong beyond a year, KeyOverBeforeUse for a day that has passed.
    """
    last_day = last_day or today() + timedelta(days=USUAL_TOKEN_DAYS)
    if last_day < today():
        raise KeyOverBeforeUse(field="last_day")
    if last_day > today() + timedelta(days=LONGEST_TOKEN_DAYS):
        raise KeyLivesTooLong(field="last_day")
    secret = new_secret()
    token = ApiToken.objects.create(
        user=user, name=name, may_write=may_write, last_day=last_day, token_sha256=hash_of(secret), hint=secret[:6]
    )
    record("token.created", token, by=by, key=name, last_day=last_day.isoformat(), may_write=int(may_write))
    return token, secret


@transaction.atomic
def revoke_token(token: ApiToken, *, by: User) -> ApiToken:
    """Make the key stop working. One that already has is left as it is."""
    token = ApiToken.objects.select_for_update().get(pk=token.pk)
    if token.revoked_at is None:
        token.revoked_at = now()
        token.save(update_fields=["revoked_at"])
        record("token.revoked", token, by=by, key=token.name)
    return token
