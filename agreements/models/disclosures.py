"""What was handed out of a case for public access, and by whom."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.utils.translation import gettext_lazy as _

from agreements.models.agreements import Agreement
from collab4m.clock import now
from organisations.models import Body


class Disclosure(models.Model):
    """That the documents of an agreement were taken out to be handed out (utlämnande). Who asked is never kept."""

    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="disclosures")
    note = models.CharField(_("note"), max_length=300, blank=True)
    files = models.JSONField()  # [{"name", "sha256", "size"}]
    left_out = models.JSONField(default=list)
    by = models.ForeignKey("organisations.User", models.PROTECT, related_name="+")
    on_behalf_of = models.ForeignKey(Body, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)

    class Meta:
        verbose_name = _("disclosure")
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.agreement}, {self.at:%Y-%m-%d}"
