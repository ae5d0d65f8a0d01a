"""Agreements for programs: the register, beginning one, and moving it from draft to decision."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, ClassVar

import django_filters
from django.db import transaction
from django.db.models import Case, Exists, F, OuterRef, Prefetch, QuerySet, Subquery, Value, When
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from agreements.api.revisions import (
    MOST_TERMS,
    TERMS,
    NewTermInput,
    RevisionRef,
    RevisionSerializer,
)
from agreements.api.shared import Acting, AgreementId, MunicipalityName, Reason, acting, is_of_a_party, said_in
from agreements.models import Agreement, AgreementKind, Party, Revision, RevisionKind, RevisionState, Standing, Term
from agreements.operations import (
    NewTerm,
    Phase,
    Validity,
    change_agreement,
    change_parties,
    send_on_referral,
    send_to_decision,
    set_signing_order,
    start_agreement,
    start_revision,
    take_back,
    validities_of,
    wait_of,
    withdraw_revision,
)
from agreements.operations.register import in_phase, with_validity
from collab4m.access import get_visible, require
from collab4m.clock import today
from organisations.api import DirectoryViewSet, MunicipalityRef, caller, within_reason
from organisations.models import CollaborationArea, Municipality
from programmes.api import SchoolYearText, by_code

MOST_PARTIES = 30


class PartySerializer(serializers.ModelSerializer[Party]):
    """A municipality that is a party, which board decides there, and under which number it has the case."""

    municipality = MunicipalityRef(read_only=True)
    board = serializers.CharField(source="board.name", read_only=True, allow_null=True, default=None)

    class Meta:
        model = Party
        fields = ("municipality", "signing_order", "board", "case_number")
        read_only_fields = fields


class PartyLeftSerializer(serializers.Serializer[Any]):
    municipality = serializers.IntegerField(help_text="Id of the municipality.")
    last_day = serializers.DateField()


class ValiditySerializer(serializers.Serializer[Validity]):
    """From which day to which it holds, both inclusive. `left`: parties that gave notice for themselves alone."""

    phase = serializers.SerializerMethodField(help_text="Where it is in its time today.")
    first_day = serializers.DateField(allow_null=True, help_text="Null: it is not signed.")
    last_day = serializers.DateField(allow_null=True, help_text="Null: no end is set.")
    agreed_last_day = serializers.DateField(allow_null=True, help_text="What the parties agreed on.")
    ended_by = serializers.ChoiceField(
        choices=["", "notice", "replaced"], help_text="What else than the agreed end sets the last day."
    )
    left = serializers.SerializerMethodField()

    @extend_schema_field(serializers.ChoiceField(Phase.choices))
    def get_phase(self, validity: Validity) -> str:
        return validity.phase(today()).value

    @extend_schema_field(PartyLeftSerializer(many=True))
    def get_left(self, validity: Validity) -> list[Any]:
        return [
            dict(PartyLeftSerializer({"municipality": pk, "last_day": day}).data) for pk, day in validity.left.items()
        ]


class WaitSerializer(serializers.Serializer[Any]):
    """Who has something to do, what, and since when."""

    what = serializers.ChoiceField(choices=["draft", "answer", "decision", "signature"])
    parties = PartySerializer(many=True)
    since = serializers.DateTimeField(allow_null=True)
    last_day = serializers.DateField(allow_null=True)


class AgreementSerializer(serializers.ModelSerializer[Agreement]):
    """A cooperation agreement between municipalities. `state` is of what is under way, else of what was signed last."""

    area = serializers.CharField(source="area.slug", read_only=True)
    number = serializers.CharField(read_only=True)
    parties = PartySerializer(many=True, read_only=True)
    started_by = serializers.CharField(source="started_by.name", read_only=True)
    state = serializers.SerializerMethodField()
    validity = serializers.SerializerMethodField()

    class Meta:
        model = Agreement
        fields: tuple[str, ...] = (
            "id", "number", "area", "title", "kind", "standing", "parties", "replaces", "started_by", "started_at",
            "state", "validity", "example",
        )  # fmt: skip
        read_only_fields = fields

    def _current(self, agreement: Agreement) -> Revision:
        revision: Revision = self.context["current"][agreement.pk]
        return revision

    @extend_schema_field(serializers.ChoiceField(RevisionState.choices))
    def get_state(self, agreement: Agreement) -> str:
        return self._current(agreement).state

    @extend_schema_field(ValiditySerializer)
    def get_validity(self, agreement: Agreement) -> Any:
        return ValiditySerializer(self.context["validities"][agreement.pk]).data


class AgreementDetail(AgreementSerializer):
    """The agreement with what is under way or was signed last, as far as the caller may see."""

    gap_home = MunicipalityRef(read_only=True, allow_null=True, help_text="Whose gaps it began from.")
    gap_year = SchoolYearText(read_only=True, allow_null=True)
    secrecy_note = serializers.SerializerMethodField(help_text="Null for others than the parties.")
    revision = serializers.SerializerMethodField()
    revisions = serializers.SerializerMethodField(help_text="All that the caller may see, in their order.")
    waits_for = serializers.SerializerMethodField(help_text="Null when nobody has anything to do.")

    class Meta(AgreementSerializer.Meta):
        fields = (
            *AgreementSerializer.Meta.fields, "gap_home", "gap_year", "secrecy_note", "revision", "revisions",
            "waits_for",
        )  # fmt: skip
        read_only_fields = fields

    def get_secrecy_note(self, agreement: Agreement) -> str | None:
        return agreement.secrecy_note if is_of_a_party(self.context["request"], agreement) else None

    @extend_schema_field(RevisionSerializer)
    def get_revision(self, agreement: Agreement) -> Any:
        return RevisionSerializer(self._current(agreement)).data

    @extend_schema_field(RevisionRef(many=True))
    def get_revisions(self, agreement: Agreement) -> Any:
        seen = Revision.objects.visible_to(self.context["request"].user).filter(agreement=agreement)
        return RevisionRef(seen.order_by("ordinal"), many=True).data

    @extend_schema_field(WaitSerializer(allow_null=True))
    def get_waits_for(self, agreement: Agreement) -> Any:
        wait = wait_of(self._current(agreement))
        return WaitSerializer(wait).data if wait.what else None


# What goes in


class AgreementFacts(Acting):
    title = serializers.CharField(max_length=150)
    kind = serializers.ChoiceField(AgreementKind.choices, required=False)
    standing = serializers.ChoiceField(Standing.choices, required=False)
    replaces = AgreementId(required=False, allow_null=True, help_text="The agreement that this one replaces.")


class AgreementInput(AgreementFacts):
    area = serializers.SlugRelatedField(
        slug_field="slug", queryset=CollaborationArea.objects.all(), help_text="Short name of the area."
    )
    parties = serializers.ListField(
        child=by_code(Municipality.objects.all(), "The municipality code."),
        max_length=MOST_PARTIES,
        help_text="The codes of the municipalities, your own among them.",
    )
    terms = NewTermInput(many=True, required=False, max_length=MOST_TERMS)  # type: ignore[call-arg]  # of the list
    gap_year = SchoolYearText(
        required=False, allow_null=True, help_text="It begins from what is missing in your municipality that year."
    )


class SigningPlace(serializers.Serializer[Any]):
    municipality = MunicipalityName()
    place = serializers.IntegerField(min_value=1, max_value=MOST_PARTIES)


class AgreementChange(AgreementFacts):
    """What is left out stays as it is. When it is decided on, only the note on secrecy can be changed."""

    secrecy_note = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    parties = serializers.ListField(
        child=by_code(Municipality.objects.all(), "The municipality code."), required=False, max_length=MOST_PARTIES
    )
    signing_order = SigningPlace(
        many=True,
        required=False,
        max_length=MOST_PARTIES,
        help_text="Lower places sign first.",  # type: ignore[call-arg]
    )


class ReferralInput(Acting):
    last_day = serializers.DateField(validators=[within_reason], help_text="The last day to answer.")


class NewRevision(Acting):
    kind = serializers.ChoiceField([choice for choice in RevisionKind.choices if choice[0] != RevisionKind.ORIGINAL])
    title = serializers.CharField(max_length=150, required=False, allow_blank=True)
    sections = serializers.ListField(
        child=serializers.CharField(max_length=40),
        required=False,
        max_length=100,
        help_text="The keys of the sections that it changes.",
    )
    applies_from = SchoolYearText(required=False, allow_null=True, help_text="The first intake that it holds for.")


# Filters


def current_of(user: Any) -> QuerySet[Revision]:
    """The revision that an agreement, as OuterRef("pk"), stands with: under way, else signed last, else the last."""
    seen = Revision.objects.visible_to(user).filter(agreement=OuterRef("pk"))
    rank = Case(
        When(state__in=RevisionState.under_way(), then=Value(0)),
        When(state=RevisionState.SIGNED, then=Value(1)),
        default=Value(2),
    )
    return seen.annotate(rank=rank).order_by("rank", F("signed_at").desc(nulls_last=True), "-ordinal")


class AgreementFilter(django_filters.FilterSet):
    area = django_filters.CharFilter(field_name="area__slug", label="Short name of the area.")
    party = django_filters.CharFilter(method="with_party", label="Code of a municipality that is a party.")
    programme = django_filters.CharFilter(method="about", label="Code of a programme that its terms name.")
    phase = django_filters.ChoiceFilter(method="in_phase", choices=Phase.choices, label="Where it is in its time.")
    standing = django_filters.ChoiceFilter(choices=Standing.choices, label="Standing.")
    kind = django_filters.ChoiceFilter(choices=AgreementKind.choices, label="What it is about.")
    state = django_filters.ChoiceFilter(
        method="in_state", choices=RevisionState.choices, label="How far what is under way has come."
    )

    def with_party(self, queryset: QuerySet[Any], _name: str, code: str) -> QuerySet[Any]:
        return queryset.filter(Exists(Party.objects.filter(agreement=OuterRef("pk"), municipality__code=code)))

    def about(self, queryset: QuerySet[Any], _name: str, code: str) -> QuerySet[Any]:
        seen = Revision.objects.visible_to(self.request.user)
        terms = Term.objects.filter(revision__in=seen.values("pk"), programme__code=code)
        return queryset.filter(Exists(terms.filter(revision__agreement=OuterRef("pk"))))

    def in_phase(self, queryset: QuerySet[Any], _name: str, phase: str) -> QuerySet[Any]:
        found = in_phase(with_validity(Agreement.objects.all()), Phase(phase), today())
        return queryset.filter(pk__in=found.values("pk"))

    def in_state(self, queryset: QuerySet[Any], _name: str, state: str) -> QuerySet[Any]:
        current = current_of(self.request.user).values("pk")[:1]
        standing = Revision.objects.filter(pk=OuterRef("current"), state=state)
        return queryset.annotate(current=Subquery(current)).filter(Exists(standing))


class AgreementViewSet(DirectoryViewSet):
    """Agreements: one's own from the draft on, and the signed ones of one's area."""

    queryset = Agreement.objects.none()
    serializer_class = AgreementSerializer
    filterset_class = AgreementFilter
    ordering = "-number"
    ordering_fields: ClassVar[dict[str, str]] = {"number": "started_at", "title": "title"}

    def rows(self) -> QuerySet[Any]:
        parties = Party.objects.select_related("municipality", "board").order_by("position", "pk")
        rows = Agreement.objects.select_related("area", "started_by", "gap_home")
        return rows.prefetch_related(Prefetch("parties", parties))

    @extend_schema(responses=AgreementSerializer(many=True))
    def list(self, request: Request) -> Response:
        """The agreements that the caller may see."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        told = AgreementSerializer(page, many=True, context=self._context(page or []))
        return self.get_paginated_response(told.data)

    @extend_schema(responses=AgreementDetail)
    def retrieve(self, request: Request, pk: int) -> Response:
        """An agreement with its parties, what is agreed, and what it waits for."""
        return self._told(get_visible(self.rows(), request.user, pk=pk))

    @extend_schema(request=AgreementInput, responses={201: AgreementDetail})
    def create(self, request: Request) -> Response:
        """Begin a draft. It gets its number; what is not known stays open."""
        require(request.user, "agreements.start_agreement")
        said, by = said_in(AgreementInput, request), caller(request)
        named, parties = said.pop("on_behalf_of", None), said.pop("parties")
        own = [party for party in parties if party.pk in by.bodies_where("administrator")]
        if named is None and len(own) > 1:
            raise ValidationError({"on_behalf_of": [_("Say for which of your municipalities you begin it.")]})
        body = (named or (own[0] if own else parties[0])).body
        terms = [NewTerm(**term) for term in said.pop("terms", [])]
        made = start_agreement(
            **said, municipalities=parties, terms=terms, by=by, on_behalf_of=body, example=by.example
        )  # fmt: skip
        return self.answer(made, 201)

    @extend_schema(request=AgreementChange(partial=True), responses=AgreementDetail)
    def partial_update(self, request: Request, pk: int) -> Response:
        """Change what a draft is called and is, who its parties are, and in which order they sign."""
        agreement, by = self._drafted(request, pk), caller(request)
        said = said_in(AgreementChange, request, partial=True)
        body = acting(request, agreement, said.pop("on_behalf_of", None)).municipality.body
        parties, order = said.pop("parties", None), said.pop("signing_order", None)
        with transaction.atomic():
            if said:
                stands = {
                    name: getattr(agreement, name) for name in ("title", "kind", "standing", "replaces", "secrecy_note")
                }
                change_agreement(agreement, **stands | said, by=by, on_behalf_of=body)
            if parties is not None:
                change_parties(agreement, municipalities=parties, by=by, on_behalf_of=body)
            if order is not None:
                places = {one["municipality"].pk: one["place"] for one in order}
                set_signing_order(agreement, order=places, by=by, on_behalf_of=body)
        return self.answer(agreement, 200)

    @extend_schema(request=ReferralInput, responses=AgreementDetail)
    @action(detail=True, methods=["post"], filterset_class=None)
    def refer(self, request: Request, pk: int) -> Response:
        """Send what is drafted to the parties to answer. What is open goes along, marked."""
        agreement, said, body = self._move(request, pk, ReferralInput)
        send_on_referral(agreement, last_day=said["last_day"], by=caller(request), on_behalf_of=body)
        return self.answer(agreement, 200)

    @extend_schema(request=Acting, responses=AgreementDetail)
    @action(detail=True, methods=["post"], url_path="send-to-decision", filterset_class=None)
    def send_to_decision(self, request: Request, pk: int) -> Response:
        """Freeze what is under way for the boards to decide on. 409 while something is not filled in."""
        agreement, _said, body = self._move(request, pk, Acting)
        send_to_decision(agreement, by=caller(request), on_behalf_of=body)
        return self.answer(agreement, 200)

    @extend_schema(request=Reason, responses=AgreementDetail)
    @action(detail=True, methods=["post"], url_path="take-back", filterset_class=None)
    def take_back(self, request: Request, pk: int) -> Response:
        """Take what is out for referral back to draft."""
        agreement, said, body = self._move(request, pk, Reason)
        take_back(agreement, reason=said["reason"], by=caller(request), on_behalf_of=body)
        return self.answer(agreement, 200)

    @extend_schema(request=Reason, responses=AgreementDetail)
    @action(detail=True, methods=["post"], filterset_class=None)
    def withdraw(self, request: Request, pk: int) -> Response:
        """Stop what is under way, for good."""
        agreement, said, body = self._move(request, pk, Reason)
        withdraw_revision(agreement, reason=said["reason"], by=caller(request), on_behalf_of=body)
        return self.answer(agreement, 200)

    @extend_schema(request=NewRevision, responses={201: AgreementDetail})
    @action(detail=True, methods=["post"], filterset_class=None)
    def revise(self, request: Request, pk: int) -> Response:
        """Begin an annex, an amendment or a renewal of what is signed, with what now holds in its sections."""
        agreement, said, body = self._move(request, pk, NewRevision)
        start_revision(agreement, **said, by=caller(request), on_behalf_of=body)
        return self.answer(agreement, 201)

    def _drafted(self, request: Request, pk: int) -> Agreement:
        agreement: Agreement = get_visible(
            Agreement.objects.select_related("area", "replaces"), request.user, pk=pk
        )  # fmt: skip
        require(request.user, "agreements.draft", agreement)
        return agreement

    def _move(self, request: Request, pk: int, form: type[Acting]) -> tuple[Agreement, dict[str, Any], Any]:
        agreement = self._drafted(request, pk)
        said = said_in(form, request)
        body = acting(request, agreement, said.pop("on_behalf_of", None)).municipality.body
        return agreement, said, body

    def answer(self, row: Any, status: int) -> Response:
        return self._told(self.rows().get(pk=row.pk), status)

    def _told(self, agreement: Agreement, status: int = 200) -> Response:
        told = AgreementDetail(agreement, context=self._context([agreement], whole=True))
        return Response(told.data, status=status)

    def _context(self, rows: Collection[Agreement], *, whole: bool = False) -> dict[str, Any]:
        """What the answer needs beside the rows: each one's current revision and validity, in a few queries."""
        current = Agreement.objects.filter(pk__in=[row.pk for row in rows])
        pks = dict(current.values_list("pk", Subquery(current_of(self.request.user).values("pk")[:1])))
        revisions = Revision.objects.select_related("agreement", "version")
        found = (revisions.prefetch_related(TERMS) if whole else revisions).in_bulk([pk for pk in pks.values() if pk])
        return {
            "request": self.request,
            "validities": validities_of(rows),
            "current": {agreement: found[pk] for agreement, pk in pks.items() if pk},
        }
