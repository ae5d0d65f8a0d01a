"""Signatures on agreements, for programs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, ClassVar

import django_filters
from allauth.account.authentication import get_authentication_records
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agreements.api.decisions import SHA256, OfVersionFilter, SignOffSerializer, sign_offs, versions_seen
from agreements.api.shared import Acting, AgreementId, DocumentInput, acting, document_in, said_in
from agreements.operations import sign
from collab4m.access import require
from organisations.api import DirectoryViewSet, caller, within_reason
from records.models import SignOff, SignOffMethod

METHODS = [choice for choice in SignOffMethod.choices if choice[0] != SignOffMethod.SERVICE]


class SignatureInput(Acting):
    agreement = AgreementId()
    content_sha256 = serializers.RegexField(SHA256, help_text="Of the content that is signed.")
    method = serializers.ChoiceField(METHODS)
    signed_as = serializers.CharField(max_length=150, help_text="Who signs, by office.")
    day = serializers.DateField(
        required=False, allow_null=True, validators=[within_reason], help_text="The day on the paper."
    )
    document = DocumentInput(required=False, allow_null=True, help_text="The signed page, scanned.")


class SignOffFilter(OfVersionFilter):
    method = django_filters.ChoiceFilter(choices=SignOffMethod.choices, label="How it was signed.")


class SignOffViewSet(DirectoryViewSet):
    """Signatures on agreements: for the parties, and when all have signed for the area."""

    queryset = SignOff.objects.none()
    serializer_class = SignOffSerializer
    filterset_class = SignOffFilter
    ordering = "-at"
    ordering_fields: ClassVar[dict[str, str]] = {"at": "at", "day": "day"}

    def rows(self) -> QuerySet[Any]:
        return sign_offs()

    def get_queryset(self) -> QuerySet[Any]:
        return self.rows().filter(version__in=versions_seen(caller(self.request)).values("pk"))

    @extend_schema(request=SignatureInput, responses={201: SignOffSerializer})
    def create(self, request: Request) -> Response:
        """Sign for one's municipality what was signed on paper; or oneself, logged in with a second step.

        An API key takes no second step: 409 with `second_factor_needed`.
        """
        said = said_in(SignatureInput, request)
        party = acting(request, said.pop("agreement"), said.pop("on_behalf_of", None))
        require(request.user, "agreements.sign", party)
        sign_off = sign(
            party,
            **said | {"document": document_in(said.get("document"))},
            second_factor_at=_second_step(request),
            by=caller(request),
            on_behalf_of=party.municipality.body,
        )
        return self.answer(sign_off, 201)


def _second_step(request: Request) -> datetime | None:
    """When the second step of this log-in was taken last. With a key nobody is logged in."""
    if request.auth is not None:
        return None
    records = get_authentication_records(request._request, caller(request))
    steps = [one["at"] for one in records if one.get("method") == "mfa"]
    return datetime.fromtimestamp(max(steps), tz=UTC) if steps else None
