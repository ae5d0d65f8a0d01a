"""Asking the neighbour, and saying that a figure is wrong."""

from datetime import date, datetime, timedelta
from typing import Any, Self

from django.contrib.contenttypes.fields import GenericForeignKey
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now, today
from records.people import ACTING, answering, concerning, speaking_for
from records.subjects import field_label, types_of
from records.values import as_text, readable

ANSWER_WITHIN = timedelta(days=7)  # what is asked of the neighbour, and said on the page: within a week


class AboutQuerySet(models.QuerySet[Any]):
    def about(self, subject: models.Model) -> Self:
        return self.filter(subject_type__in=types_of(subject), subject_id=subject.pk)


class About(models.Model):
    """Something said about another row, whichever app that belongs to."""

    subject_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+")
    subject_id = models.BigIntegerField()
    subject = GenericForeignKey("subject_type", "subject_id")
    subject_name = models.CharField(max_length=300, default="")  # as it was then; a list need not fetch its subjects

    class Meta:
        abstract = True

    def save(self, **kwargs: Any) -> None:
        if self._state.adding and not self.subject_name:
            self.subject_name = str(self.subject)[:300]
        super().save(**kwargs)

    @property
    def since(self) -> datetime:
        """When it was said."""
        raise NotImplementedError

    @property
    def due(self) -> date:
        """The day by which an answer is hoped for."""
        return timezone.localtime(self.since + ANSWER_WITHIN).date()

    @property
    def is_late(self) -> bool:
        return self.due < today()


class QuestionQuerySet(AboutQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Questions from or to bodies one works for today, or schools run by a municipality one administers."""
        return self.filter(concerning(user, "from_body", "to_body"))

    def open(self) -> Self:
        return self.filter(closed_at=None)

    def waiting_for(self, user: Any) -> Self:
        """Open questions that somebody like `user` has yet to answer."""
        own = user.bodies_where(*ACTING)
        asked_ourselves = Q(from_body__in=own) & ~Q(to_body__in=own)
        return self.open().filter(~asked_ourselves, answering(user, "to_body"), answered_at=None)


class Question(About):
    """A question from one body to another body's administrators, kept with what it is about."""

    from_body = models.ForeignKey("organisations.Body", models.PROTECT, related_name="+", verbose_name=_("from"))
    to_body = models.ForeignKey("organisations.Body", models.PROTECT, related_name="+", verbose_name=_("to"))
    by = models.ForeignKey("organisations.User", models.PROTECT, related_name="questions")
    title = models.CharField(_("subject"), max_length=120)
    text = models.TextField(_("question"), max_length=4000)
    asked_at = models.DateTimeField(default=now)
    answered_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = QuestionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="question_by_subject"),
            models.Index(fields=["to_body"], name="question_open", condition=Q(answered_at=None, closed_at=None)),
        ]
        constraints = [
            models.CheckConstraint(name="question_to_another_body", condition=~Q(from_body=F("to_body"))),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("question", args=[self.pk])

    @property
    def since(self) -> datetime:
        return self.asked_at


class Reply(models.Model):
    """What somebody on either side wrote in a question's thread."""

    question = models.ForeignKey(Question, models.PROTECT, related_name="replies")
    text = models.TextField(_("answer"), max_length=4000)
    by = models.ForeignKey("organisations.User", models.PROTECT, related_name="+")
    on_behalf_of = models.ForeignKey("organisations.Body", models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)
    through_mail_link = models.BooleanField(default=False)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.question_id} {self.at:%Y-%m-%d %H:%M}"


class AnswerLinkQuerySet(models.QuerySet["AnswerLink"]):
    def usable(self, token_sha256: str) -> "AnswerLink | None":
        """The link, while the question is open, its time has not run out and its person answers for the body asked."""
        links = self.select_related("user", "question__to_body__as_school__provider", "question__from_body")
        link = links.filter(
            token_sha256=token_sha256, expires_at__gt=now(), user__is_active=True, question__closed_at=None
        ).first()
        return link if link and speaking_for(link.user, link.question.to_body) else None


class AnswerLink(models.Model):
    """The personal link in a question's mail. Only its hash is kept; it opens this one question, for a while."""

    question = models.ForeignKey(Question, models.CASCADE, related_name="links")
    user = models.ForeignKey("organisations.User", models.PROTECT, related_name="+")
    token_sha256 = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    objects = AnswerLinkQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.question_id} {self.user_id}"


class CorrectionState(models.TextChoices):
    WAITING = "waiting", _("waiting for an answer")
    ACCEPTED = "accepted", _("accepted")
    DECLINED = "declined", _("declined")


class CorrectionQuerySet(AboutQuerySet):
    def visible_to(self, user: Any) -> Self:
        """Proposals from or to bodies one works for today, or schools run by a municipality one administers."""
        return self.filter(concerning(user, "from_body", "owner"))

    def waiting(self) -> Self:
        return self.filter(state=CorrectionState.WAITING)

    def waiting_for(self, user: Any) -> Self:
        """Proposals that somebody like `user` has yet to decide on."""
        return self.waiting().filter(answering(user, "owner"))

    def decided(self) -> Self:
        return self.exclude(state=CorrectionState.WAITING)


class Correction(About):
    """A proposal to the owner of a fact: this figure is wrong, this is right, and this is how I know."""

    field = models.CharField(max_length=60)
    value_then = models.TextField(_("stands today"), blank=True)
    proposed = models.TextField(_("should be"), max_length=500)
    reason = models.TextField(_("how do you know?"), max_length=2000)
    source_note = models.CharField(_("source"), max_length=500, blank=True)
    from_body = models.ForeignKey("organisations.Body", models.PROTECT, related_name="+")
    owner = models.ForeignKey("organisations.Body", models.PROTECT, related_name="+")
    by = models.ForeignKey("organisations.User", models.PROTECT, related_name="corrections")
    at = models.DateTimeField(default=now)
    state = models.CharField(max_length=8, choices=CorrectionState, default=CorrectionState.WAITING)
    answer = models.TextField(_("answer"), max_length=2000, blank=True)
    decided_by = models.ForeignKey("organisations.User", models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = CorrectionQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["subject_type", "subject_id"], name="correction_by_subject"),
            models.Index(fields=["owner"], name="correction_waiting", condition=Q(state="waiting")),
        ]
        constraints = [
            models.CheckConstraint(
                name="correction_decided_by_somebody",
                condition=Q(state="waiting", decided_by=None, decided_at=None)
                | (~Q(state="waiting") & Q(decided_by__isnull=False, decided_at__isnull=False)),
            )
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.proposed}"

    def get_absolute_url(self) -> str:
        return reverse("correction", args=[self.pk])

    @property
    def since(self) -> datetime:
        return self.at

    @property
    def is_waiting(self) -> bool:
        return self.state == CorrectionState.WAITING

    @property
    def model(self) -> type[models.Model]:
        model = ContentType.objects.get_for_id(self.subject_type_id).model_class()
        assert model is not None, "a fact's model was removed while proposals about it remain"
        return model

    @property
    def label(self) -> str:
        """What people call the field."""
        return field_label(self.model, self.field)

    @property
    def shown_then(self) -> str:
        return readable(self.model, self.field, self.value_then)

    def shown_on(self, subject: models.Model) -> str:
        """What `subject`, which this is about, says today."""
        return readable(self.model, self.field, as_text(getattr(subject, self.field, self.value_then)))

    @property
    def shown_proposed(self) -> str:
        return readable(self.model, self.field, self.proposed)
