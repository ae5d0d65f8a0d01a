"""What follows a signature asked for elsewhere, and each party's own copy of what was signed."""

from __future__ import annotations

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from agreements.models.agreements import Agreement, Party
from collab4m.clock import now
from records.guards import changed
from records.models import Rendition, Version


class RequestState(models.TextChoices):
    ORDERED = "ordered", _("on its way to the service")
    WAITING = "waiting", _("waits for the signatory")
    SIGNED = "signed", _("signed")
    REFUSED = "refused", _("refused by the signatory")
    ABORTED = "aborted", _("taken back")
    FAILED = "failed", _("could not be sent")


class SignatureRequest(models.Model):
    """A party's signature that is asked for in an outside signing service. `reference` is the service's own."""

    version = models.ForeignKey(Version, models.PROTECT, related_name="+")
    party = models.ForeignKey(Party, models.PROTECT, related_name="signature_requests")
    signed_as = models.CharField(_("signed by"), max_length=150)
    email = models.EmailField(_("e-mail address"))
    state = models.CharField(max_length=8, choices=RequestState, default=RequestState.ORDERED)
    reference = models.CharField(max_length=200, blank=True)
    address = models.URLField(blank=True)
    told = models.TextField(blank=True)  # what the service said, when it refused or failed
    by = models.ForeignKey("organisations.User", models.PROTECT, related_name="+")
    at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "party"],
                name="signature_request_one_open",
                condition=Q(state__in=["ordered", "waiting"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.party}, {self.get_state_display()}"

    @property
    def is_open(self) -> bool:
        return self.state in (RequestState.ORDERED, RequestState.WAITING)


class ArchiveCopy(models.Model):
    """A party's own copy of a signed version: the package, its hash, and that its registrar has received it."""

    agreement = models.ForeignKey(Agreement, models.PROTECT, related_name="archive_copies")
    version = models.ForeignKey(Version, models.PROTECT, related_name="+")
    party = models.ForeignKey(Party, models.PROTECT, related_name="archive_copies")
    rendition = models.ForeignKey(Rendition, models.PROTECT, related_name="+")
    sent_at = models.DateTimeField(default=now)
    received_at = models.DateTimeField(null=True, blank=True)
    received_by = models.ForeignKey("organisations.User", models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "party"], name="archive_copy_once")]
        triggers = [
            pgtrigger.Protect(
                name="received_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__received_at__isnull=False)
                | changed("version", "party", "rendition", "sent_at"),
            ),
            pgtrigger.Protect(name="kept", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.party}, {self.version}"
