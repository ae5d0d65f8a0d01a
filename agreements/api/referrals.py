"""Answers on referral, for programs."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from agreements.api.shared import Acting, AgreementId, Known, acting, said_in
from agreements.models import AnswerKind, Outcome, Party, ReferralAnswer
from agreements.operations import answer_referral, settle_answer
from collab4m.access import require
from organisations.api import DirectoryViewSet, MunicipalityRef, caller
from organisations.models import RoleKind


class AnswerSerializer(serializers.ModelSerializer[ReferralAnswer]):
    """What a party says of a section, or with `section` "" of the whole. The latest word counts."""

    agreement = serializers.IntegerField(source="referral.revision.agreement_id", read_only=True)
    revision = serializers.IntegerField(source="referral.revision_id", read_only=True)
    version = serializers.IntegerField(source="referral.version_id", read_only=True)
    municipality = MunicipalityRef(read_only=True)
    outcome = Known(Outcome.choices, read_only=True, allow_null=True, help_text="Null while a change is not settled.")

    class Meta:
        model = ReferralAnswer
        fields = (
            "id", "agreement", "revision", "referral", "version", "municipality", "section", "kind", "text", "at",
            "outcome", "outcome_reason", "outcome_at",
        )  # fmt: skip
        read_only_fields = fields


class AnswerInput(Acting):
    agreement = AgreementId()
    section = serializers.CharField(
        max_length=40, required=False, allow_blank=True, help_text="Key of the section; left out: the whole."
    )
    kind = serializers.ChoiceField(AnswerKind.choices)
    text = serializers.CharField(
        max_length=4000, required=False, allow_blank=True, help_text="What is wanted, and why."
    )  # fmt: skip


class OutcomeInput(Acting):
    outcome = serializers.ChoiceField(Outcome.choices)
    reason = serializers.CharField(
        max_length=2000, required=False, allow_blank=True, help_text="Needed when it is declined."
    )


class AnswerFilter(django_filters.FilterSet):
    agreement = django_filters.NumberFilter(field_name="referral__revision__agreement", label="Id of the agreement.")
    referral = django_filters.NumberFilter(label="Id of the referral.")
    kind = django_filters.ChoiceFilter(choices=AnswerKind.choices, label="Kind of answer.")
    municipality = django_filters.CharFilter(field_name="municipality__code", label="Code of who has answered.")


class ReferralAnswerViewSet(DirectoryViewSet):
    """What parties answer on referral. For the parties only."""

    queryset = ReferralAnswer.objects.none()
    serializer_class = AnswerSerializer
    filterset_class = AnswerFilter
    ordering = "at"
    ordering_fields: ClassVar[dict[str, str]] = {"at": "at"}

    def rows(self) -> QuerySet[Any]:
        return ReferralAnswer.objects.select_related("referral__revision", "municipality")

    def get_queryset(self) -> QuerySet[Any]:
        own = caller(self.request).bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE)
        parties = Party.objects.filter(municipality__in=own).values("agreement")
        return self.rows().filter(referral__revision__agreement__in=parties)

    @extend_schema(request=AnswerInput, responses={201: AnswerSerializer})
    def create(self, request: Request) -> Response:
        """Answer for one's municipality. A wanted change opens the section's text until it is settled."""
        said = said_in(AnswerInput, request)
        party = acting(request, said.pop("agreement"), said.pop("on_behalf_of", None))
        require(request.user, "agreements.answer_referral", party)
        answer = answer_referral(party, **said, by=caller(request), on_behalf_of=party.municipality.body)
        return self.answer(answer, 201)

    @extend_schema(request=OutcomeInput, responses=AnswerSerializer)
    @action(detail=True, methods=["post"], filterset_class=None)
    def settle(self, request: Request, pk: int) -> Response:
        """Accept a wanted change, or decline it with a reason: for the municipality that sent the referral."""
        answer: ReferralAnswer = self.get_object()
        require(request.user, "agreements.settle_answer", answer.referral)
        said = said_in(OutcomeInput, request)
        sender = answer.referral.on_behalf_of.as_municipality
        party = acting(request, answer.referral.revision.agreement, said.pop("on_behalf_of", None) or sender)
        settle_answer(answer, **said, by=caller(request), on_behalf_of=party.municipality.body)
        return self.answer(answer, 200)
