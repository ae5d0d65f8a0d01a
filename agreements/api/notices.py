"""Notice of agreements, for programs: what would come of it, giving it, and agreeing that it is withdrawn."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from agreements.api.cover import CoverSerializer
from agreements.api.shared import Acting, AgreementId, acting, is_of_a_party, said_in
from agreements.models import Agreement, Notice, NoticeConsent, NoticeEnds, Party
from agreements.operations import agree_to_withdrawal, consequences_of_notice, give_notice
from collab4m.access import require
from collab4m.clock import today
from collab4m.school_year import SchoolYear
from organisations.api import DirectoryViewSet, MunicipalityRef, caller, within_reason
from organisations.models import Municipality
from programmes.api import SchoolYearText, by_code


class NoticeSerializer(serializers.ModelSerializer[Notice]):
    """That a party gave notice, and the last day that came of it. Reason and consents are for the parties."""

    given_by = MunicipalityRef(read_only=True)
    reason = serializers.SerializerMethodField(help_text="Null for others than the parties.")
    agreed_to_withdrawal = serializers.SerializerMethodField(
        help_text="Who agrees that it is withdrawn. Null for others than the parties."
    )

    class Meta:
        model = Notice
        fields = (
            "id", "agreement", "given_by", "given_on", "received_on", "reason", "months", "effect", "ends",
            "effective_on", "at", "agreed_to_withdrawal", "withdrawn_at",
        )  # fmt: skip
        read_only_fields = fields

    def _is_of_a_party(self, notice: Notice) -> bool:
        return is_of_a_party(self.context["request"], notice.agreement)

    def get_reason(self, notice: Notice) -> str | None:
        return notice.reason if self._is_of_a_party(notice) else None

    @extend_schema_field(MunicipalityRef(many=True, allow_null=True))
    def get_agreed_to_withdrawal(self, notice: Notice) -> Any:
        if not self._is_of_a_party(notice):
            return None
        return MunicipalityRef([consent.municipality for consent in notice.consents.all()], many=True).data


class NoticeInput(Acting):
    agreement = AgreementId()
    given_on = serializers.DateField(validators=[within_reason])
    received_on = serializers.DateField(
        validators=[within_reason], help_text="When the last of the others had it: from that day the period counts."
    )
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True)


class NoticeQuery(serializers.Serializer[Any]):
    agreement = AgreementId()
    municipality = by_code(Municipality.objects.all(), "Code of the party that would give notice.")
    received_on = serializers.DateField(
        required=False, validators=[within_reason], help_text="When the others would have it; left out: today."
    )


class ShortenedSerializer(serializers.Serializer[Any]):
    cover = CoverSerializer()
    first_intake_lost = SchoolYearText(allow_null=True)


class ConsequenceSerializer(serializers.Serializer[Any]):
    """What a notice would do: the last day of the agreement or of the party, and the cover that is lost."""

    effective_on = serializers.DateField()
    ends = serializers.ChoiceField(NoticeEnds.choices)
    shortened = ShortenedSerializer(many=True)


class NoticeFilter(django_filters.FilterSet):
    agreement = django_filters.NumberFilter(label="Id of the agreement.")
    given_by = django_filters.CharFilter(field_name="given_by__code", label="Code of the municipality that gave it.")
    withdrawn = django_filters.BooleanFilter(
        field_name="withdrawn_at", lookup_expr="isnull", exclude=True, label="Whether it is withdrawn."
    )


class NoticeViewSet(DirectoryViewSet):
    """Notice given of agreements that one may see."""

    queryset = Notice.objects.none()
    serializer_class = NoticeSerializer
    filterset_class = NoticeFilter
    ordering = "-given_on"
    ordering_fields: ClassVar[dict[str, str]] = {"given_on": "given_on", "effective_on": "effective_on"}

    def rows(self) -> QuerySet[Any]:
        consents = NoticeConsent.objects.select_related("municipality").order_by("at", "pk")
        return Notice.objects.select_related("agreement", "given_by").prefetch_related(
            Prefetch("consents", consents), Prefetch("agreement__parties", Party.objects.order_by("position", "pk"))
        )

    def get_queryset(self) -> QuerySet[Any]:
        return self.rows().filter(agreement__in=Agreement.objects.visible_to(caller(self.request)).values("pk"))

    def answer(self, row: Any, status: int) -> Response:
        fresh = self.rows().get(pk=row.pk)
        return Response(self.get_serializer(fresh).data, status=status)

    @extend_schema(request=NoticeInput, responses={201: NoticeSerializer})
    def create(self, request: Request) -> Response:
        """Give notice for one's municipality. The last day follows from the agreement's rule."""
        said = said_in(NoticeInput, request)
        party = acting(request, said.pop("agreement"), said.pop("on_behalf_of", None))
        require(request.user, "agreements.give_notice", party)
        notice = give_notice(party, **said, by=caller(request), on_behalf_of=party.municipality.body)
        return self.answer(notice, 201)

    @extend_schema(parameters=[NoticeQuery], responses=ConsequenceSerializer)
    @action(detail=False, filterset_class=None, pagination_class=None)
    def consequences(self, request: Request) -> Response:
        """What would come of notice, before anybody gives it."""
        asked = NoticeQuery(data=request.query_params, context={"request": request})
        asked.is_valid(raise_exception=True)
        chosen = asked.validated_data
        agreement, municipality = chosen["agreement"], chosen["municipality"]
        if not agreement.parties.filter(municipality=municipality).exists():
            raise serializers.ValidationError(
                {"municipality": [_("The municipality is not a party to the agreement.")]}
            )
        found = consequences_of_notice(agreement, municipality, chosen.get("received_on") or today())
        lost = [
            {"cover": cover, "first_intake_lost": None if intake is None else SchoolYear(intake)}
            for cover, intake in found.shortened
        ]
        answer = {"effective_on": found.effective_on, "ends": found.ends, "shortened": lost}
        return Response(ConsequenceSerializer(answer).data)

    @extend_schema(request=Acting, responses=NoticeSerializer)
    @action(detail=True, methods=["post"], url_path="agree-to-withdrawal", filterset_class=None)
    def agree_to_withdrawal(self, request: Request, pk: int) -> Response:
        """Agree for one's municipality that the notice is withdrawn. When all parties have, it is."""
        notice: Notice = self.get_object()
        said = said_in(Acting, request)
        party = acting(request, notice.agreement, said.get("on_behalf_of"))
        require(request.user, "agreements.give_notice", party)
        agree_to_withdrawal(notice, party, by=caller(request), on_behalf_of=party.municipality.body)
        return self.answer(notice, 200)
