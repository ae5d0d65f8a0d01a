"""Inviting people, giving and ending roles, and what a person decides about themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils.timezone import make_aware
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now, today
from collab4m.errors import RuleBroken, refused
from collab4m.swedish import swedish_key, swedish_order
from organisations import mails
from organisations.models import (
    ApiToken,
    Body,
    BodyKind,
    CollaborationArea,
    Invitation,
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


class NoRoleToday(RuleBroken):
    code = "no_role_today"
    message = _("A key needs a person with a role today. Ask whoever let you in for a role.")


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
    earlier.filter(Q(expires_at__lte=now()) | Q(last_day__lt=today())).update(withdrawn_at=now())
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
            expires_at=_expiry(last_day),
        )
    record("invitation.sent", invitation, by=by, on_behalf_of=on_behalf_of, **_role_words(invitation))
    send(mails.invitation_sent(invitation, secret))
    return invitation


@transaction.atomic
def resend_invitation(invitation: Invitation, *, by: User, on_behalf_of: Body | None = None) -> Invitation:
    """Send a new link, good for INVITATION_DAYS days; the old one stops working.

    Raises InvitationClosed, or InvitationExpired if the role's last day has passed.
    """
    invitation = _lock_unanswered(invitation)
    if invitation.last_day and invitation.last_day < today():
        message = gettext("The last day of the role has passed. Withdraw the invitation and write a new one.")
        raise InvitationExpired(message)
    secret = new_secret()
    invitation.token_sha256 = hash_of(secret)
    invitation.sent_at, invitation.expires_at = now(), _expiry(invitation.last_day)
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
    """Give `by` the role they were invited to; one they hold, or are to hold, during it is left as it is.

    Raises InvitationClosed, InvitationExpired, or InvitedSomebodyElse if the address is not one of theirs.
    """
    invitation = _lock_open(invitation)
    if by != account_with(invitation.email):
        raise InvitedSomebodyElse
    alike = by.roles.filter(kind=invitation.kind, body=invitation.body, area=invitation.area)
    held = alike.filter(valid__overlap=span(today(), invitation.last_day)).order_by("valid").first()
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


def _expiry(last_day: date | None) -> datetime:
    """In INVITATION_DAYS days, but not after the last day of the role."""
    usual = now() + timedelta(days=settings.INVITATION_DAYS)
    return min(usual, make_aware(datetime.combine(last_day, time.max))) if last_day else usual


def _role_words(role: Role | Invitation) -> dict[str, Any]:
    """What a sentence about a role needs: the kind's code, what it is for, and its last day if there is one.

    With the id of the body that it is for, by which `User.visible_events` tells who may read it.
    """
    last_day = role.last_day
    words = {"role": role.kind, "scope": str(role.scope or ""), "last_day": last_day.isoformat() if last_day else ""}
    return {**words, "body": role.body_id} if role.body_id else words


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
def add_system_administrator(*, email: str, name: str) -> User:
    """Open an account from the server's command line, for the person who then invites the others.

    The password is chosen through "Forgotten the password?", which proves the address. Raises AccountExists.
    """
    if account_with(email):
        raise AccountExists
    user = User(email=email, name=name)
    user.set_unusable_password()
    with refused(user_one_per_email=AccountExists, unique_verified_email=AccountExists):
        user.save()
        EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    give_role(user, kind=RoleKind.SYSTEM_ADMINISTRATOR, by=None, tell=False)
    return user


@transaction.atomic
def give_role(
    user: User,
    *,
    kind: str,
    by: User | None,
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
    taken = _hand_over(role, hand_over or {}, the_day_after, by, on_behalf_of)
    role.valid = span(role.first_day, last_day)
    role.save(update_fields=["valid"])
    _let_keys_follow(role.user)
    record(
        "role.ended",
        role.user,
        by=by,
        on_behalf_of=on_behalf_of,
        person=role.user.name,
        handed_to=", ".join(sorted((heir.name for heir in taken), key=swedish_key)),
        **_role_words(role),
    )
    send(mails.role_ended(role), *(_handed_over(role, heir, things) for heir, things in taken.items()))
    return role


def _handed_over(role: Role, heir: User, things: list[LeftBehind]) -> Message:
    return mails.role_handed_over(role, heir, [(thing.label, thing.url) for thing in things])


def heirs_of(role: Role, day: date | None = None) -> list[User]:
    """Who can take over what `role` leaves behind: others with the same kind of role there on `day` (today)."""
    others = Role.objects.on(day).like(role).exclude(user=role.user_id).values("user")
    return list(User.objects.filter(pk__in=others, is_active=True).order_by(swedish_order("name"), "pk"))


def is_last_administrator(role: Role) -> bool:
    """Whether ending `role` leaves its municipality without an administrator."""
    return role.kind == RoleKind.ADMINISTRATOR and not heirs_of(role)


def _hand_over(
    role: Role, chosen: Mapping[str, User], the_day_after: date, by: User, on_behalf_of: Body | None
) -> dict[User, list[LeftBehind]]:
    """Give each thing to whoever was chosen; what each of them got."""
    eligible = {*heirs_of(role)} & {*heirs_of(role, the_day_after)} if chosen else set()
    taken: dict[User, list[LeftBehind]] = defaultdict(list)
    for thing in left_behind(role) if chosen else []:
        heir = chosen.get(thing.key)
        if heir is None:
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
    by: User | None = None,
    name: str | None = None,
    language: str | None = None,
    mail_rhythm: str | None = None,
    muted_kinds: Collection[str] | None = None,
) -> User:
    """Change name, language, and which mail is wanted when. What is left out stays; `by` is the person unless said."""
    user = User.objects.select_for_update().get(pk=user.pk)
    muted = None if muted_kinds is None else sorted(muted_kinds)
    said = {"name": name, "language": language, "mail_rhythm": mail_rhythm, "muted_kinds": muted}
    cleaned = {field: value for field, value in said.items() if value is not None}
    changes = differences(user, cleaned)
    if not changes:
        return user
    for field, value in cleaned.items():
        setattr(user, field, value)
    user.save(update_fields=list(cleaned))
    record("person.preferences_changed", user, by=by or user, changes=changes, person=user.name)
    return user


@transaction.atomic
def create_token(
    user: User, *, name: str, by: User, may_write: bool = False, last_day: date | None = None
) -> tuple[ApiToken, str]:
    """A new API key and its secret, which is told this once. Lives 90 days if `last_day` is not said.

    Raises NoRoleToday, KeyLivesTooLong beyond a year, KeyOverBeforeUse for a day that has passed.
    """
    if not user.roles.on().exists():
        raise NoRoleToday
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
