"""Agreements: who the parties are, what is agreed in each revision, and how far it has come."""

from __future__ import annotations

from datetime import date
from typing import Any, Self

import pgtrigger
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now
from collab4m.school_year import SchoolYearField
from organisations.models import Board, Body, CollaborationArea, Membership, Municipality, RoleKind
from programmes.models import Orientation, Programme, orientation_of_its_programme
from records.guards import changed
from records.models import Part, Version

LONGEST_NOTICE = 120  # months


class AgreementKind(models.TextChoices):
    EDUCATION = "education", _("education")
    EQUIPMENT = "equipment", _("vehicles and equipment")
    PREMISES = "premises", _("premises")
    COUNCILS = "councils", _("programme councils")


class Standing(models.TextChoices):
    PRIMARY = "primary", _("primary")
    SECONDARY = "secondary", _("secondary")
    BILATERAL = "bilateral", _("bilateral")


class RevisionKind(models.TextChoices):
    ORIGINAL = "original", _("agreement")
    ANNEX = "annex", _("yearly annex")
    AMENDMENT = "amendment", _("amendment")
    RENEWAL = "renewal", _("renewal")


class RevisionState(models.TextChoices):
    DRAFT = "draft", _("draft")
    REFERRAL = "referral", _("out for referral")
    DECIDING = "deciding", _("being decided")
    SIGNING = "signing", _("being signed")
    SIGNED = "signed", _("signed")
    REJECTED = "rejected", _("rejected")
    WITHDRAWN = "withdrawn", _("withdrawn")

    @classmethod
    def under_way(cls) -> list[RevisionState]:
        return [cls.DRAFT, cls.REFERRAL, cls.DECIDING, cls.SIGNING]

    @classmethod
    def frozen(cls) -> list[RevisionState]:
        """Those in which nothing that was agreed can be changed by anybody."""
        return [cls.DECIDING, cls.SIGNING, cls.SIGNED, cls.REJECTED, cls.WITHDRAWN]


TRANSITIONS = [
    ("draft", "referral"), ("draft", "deciding"), ("draft", "withdrawn"),
    ("referral", "draft"), ("referral", "deciding"), ("referral", "withdrawn"),
    ("deciding", "draft"), ("deciding", "signing"), ("deciding", "rejected"), ("deciding", "withdrawn"),
    ("signing", "signed"), ("signing", "withdrawn"),
]  # fmt: skip


class NoticeEffect(models.TextChoices):
    """When an agreement ends, once the period of notice has passed."""

    SCHOOL_YEAR = "school_year", _("at the end of the school year that is then under way")
    SEMESTER = "semester", _("at the end of the semester that is then under way")
    CALENDAR_YEAR = "calendar_year", _("at the end of the calendar year that is then under way")
    DAY = "day", _("on the day when the period has passed")


class NoticeEnds(models.TextChoices):
    FOR_ALL = "for_all", _("the agreement ends for all parties")
    FOR_PARTY = "for_party", _("the agreement goes on between the others")


class PriceKind(models.TextChoices):
    """Kinds of price, which are never added to one another."""

    SELF_COST = "self_cost", _("the provider's self-cost")
    OWN_LIST = "own_list", _("the provider's price list")
    COMMON_LIST = "common_list", _("the area's common price list")
    NATIONAL_LIST = "national_list", _("the national price list")
    FIXED = "fixed", _("a fixed price in the agreement")


class AgreementQuerySet(models.QuerySet["Agreement"]):
    def of_party(self, bodies: list[int]) -> Self:
        return self.filter(parties__municipality__in=bodies)

    def visible_to(self, user: Any) -> Self:
        """Drafts to the administrators of a party; from referral on to its committee too; signed ones to the area."""
        if not user.is_authenticated:
            return self.none()
        administered = user.bodies_where(RoleKind.ADMINISTRATOR)
        committees = user.bodies_where(RoleKind.COMMITTEE)
        parties = Party.objects.filter(municipality__in=[*administered, *committees]).values("agreement")
        sent = Revision.objects.exclude(sent_at=None).values("agreement")
        signed = Revision.objects.filter(state=RevisionState.SIGNED).values("agreement")
        around = Membership.objects.around(user).values("area")
        own = Party.objects.filter(municipality__in=administered).values("agreement")
        return self.filter(
            Q(pk__in=own)
            | Q(pk__in=parties) & Q(pk__in=sent)
            | Q(pk__in=signed) & (Q(area__in=around) | Q(pk__in=parties))
        )


_LOCKED = """
    IF EXISTS (
        SELECT 1 FROM agreements_revision
        WHERE agreement_id = {row}.agreement_id AND state IN ('deciding', 'signing', 'signed', 'rejected')
    ) THEN
        RAISE EXCEPTION 'the agreement is decided on and cannot be changed'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'agreement_locked';
    END IF;
"""


class Agreement(models.Model):
    """A cooperation agreement between two or more municipalities (samverkansavtal), all of them equal.

    Its number is given once, when it is begun. What is agreed is in its revisions.
    """

    area = models.ForeignKey(CollaborationArea, models.PROTECT, related_name="agreements", verbose_name=_("area"))
    year = models.PositiveSmallIntegerField()
    sequence = models.PositiveIntegerField()
    title = models.CharField(_("title"), max_length=150)
    kind = models.CharField(_("kind"), max_length=9, choices=AgreementKind, default=AgreementKind.EDUCATION)
    standing = models.CharField(_("standing"), max_length=9, choices=Standing, default=Standing.BILATERAL)
    secrecy_note = models.TextField(_("note on secrecy"), max_length=1000, blank=True)
    # Which gaps it began from: whose, and in which school year.
    gap_home = models.ForeignKey(Municipality, models.PROTECT, null=True, blank=True, related_name="+")
    gap_year = SchoolYearField(null=True, blank=True)
    replaces = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="replaced_by", verbose_name=_("replaces")
    )
    started_by = models.ForeignKey(Body, models.PROTECT, related_name="+")
    started_at = models.DateTimeField(default=now)
    example = models.BooleanField(_("example"), default=False)

    objects = AgreementQuerySet.as_manager()

    tells_of = "agreements.Revision"

    class Meta:
        verbose_name = _("agreement")
        verbose_name_plural = _("agreements")
        constraints = [models.UniqueConstraint(fields=["area", "year", "sequence"], name="agreement_number_once")]
        indexes = [models.Index(fields=["area", "-year", "-sequence"], name="agreement_by_number")]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            pgtrigger.Trigger(
                name="locked",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("area", "year", "sequence", "title", "kind", "standing", "replaces"),
                func=pgtrigger.Func(_LOCKED.replace("{row}.agreement_id", "OLD.id") + "RETURN NEW;"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("agreement", args=[self.pk])

    @property
    def number(self) -> str:
        return f"{self.year}-{self.sequence:02}"

    def owners(self) -> list[Body]:
        return [party.municipality for party in self.parties.select_related("municipality").order_by("position", "pk")]

    def shows_version(self, version: Version, user: Any) -> bool:
        """The parties see every version that was sent anywhere, the rest of the area those that were signed."""
        bodies = user.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE)
        if self.parties.filter(municipality__in=bodies).exists():
            return True
        return self.revisions.filter(state=RevisionState.SIGNED, version=version).exists()

    def version_stands(self, version: Version) -> bool:
        """What all parties have signed stands, whatever is written or signed after it."""
        return self.revisions.filter(state=RevisionState.SIGNED, version=version).exists()

    def visible_events(self, user: Any) -> Q:
        """The rest of the area reads what came of it, not how it was written."""
        bodies = user.bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE)
        if self.parties.filter(municipality__in=bodies).exists():
            return Q()
        return Q(name__in=["agreement.signed", "agreement.notice_given", "agreement.notice_withdrawn"])


class Party(models.Model):
    """A municipality that is a party (part), in the parties' order. `signing_order`: lower numbers sign first.

    `first_lead_days` and `second_lead_days`: how long before an end or a last day for notice it wants to be reminded.
    """

    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="parties")
    municipality = models.ForeignKey(Municipality, models.PROTECT, related_name="+", verbose_name=_("municipality"))
    position = models.PositiveSmallIntegerField(default=0)
    signing_order = models.PositiveSmallIntegerField(_("place in the order of signing"), default=1)
    board = models.ForeignKey(
        Board, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("who decides")
    )
    meets_on = models.DateField(_("meets on"), null=True, blank=True)
    case_number = models.CharField(_("case number"), max_length=60, blank=True)
    first_lead_days = models.PositiveSmallIntegerField(_("first reminder, days before"), default=180)
    second_lead_days = models.PositiveSmallIntegerField(_("second reminder, days before"), default=60)

    class Meta:
        verbose_name = _("party")
        verbose_name_plural = _("parties")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "municipality"], name="party_once"),
            models.CheckConstraint(
                name="party_first_reminder_first", condition=Q(first_lead_days__gte=F("second_lead_days"))
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="locked",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Delete,
                func=pgtrigger.Func(
                    "IF TG_OP = 'DELETE' THEN "
                    + _LOCKED.replace("{row}", "OLD")
                    + "RETURN OLD; END IF;"
                    + _LOCKED.replace("{row}", "NEW")
                    + "RETURN NEW;"
                ),
            ),
            pgtrigger.Trigger(
                name="who_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("agreement", "municipality"),
                func=pgtrigger.Func(_LOCKED.replace("{row}", "OLD") + "RETURN NEW;"),
            ),
        ]

    def __str__(self) -> str:
        return str(self.municipality)

    @property
    def place(self) -> str:
        """As what it signs, in records.SignOff."""
        return f"party:{self.municipality_id}"


_REVISION_FROZEN_FIELDS = (
    "agreement", "ordinal", "kind", "title", "changes", "applies_from", "sections", "first_day", "last_day",
    "is_open_ended", "notice_months", "notice_effect", "notice_ends", "price_kind", "incl_meals", "incl_vat",
    "independents_percent", "annex_month", "annex_day", "follow_up_month", "follow_up_day",
)  # fmt: skip


class RevisionQuerySet(models.QuerySet["Revision"]):
    def visible_to(self, user: Any) -> Self:
        """As its agreement, but an unsigned one only to the parties."""
        if not user.is_authenticated:
            return self.none()
        administered = user.bodies_where(RoleKind.ADMINISTRATOR)
        committees = user.bodies_where(RoleKind.COMMITTEE)
        own = Party.objects.filter(municipality__in=administered).values("agreement")
        sees = Party.objects.filter(municipality__in=committees).values("agreement")
        return self.filter(
            Q(agreement__in=own)
            | Q(agreement__in=sees) & Q(sent_at__isnull=False)
            | Q(state=RevisionState.SIGNED, agreement__in=Agreement.objects.visible_to(user).values("pk"))
        )

    def under_way(self) -> Self:
        return self.filter(state__in=RevisionState.under_way())

    def signed(self) -> Self:
        """Those that hold or have held, in the order in which they were signed."""
        return self.filter(state=RevisionState.SIGNED).order_by("signed_at", "pk")


class Revision(models.Model):
    """What is to be agreed, from draft to signature: the agreement itself, an annex, an amendment, a renewal.

    Null is what nobody has filled in yet; it may be sent on referral but not decided on. `version` is the content that
    boards decide on, while they do and afterwards. `edit` grows with each change of the facts and terms. An annex or an
    amendment says in `sections` which sections of the earlier ones it changes, and from which intake on.
    """

    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="revisions")
    ordinal = models.PositiveSmallIntegerField()
    kind = models.CharField(_("kind"), max_length=9, choices=RevisionKind, default=RevisionKind.ORIGINAL)
    title = models.CharField(_("title"), max_length=150, blank=True)
    state = models.CharField(_("state"), max_length=9, choices=RevisionState, default=RevisionState.DRAFT)
    changes = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="changed_by")
    applies_from = SchoolYearField(_("applies from intake"), null=True, blank=True)
    sections = models.JSONField(default=list)
    first_day = models.DateField(_("first day"), null=True, blank=True)
    last_day = models.DateField(_("last day"), null=True, blank=True)
    is_open_ended = models.BooleanField(_("until further notice"), null=True, blank=True)
    notice_months = models.PositiveSmallIntegerField(
        _("period of notice, months"), null=True, blank=True, validators=[MaxValueValidator(LONGEST_NOTICE)]
    )
    notice_effect = models.CharField(_("notice takes effect"), max_length=13, choices=NoticeEffect, blank=True)
    notice_ends = models.CharField(_("after notice"), max_length=9, choices=NoticeEnds, blank=True)
    price_kind = models.CharField(_("price"), max_length=13, choices=PriceKind, blank=True)
    incl_meals = models.BooleanField(_("meals included"), null=True, blank=True)
    incl_vat = models.BooleanField(_("VAT included"), null=True, blank=True)
    independents_percent = models.DecimalField(
        _("supplement for independent schools, per cent"),
        max_digits=4,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
    )
    annex_month = models.PositiveSmallIntegerField(_("yearly annex, month"), null=True, blank=True)
    annex_day = models.PositiveSmallIntegerField(_("yearly annex, day"), null=True, blank=True)
    follow_up_month = models.PositiveSmallIntegerField(_("follow-up, month"), null=True, blank=True)
    follow_up_day = models.PositiveSmallIntegerField(_("follow-up, day"), null=True, blank=True)
    edit = models.PositiveIntegerField(default=0)
    version = models.ForeignKey(Version, models.PROTECT, null=True, blank=True, related_name="+")
    sent_at = models.DateTimeField(null=True, blank=True)  # when the committees first saw it
    deciding_since = models.DateTimeField(null=True, blank=True)
    signing_since = models.DateTimeField(null=True, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.TextField(blank=True)  # why it was rejected or withdrawn
    created_at = models.DateTimeField(default=now)

    objects = RevisionQuerySet.as_manager()

    write_permission = "agreements.write_text"

    class Meta:
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        ordering = ["ordinal"]
        constraints = [
            models.UniqueConstraint(fields=["agreement", "ordinal"], name="revision_ordinal_once"),
            models.UniqueConstraint(
                fields=["agreement"],
                name="revision_one_under_way",
                condition=Q(state__in=["draft", "referral", "deciding", "signing"]),
            ),
            models.UniqueConstraint(fields=["agreement"], name="revision_one_original", condition=Q(kind="original")),
            models.CheckConstraint(
                name="revision_ends_after_it_begins",
                condition=Q(last_day=None) | Q(first_day=None) | Q(last_day__gte=F("first_day")),
            ),
            models.CheckConstraint(
                name="revision_decided_on_a_version",
                condition=~Q(state__in=["deciding", "signing", "signed"]) | Q(version__isnull=False),
            ),
            models.CheckConstraint(
                name="revision_signed_has_its_day",
                condition=~Q(state="signed") | Q(signed_at__isnull=False, first_day__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["state", "agreement"], name="revision_by_state")]
        triggers = [
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
            pgtrigger.FSM(name="state_by_state", field="state", transitions=TRANSITIONS),
            pgtrigger.Protect(
                name="frozen_facts",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state__in=["deciding", "signing", "signed", "rejected", "withdrawn"])
                & changed(*_REVISION_FROZEN_FIELDS),
            ),
            pgtrigger.Protect(
                name="frozen_version",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__state__in=["signing", "signed", "rejected", "withdrawn"])
                & changed("version", "deciding_since"),
            ),
        ]

    def __str__(self) -> str:
        if self.title or self.kind == RevisionKind.ORIGINAL:
            return self.title or self.agreement.title
        return f"{self.agreement.title}, {self.get_kind_display()}"

    def get_absolute_url(self) -> str:
        return reverse("agreement", args=[self.agreement_id])

    def get_work_url(self) -> str:
        return reverse("agreement_work", args=[self.agreement_id])

    def part_is_open(self, part: Part) -> bool:
        """In a draft all texts are; during referral those where a party wants a change that is not settled."""
        if part.key not in self.sections:
            return False
        if self.state == RevisionState.REFERRAL:
            return self.referrals.filter(
                closed_at=None,
                answers__kind="change_wanted",
                answers__outcome="",
                answers__section__in=[part.key, ""],
            ).exists()
        return self.state == RevisionState.DRAFT

    @property
    def ends(self) -> date | None:
        """The last day it is agreed for; None while that is open."""
        return None if self.is_open_ended else self.last_day


class Term(models.Model):
    """Who takes pupils from whom, on what, and how many in each intake (villkor): one direction in a row.

    Without orientation the whole programme. `unlimited`: no limit is agreed; neither that nor `seats`: still open.
    """

    revision = models.ForeignKey(Revision, models.CASCADE, related_name="terms")
    home = models.ForeignKey(Municipality, models.PROTECT, related_name="+", verbose_name=_("home municipality"))
    provider = models.ForeignKey(
        Municipality, models.PROTECT, related_name="+", verbose_name=_("provider municipality")
    )
    programme = models.ForeignKey(Programme, models.PROTECT, related_name="+", verbose_name=_("programme"))
    orientation = models.ForeignKey(
        Orientation, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("orientation")
    )
    intake_from = SchoolYearField(_("from intake"), null=True, blank=True)
    intake_to = SchoolYearField(_("to intake"), null=True, blank=True)
    seats = models.PositiveSmallIntegerField(_("seats per intake"), null=True, blank=True)
    unlimited = models.BooleanField(_("no limit"), default=False)
    price_sek = models.DecimalField(
        _("price per pupil and school year, SEK"), max_digits=9, decimal_places=2, null=True, blank=True
    )

    class Meta:
        verbose_name = _("term")
        verbose_name_plural = _("terms")
        constraints = [
            models.UniqueConstraint(
                fields=["revision", "home", "provider", "programme", "orientation", "intake_from"],
                name="term_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(name="term_between_two", condition=~Q(home=F("provider"))),
            models.CheckConstraint(name="term_limit_or_none", condition=Q(seats=None) | Q(unlimited=False)),
            models.CheckConstraint(
                name="term_ends_after_it_begins",
                condition=Q(intake_from=None) | Q(intake_to=None) | Q(intake_to__gte=F("intake_from")),
            ),
        ]
        triggers = [
            orientation_of_its_programme("term_orientation_of_its_programme"),
            pgtrigger.Trigger(
                name="locked",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=pgtrigger.Func(
                    """
                    IF EXISTS (
                        SELECT 1 FROM agreements_revision
                        WHERE id IN (CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE OLD.revision_id END,
                                     CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE NEW.revision_id END)
                        AND state IN ('deciding', 'signing', 'signed', 'rejected', 'withdrawn')
                    ) THEN
                        RAISE EXCEPTION 'the terms are decided on and cannot be changed'
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'agreement_locked';
                    END IF;
                    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                    RETURN NEW;
                    """
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.orientation or self.programme}: {self.home} → {self.provider}"
