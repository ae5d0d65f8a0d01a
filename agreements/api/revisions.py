"""What is agreed, for programs: a revision's facts and terms, its texts, and what is still open in it."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from agreements.api.shared import IF_MATCH, Acting, Known, acting, edit_seen, said_in
from agreements.models import (
    LONGEST_NOTICE,
    NoticeEffect,
    NoticeEnds,
    PriceKind,
    Referral,
    Revision,
    RevisionKind,
    RevisionState,
    Term,
)
from agreements.operations import (
    ALL_FACTS,
    ChangedMeanwhile,
    NewTerm,
    Placeholder,
    add_terms,
    change_facts,
    change_term,
    parts_of_revision,
    placeholders_of,
    remove_term,
)
from collab4m.access import get_visible, require
from organisations.api import DirectoryViewSet, IdField, MunicipalityRef, caller, within_reason
from organisations.models import Municipality
from programmes.api import OrientationRef, ProgrammeRef, SchoolYearText, by_code
from programmes.models import Orientation, Programme
from records.models import Part, Version

# Where a fact that nobody knows yet is "" in the table; programs read and write null for all of them.
_EMPTY_TEXT = ("notice_effect", "notice_ends", "price_kind")
MOST_TERMS = 500


class TermSerializer(serializers.ModelSerializer[Term]):
    """Who takes pupils from whom, on what, and how many in each intake. `seats` null and not `unlimited`: open."""

    home = MunicipalityRef(read_only=True)
    provider = MunicipalityRef(read_only=True)
    programme = ProgrammeRef(read_only=True)
    orientation = OrientationRef(read_only=True, allow_null=True)
    intake_from = SchoolYearText(read_only=True, allow_null=True)
    intake_to = SchoolYearText(read_only=True, allow_null=True)

    class Meta:
        model = Term
        fields = (
            "id", "home", "provider", "programme", "orientation", "intake_from", "intake_to", "seats", "unlimited",
            "price_sek",
        )  # fmt: skip
        read_only_fields = fields


class FrozenSerializer(serializers.ModelSerializer[Version]):
    """The content that boards decide on."""

    class Meta:
        model = Version
        fields = ("id", "number", "content_sha256", "frozen_at")
        read_only_fields = fields


class OpenReferralSerializer(serializers.ModelSerializer[Referral]):
    version = FrozenSerializer(read_only=True)
    municipality = MunicipalityRef(source="on_behalf_of.as_municipality", read_only=True)

    class Meta:
        model = Referral
        fields = ("id", "version", "municipality", "sent_at", "last_day")
        read_only_fields = fields


class TextRef(serializers.ModelSerializer[Part]):
    """A section's text, which is read and saved under /api/v1/parts/."""

    class Meta:
        model = Part
        fields = ("id", "key", "heading", "version")
        read_only_fields = fields


class RevisionRef(serializers.ModelSerializer[Revision]):
    """The agreement itself (`original`), or what changes it, and how far it has come."""

    class Meta:
        model = Revision
        fields = ("id", "ordinal", "kind", "title", "state", "sent_at", "signed_at")
        read_only_fields = fields


class RevisionSerializer(RevisionRef):
    """Null is what nobody has filled in yet. `edit` grows with each change of facts and terms, and is in the ETag."""

    agreement = serializers.IntegerField(source="agreement_id", read_only=True)
    applies_from = SchoolYearText(read_only=True, allow_null=True)
    sections = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="The keys of the sections that it has."
    )
    notice_effect = Known(NoticeEffect.choices, read_only=True, allow_null=True)
    notice_ends = Known(NoticeEnds.choices, read_only=True, allow_null=True)
    price_kind = Known(PriceKind.choices, read_only=True, allow_null=True)
    version = FrozenSerializer(read_only=True, allow_null=True)
    referral = serializers.SerializerMethodField(help_text="The referral that is open.")
    terms = TermSerializer(many=True, read_only=True)
    texts = serializers.SerializerMethodField()

    class Meta:
        model = Revision
        fields: tuple[str, ...] = (
            "id", "agreement", "ordinal", "kind", "title", "state", "changes", "applies_from", "sections", *ALL_FACTS,
            "edit", "version", "referral", "terms", "texts", "sent_at", "deciding_since", "signing_since", "signed_at",
            "ended_reason",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(OpenReferralSerializer(allow_null=True))
    def get_referral(self, revision: Revision) -> Any:
        if revision.state != RevisionState.REFERRAL:
            return None
        open_one = revision.referrals.filter(closed_at=None)
        referral = open_one.select_related("version", "on_behalf_of__as_municipality").first()
        return OpenReferralSerializer(referral).data if referral else None

    @extend_schema_field(TextRef(many=True))
    def get_texts(self, revision: Revision) -> Any:
        return TextRef(parts_of_revision(revision), many=True).data


class PlaceholderSerializer(serializers.Serializer[Placeholder]):
    """Something that is open, and where: in which text or term, when it is there."""

    section = serializers.CharField()
    heading = serializers.CharField()
    what = serializers.CharField()
    text = serializers.IntegerField(source="part", allow_null=True)
    term = serializers.IntegerField(allow_null=True)


class TermTerms(serializers.Serializer[Any]):
    """What of a term can be changed afterwards."""

    seats = serializers.IntegerField(min_value=0, max_value=32_767, required=False, allow_null=True)
    unlimited = serializers.BooleanField(required=False, help_text="No limit is agreed.")
    intake_from = SchoolYearText(required=False, allow_null=True)
    intake_to = SchoolYearText(required=False, allow_null=True)
    price_sek = serializers.DecimalField(
        9, 2, min_value=0, required=False, allow_null=True, help_text="Per pupil and school year."
    )


class NewTermInput(TermTerms):
    home = by_code(Municipality.objects.all(), "Code of the municipality whose pupils they are.")
    provider = by_code(Municipality.objects.all(), "Code of the municipality that takes them in.")
    programme = by_code(Programme.objects.all(), "The programme's code, such as BA.")
    orientation = IdField(
        queryset=Orientation.objects.all(), required=False, allow_null=True, help_text="Null: the whole programme."
    )


class TermInput(Acting, NewTermInput):
    pass


class TermChange(Acting, TermTerms):
    pass


class FactsInput(Acting):
    """What is left out stays as it is; null is what nobody knows yet."""

    title = serializers.CharField(max_length=150, required=False, allow_blank=True)
    applies_from = SchoolYearText(required=False, allow_null=True, help_text="The first intake that a change holds for")
    first_day = serializers.DateField(required=False, allow_null=True, validators=[within_reason])
    last_day = serializers.DateField(
        required=False, allow_null=True, validators=[within_reason], help_text="The last day that it holds."
    )
    is_open_ended = serializers.BooleanField(required=False, allow_null=True)
    notice_months = serializers.IntegerField(min_value=0, max_value=LONGEST_NOTICE, required=False, allow_null=True)
    notice_effect = serializers.ChoiceField(NoticeEffect.choices, required=False, allow_null=True)
    notice_ends = serializers.ChoiceField(NoticeEnds.choices, required=False, allow_null=True)
    price_kind = serializers.ChoiceField(PriceKind.choices, required=False, allow_null=True)
    incl_meals = serializers.BooleanField(required=False, allow_null=True)
    incl_vat = serializers.BooleanField(required=False, allow_null=True)
    independents_percent = serializers.DecimalField(4, 2, min_value=0, required=False, allow_null=True)
    annex_month = serializers.IntegerField(min_value=1, max_value=12, required=False, allow_null=True)
    annex_day = serializers.IntegerField(min_value=1, max_value=31, required=False, allow_null=True)
    follow_up_month = serializers.IntegerField(min_value=1, max_value=12, required=False, allow_null=True)
    follow_up_day = serializers.IntegerField(min_value=1, max_value=31, required=False, allow_null=True)


class RevisionMeanwhile(serializers.Serializer[Any]):
    """A rule says no. `stands` is the revision as it is now, when others have changed it since `edit`."""

    code = serializers.CharField()
    detail = serializers.CharField()
    fields = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))  # type: ignore[assignment]
    stands = RevisionSerializer(required=False)


class RevisionFilter(django_filters.FilterSet):
    agreement = django_filters.NumberFilter(label="Id of the agreement.")
    kind = django_filters.ChoiceFilter(choices=RevisionKind.choices, label="Kind of revision.")
    state = django_filters.ChoiceFilter(choices=RevisionState.choices, label="How far it has come.")


TERMS = Prefetch(
    "terms",
    Term.objects.select_related("home", "provider", "programme", "orientation").order_by(
        "programme__code", "orientation", "provider__code", "home__code", "pk"
    ),
)


class RevisionViewSet(DirectoryViewSet):
    """Agreements as they are drafted, decided and signed, and what changes them. Drafts are for the parties."""

    queryset = Revision.objects.none()
    serializer_class = RevisionRef
    filterset_class = RevisionFilter
    ordering = "ordinal"
    ordering_fields: ClassVar[dict[str, str]] = {"ordinal": "ordinal", "signed_at": "signed_at"}

    def rows(self) -> QuerySet[Any]:
        return Revision.objects.select_related("agreement", "version").prefetch_related(TERMS)

    def get_queryset(self) -> QuerySet[Any]:
        return Revision.objects.visible_to(self.request.user)

    def told(self, pk: int) -> Response:
        revision = self.rows().get(pk=pk)
        return Response(RevisionSerializer(revision).data, headers={"ETag": f'"{revision.edit}"'})

    @extend_schema(responses=RevisionSerializer)
    def retrieve(self, request: Request, pk: int) -> Response:
        """A revision with its facts, terms and texts, and its `edit` in ETag."""
        return self.told(get_visible(Revision.objects, request.user, pk=pk).pk)

    @extend_schema(
        request=FactsInput(partial=True),
        parameters=[IF_MATCH],
        responses={200: RevisionSerializer, 409: RevisionMeanwhile},
    )
    def partial_update(self, request: Request, pk: int) -> Response:
        """Fill in facts of a draft. 409 with what stands if others have changed it since the `edit` named."""
        revision = self._drafted(request, pk)
        seen = edit_seen(request, revision)
        said = said_in(FactsInput, request, partial=True)
        party = acting(request, revision.agreement, said.pop("on_behalf_of", None))
        values = {name: "" if value is None and name in _EMPTY_TEXT else value for name, value in said.items()}
        try:
            change_facts(revision, values=values, seen=seen, by=caller(request), on_behalf_of=party.municipality.body)
        except ChangedMeanwhile as meanwhile:
            return meanwhile_answer(meanwhile, revision.pk)
        return self.told(revision.pk)

    @extend_schema(request=TermInput, responses={201: TermSerializer})
    @action(detail=True, methods=["post"], filterset_class=None)
    def terms(self, request: Request, pk: int) -> Response:
        """Add a term to a draft."""
        revision = self._drafted(request, pk)
        said = said_in(TermInput, request)
        party = acting(request, revision.agreement, said.pop("on_behalf_of", None))
        (term,) = add_terms(
            revision, terms=[NewTerm(**said)], by=caller(request), on_behalf_of=party.municipality.body
        )  # fmt: skip
        return Response(TermSerializer(term).data, status=201)

    @extend_schema(responses=PlaceholderSerializer(many=True))
    @action(detail=True, filterset_class=None, pagination_class=None)
    def placeholders(self, request: Request, pk: int) -> Response:
        """What is still open, in reading order. While there is something the revision cannot be decided on."""
        found: Any = placeholders_of(get_visible(self.rows(), request.user, pk=pk))
        return Response(PlaceholderSerializer(found, many=True).data)

    def _drafted(self, request: Request, pk: int) -> Revision:
        revision: Revision = get_visible(Revision.objects.select_related("agreement"), request.user, pk=pk)
        require(request.user, "agreements.draft", revision.agreement)
        return revision


class TermViewSet(GenericViewSet[Term]):
    """Terms of drafts, one by one."""

    queryset = Term.objects.none()
    serializer_class = TermSerializer
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[Term]:
        seen = Revision.objects.visible_to(self.request.user).values("pk")
        rows = Term.objects.select_related("revision__agreement", "home", "provider", "programme", "orientation")
        return rows.filter(revision__in=seen)

    @extend_schema(responses=TermSerializer)
    def retrieve(self, request: Request, pk: int) -> Response:
        """A term, with its revision's `edit` in ETag."""
        return self._answer(self.get_object())

    @extend_schema(
        request=TermChange(partial=True),
        parameters=[IF_MATCH],
        responses={200: TermSerializer, 409: RevisionMeanwhile},
    )
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change seats, limit, intakes or price. 409 with the revision if others have changed it since `edit`."""
        term = self._drafted(request)
        seen = edit_seen(request, term.revision)
        values = said_in(TermChange, request, partial=True)
        party = acting(request, term.revision.agreement, values.pop("on_behalf_of", None))
        try:
            change_term(term, values=values, seen=seen, by=caller(request), on_behalf_of=party.municipality.body)
        except ChangedMeanwhile as meanwhile:
            return meanwhile_answer(meanwhile, term.revision_id)
        return self._answer(self.get_object())

    @extend_schema(parameters=[Acting], responses={204: None})
    def destroy(self, request: Request, pk: int) -> Response:
        """Take a term out of a draft."""
        term = self._drafted(request)
        asked = Acting(data=request.query_params)
        asked.is_valid(raise_exception=True)
        party = acting(request, term.revision.agreement, asked.validated_data.get("on_behalf_of"))
        remove_term(term, by=caller(request), on_behalf_of=party.municipality.body)
        return Response(status=204)

    def _drafted(self, request: Request) -> Term:
        term = self.get_object()
        require(request.user, "agreements.draft", term.revision.agreement)
        return term

    def _answer(self, term: Term) -> Response:
        return Response(TermSerializer(term).data, headers={"ETag": f'"{term.revision.edit}"'})


def meanwhile_answer(meanwhile: ChangedMeanwhile, revision: int) -> Response:
    """What others wrote, with the refusal."""
    stands = Revision.objects.select_related("agreement", "version").prefetch_related(TERMS).get(pk=revision)
    error = {"code": meanwhile.code, "detail": str(meanwhile), "fields": {}}
    answer = Response({**error, "stands": RevisionSerializer(stands).data}, status=409)
    answer.headers["ETag"] = f'"{stands.edit}"'
    return answer
