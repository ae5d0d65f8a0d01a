"""People, what they may do for whom and when, how they are invited and how programs speak for them."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, ClassVar, Self

import pghistory
import rules
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import Q
from django.db.models.functions import Coalesce, Lower
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now, today
from organisations.models.areas import CollaborationArea, Membership
from organisations.models.bodies import Body, School
from records.models import Dated, DatedQuerySet


def new_secret() -> str:
    """A secret for a link or an API key. Show it once and keep `hash_of` it."""
    return secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class MailRhythm(models.TextChoices):
    AT_ONCE = "at_once", _("at once")
    DAILY = "daily", _("gathered once a day")
    WEEKLY = "weekly", _("gathered once a week")


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)

    def visible_to(self, user: User) -> models.QuerySet[User]:
        """Oneself; colleagues of today in a municipality one administers; everyone for the system administrator."""
        if user.is_system_administrator:
            return self.all()
        return self.filter(
            Q(pk=user.pk) | Q(pk__in=Role.objects.on().filter(body__in=administered_by(user)).values("user"))
        )


class User(AbstractBaseUser):
    """A person who logs in with an e-mail address. What they may do follows from their roles of today."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=120)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, default="sv")
    mail_rhythm = models.CharField(_("mail"), max_length=8, choices=MailRhythm, default=MailRhythm.AT_ONCE)
    muted_kinds = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    joined_at = models.DateTimeField(default=now, editable=False)
    forgotten_at = models.DateTimeField(null=True, blank=True, editable=False)
    example = models.BooleanField(_("example"), default=False)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    objects = UserManager()

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [models.UniqueConstraint(Lower("email"), name="user_one_per_email")]

    def __str__(self) -> str:
        return str(_("Removed person")) if self.forgotten_at else self.name or self.email

    def get_absolute_url(self) -> str:
        return reverse("person", args=[self.pk])

    def visible_events(self, user: User) -> Q:
        """Which events about this person `user` may read: all about oneself, else those of bodies one administers."""
        if user == self or user.is_system_administrator:
            return Q()
        own = list(administered_by(user).values_list("pk", flat=True))
        return Q(data__body__in=own) | Q(on_behalf_of__in=own)

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)

    @cached_property
    def roles_today(self) -> list[Role]:
        """Today's roles with their bodies and areas, read once per request."""
        if not self.is_active:
            return []
        return list(self.roles.on().select_related("body", "area").order_by("kind", "pk"))

    def bodies_where(self, *kinds: str) -> list[int]:
        """Ids of the bodies where this person holds one of `kinds` today."""
        return [role.body_id for role in self.roles_today if role.kind in kinds and role.body_id]

    def bodies_today(self) -> list[int]:
        """Ids of every body this person acts for today."""
        return [role.body_id for role in self.roles_today if role.body_id]

    @cached_property
    def around_today(self) -> list[Membership]:
        """Today's members of the areas around this person in the agreed order, read once per request."""
        members = Membership.objects.around(self).select_related("municipality", "area").in_agreed_order()
        return list(members)

    @property
    def is_system_administrator(self) -> bool:
        return any(role.kind == RoleKind.SYSTEM_ADMINISTRATOR for role in self.roles_today)

    # The admin asks these names; both follow from the role, so that ending it closes the admin at once.
    is_staff = is_superuser = is_system_administrator

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        return self.is_active and rules.has_perm(perm, self, obj)

    def has_perms(self, perms: list[str], obj: Any = None) -> bool:
        return all(self.has_perm(perm, obj) for perm in perms)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_system_administrator


class RoleKind(models.TextChoices):
    ADMINISTRATOR = "administrator", _("administrator")
    PRINCIPAL = "principal", _("principal")
    COUNCIL_MEMBER = "council_member", _("council member")
    COMMITTEE = "committee", _("committee")
    SYSTEM_ADMINISTRATOR = "system_administrator", _("system administrator")


def administered_by(user: User) -> models.QuerySet[Body]:
    """The municipalities where `user` is an administrator today, and the schools they run."""
    municipalities = user.bodies_where(RoleKind.ADMINISTRATOR)
    schools = School.objects.filter(provider__municipality__in=municipalities)
    return Body.objects.filter(Q(pk__in=municipalities) | Q(pk__in=schools.values("pk")))


class RoleQuerySet(DatedQuerySet):
    def visible_to(self, user: User) -> Self:
        """One's own; all in a municipality one administers; every role for the system administrator."""
        if user.is_system_administrator:
            return self
        return self.filter(Q(user=user) | Q(body__in=administered_by(user).values("pk")))

    def like(self, role: Role) -> Self:
        """The same kind of role for the same body or area, whoever holds it."""
        return self.filter(kind=role.kind, body=role.body_id, area=role.area_id)


@pghistory.track()
class Role(Dated):
    """What a person may do for a body, from a day to a day.

    Administrators and committees act for a municipality, principals for a school, the system administrator for none.
    A council member belongs to an area; the seat in a council is another thing, and comes with the councils.
    """

    user = models.ForeignKey(User, models.PROTECT, related_name="roles", verbose_name=_("person"))
    kind = models.CharField(_("role"), max_length=20, choices=RoleKind)
    body = models.ForeignKey(Body, models.PROTECT, null=True, blank=True, related_name="roles", verbose_name=_("for"))
    area = models.ForeignKey(
        CollaborationArea, models.PROTECT, null=True, blank=True, related_name="roles", verbose_name=_("area")
    )
    example = models.BooleanField(_("example"), default=False)

    objects = RoleQuerySet.as_manager()

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = [
            models.CheckConstraint(
                name="role_for_the_right_thing",
                condition=Q(kind__in=["administrator", "committee", "principal"], body__isnull=False, area=None)
                | Q(kind="council_member", body=None, area__isnull=False)
                | Q(kind="system_administrator", body=None, area=None),
            ),
            ExclusionConstraint(
                name="role_once_at_a_time",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("kind", RangeOperators.EQUAL),
                    (Coalesce("body", 0), RangeOperators.EQUAL),
                    (Coalesce("area", 0), RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope}, {self.get_kind_display()}" if self.scope else str(self.get_kind_display())

    def get_absolute_url(self) -> str:
        return reverse("person", args=[self.user_id])

    @property
    def scope(self) -> Body | CollaborationArea | None:
        """What the role is for; None for the system administrator."""
        return self.body or self.area


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def visible_to(self, user: User) -> Self:
        """Those to a municipality one administers; every invitation for the system administrator."""
        return self if user.is_system_administrator else self.filter(body__in=administered_by(user).values("pk"))

    def unanswered(self) -> Self:
        """Neither accepted nor withdrawn; the link may have expired."""
        return self.filter(accepted_at=None, withdrawn_at=None)


class Invitation(models.Model):
    """An invitation by mail to a role. The link's token is kept only as a hash."""

    email = models.EmailField(_("e-mail address"))
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("role"), max_length=20, choices=RoleKind)
    body = models.ForeignKey(Body, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("for"))
    area = models.ForeignKey(
        CollaborationArea, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("area")
    )
    last_day = models.DateField(_("last day of the role"), null=True, blank=True)
    language = models.CharField(_("language"), max_length=5, choices=settings.LANGUAGES, default="sv")
    token_sha256 = models.CharField(max_length=64, unique=True)
    by = models.ForeignKey(User, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                "kind",
                Coalesce("body", 0),
                Coalesce("area", 0),
                name="invitation_one_open_per_role",
                condition=Q(accepted_at=None, withdrawn_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.email}, {self.get_kind_display()}"

    def get_absolute_url(self) -> str:
        return f"{reverse('people')}#inbjudan-{self.pk}"

    @property
    def scope(self) -> Body | CollaborationArea | None:
        """What the role is for; None for the system administrator."""
        return self.body or self.area

    def is_open(self) -> bool:
        answered = self.accepted_at or self.withdrawn_at
        return not answered and self.expires_at > now() and (self.last_day is None or self.last_day >= today())


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def visible_to(self, user: User) -> Self:
        """One's own; every key's name and dates for the system administrator."""
        return self if user.is_system_administrator else self.filter(user=user)

    def usable(self) -> Self:
        return self.filter(revoked_at=None, last_day__gte=today(), user__is_active=True)

    def with_secret(self, secret: str) -> ApiToken | None:
        return self.select_related("user").filter(token_sha256=hash_of(secret)).first()


class ApiToken(models.Model):
    """A key with which a program speaks for a person. Shown once, kept as a hash."""

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=80)
    token_sha256 = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=8)  # the first letters, so that its owner can tell keys apart
    may_write = models.BooleanField(_("may write"), default=False)
    created_at = models.DateTimeField(default=now)
    last_day = models.DateField(_("last day"))
    last_used_on = models.DateField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("tokens")

    def is_usable(self) -> bool:
        return self.revoked_at is None and self.last_day >= today()
