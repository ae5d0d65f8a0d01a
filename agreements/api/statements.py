"""Statements of compensation for programs: making them, choosing prices, disputes and the lock."""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from agreements.models import Dispute, PriceKind, Statement, StatementLine, StatementState
from agreements.operations import (
    Candidate,
    GroupSum,
    NotYourStatement,
    choose_price,
    lock_statement,
    make_statement,
    raise_dispute,
    review_of,
    seen_of_statement,
    settle_dispute,
    sums_of,
)
from collab4m.access import get_permitted, require
from organisations.api import DirectoryViewSet, MunicipalityRef, caller
from organisations.models import Municipality, SemesterKind
from organisations.operations import acting_body
from programmes.api import SchoolYearFilter, SchoolYearText


class DisputeSerializer(serializers.ModelSerializer[Dispute]):
    raised_by = MunicipalityRef(read_only=True)

    class Meta:
        model = Dispute
        fields = ("id", "raised_by", "text", "at", "settlement", "settled_at")
        read_only_fields = fields


class CandidateSerializer(serializers.Serializer[Candidate]):
    """A price that may be chosen for the line."""

    key = serializers.CharField(read_only=True)
    price_sek = serializers.DecimalField(9, 2, read_only=True)
    kind = serializers.ChoiceField(PriceKind.choices, read_only=True)
    incl_meals = serializers.BooleanField(read_only=True, allow_null=True)
    incl_vat = serializers.BooleanField(read_only=True, allow_null=True)
    what = serializers.CharField(source="__str__", read_only=True)


class StatementLineSerializer(serializers.ModelSerializer[StatementLine]):
    """Pupils of `home` on a programme with `provider`. `amount_sek` is null while no price is known."""

    home = MunicipalityRef(read_only=True)
    provider = MunicipalityRef(read_only=True)
    programme = serializers.CharField(source="programme.code", read_only=True)
    agreement = serializers.SerializerMethodField(help_text="Number of the agreement that decides, if there is one.")
    price_list = serializers.SerializerMethodField(help_text="Id of the edition that the price is from.")
    price_kind = serializers.CharField(read_only=True, help_text="Empty while no price is known.")
    disputes = DisputeSerializer(many=True, read_only=True)

    class Meta:
        model = StatementLine
        fields = (
            "id", "home", "provider", "programme", "pupils", "flow_source", "basis", "agreement", "revision",
            "price_list", "price_row", "price_kind", "incl_meals", "incl_vat", "price_sek", "amount_sek", "chosen_why",
            "disputes", "example",
        )  # fmt: skip
        read_only_fields = fields

    def get_agreement(self, line: StatementLine) -> str | None:
        return line.revision.agreement.number if line.revision else None

    def get_price_list(self, line: StatementLine) -> int | None:
        return line.price_row.price_list_id if line.price_row else None


class GroupSumSerializer(serializers.Serializer[GroupSum]):
    """Sums of prices of one kind. Sums of different kinds are not to be added. Above 0 the first owes the second."""

    kind = serializers.ChoiceField(PriceKind.choices, source="group.kind", read_only=True)
    incl_meals = serializers.BooleanField(source="group.incl_meals", read_only=True, allow_null=True)
    incl_vat = serializers.BooleanField(source="group.incl_vat", read_only=True, allow_null=True)
    first_owes_sek = serializers.DecimalField(14, 2, read_only=True)
    second_owes_sek = serializers.DecimalField(14, 2, read_only=True)
    net_sek = serializers.DecimalField(14, 2, read_only=True)


class StatementSerializer(serializers.ModelSerializer[Statement]):
    """`first` is the municipality with the lower code. `content_sha256` is there once it is locked."""

    first = MunicipalityRef(read_only=True)
    second = MunicipalityRef(read_only=True)
    school_year = SchoolYearText(read_only=True)
    content_sha256 = serializers.SerializerMethodField()

    class Meta:
        model = Statement
        fields = (
            "id", "first", "second", "school_year", "semester", "number", "state", "made_at", "locked_at",
            "content_sha256",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field({"type": "string", "nullable": True})
    def get_content_sha256(self, statement: Statement) -> str | None:
        return statement.version.content_sha256 if statement.version else None


class WholeStatementSerializer(StatementSerializer):
    lines = StatementLineSerializer(many=True, read_only=True)
    sums = serializers.SerializerMethodField()
    seen = serializers.SerializerMethodField(help_text="Send it back with `lock`, so that you lock what you have read.")

    class Meta(StatementSerializer.Meta):
        fields = (*StatementSerializer.Meta.fields, "lines", "sums", "seen")  # type: ignore[assignment]

    @extend_schema_field(GroupSumSerializer(many=True))
    def get_sums(self, statement: Statement) -> Any:
        sums: Any = sums_of(statement, statement.lines.all())
        return GroupSumSerializer(sums, many=True).data

    def get_seen(self, statement: Statement) -> str:
        return seen_of_statement(statement.lines.all())


class StatementInput(serializers.Serializer[Any]):
    municipalities = serializers.ListField(
        child=serializers.SlugRelatedField(slug_field="code", queryset=Municipality.objects.all()),
        min_length=2,
        max_length=2,
        help_text="Codes of the two municipalities.",
    )
    school_year = SchoolYearText()
    semester = serializers.ChoiceField(SemesterKind.choices)


class ChoiceInput(serializers.Serializer[Any]):
    line = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    choice = serializers.CharField(max_length=30, help_text="A `key` from `candidates`.")
    why = serializers.CharField(max_length=300)


class DisputeInput(serializers.Serializer[Any]):
    line = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    text = serializers.CharField(max_length=2000)


class SettlementInput(serializers.Serializer[Any]):
    dispute = serializers.IntegerField(min_value=1, max_value=2**31 - 1)
    text = serializers.CharField(max_length=2000)


class LockInput(serializers.Serializer[Any]):
    seen = serializers.CharField(max_length=16, required=False, allow_blank=True)


class StatementFilter(django_filters.FilterSet):
    school_year = SchoolYearFilter(label="School year, such as 2022/23.")
    semester = django_filters.ChoiceFilter(choices=SemesterKind.choices, label="Semester.")
    state = django_filters.ChoiceFilter(choices=StatementState.choices, label="State.")


def _said(form: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    given = form(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


class StatementViewSet(DirectoryViewSet):
    """What two municipalities owe each other for a semester, for the two of them. One alone comes with its lines."""

    queryset = Statement.objects.none()
    serializer_class = StatementSerializer
    filterset_class = StatementFilter
    ordering = "-school_year"
    ordering_fields: ClassVar[dict[str, str]] = {"school_year": "school_year", "made_at": "made_at"}

    def rows(self) -> QuerySet[Any]:
        return Statement.objects.select_related("first", "second", "version")

    @extend_schema(responses=WholeStatementSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """A statement with its lines, and the sums of each kind of price."""
        return Response(self._whole(self.get_object().pk))

    @extend_schema(request=StatementInput, responses={201: WholeStatementSerializer})
    def create(self, request: Request) -> Response:
        """Make the statement of a pair, or make the draft anew. After a lock it is a correction: a new edition."""
        require(request.user, "agreements.make_statements")
        said, by = _said(StatementInput, request), caller(request)
        one, other = said["municipalities"]
        body = acting_body(by, Statement(first=one, second=other))
        if body is None or one == other:
            raise NotYourStatement
        made = make_statement(one, other, said["school_year"], said["semester"], by=by, on_behalf_of=body)
        return Response(self._whole(made.pk), status=201)

    @extend_schema(responses=CandidateSerializer(many=True), filters=False)
    @action(detail=True, pagination_class=None, url_path="lines/<int:line>/candidates")
    def candidates(self, request: Request, pk: int, line: int) -> Response:
        """The prices that may be chosen for a line of a draft."""
        statement = self._permitted(request, pk)
        review = review_of(statement)
        found = next((one for one in review.lines if one.pk == line), None)
        if found is None:
            raise NotFound
        candidates: Any = review.candidates(found)
        return Response(CandidateSerializer(candidates, many=True).data)

    @extend_schema(request=ChoiceInput, responses=WholeStatementSerializer)
    @action(detail=True, methods=["post"], url_path="choose-price")
    def choose_price(self, request: Request, pk: int) -> Response:
        """Give a line one of the prices that may be chosen for it, and say why."""
        statement, said = self._permitted(request, pk), _said(ChoiceInput, request)
        line = self._line(statement, said["line"])
        choose_price(line, said["choice"], why=said["why"], **self._acting(request, statement))
        return Response(self._whole(statement.pk))

    @extend_schema(request=DisputeInput, responses=WholeStatementSerializer)
    @action(detail=True, methods=["post"])
    def dispute(self, request: Request, pk: int) -> Response:
        """Say that you do not accept a line, and why."""
        statement, said = self._permitted(request, pk), _said(DisputeInput, request)
        raise_dispute(self._line(statement, said["line"]), text=said["text"], **self._acting(request, statement))
        return Response(self._whole(statement.pk))

    @extend_schema(request=SettlementInput, responses=WholeStatementSerializer)
    @action(detail=True, methods=["post"])
    def settle(self, request: Request, pk: int) -> Response:
        """Write how a dispute was settled."""
        statement, said = self._permitted(request, pk), _said(SettlementInput, request)
        found = Dispute.objects.select_related("line").filter(line__statement=statement, pk=said["dispute"]).first()
        if found is None:
            raise NotFound
        settle_dispute(found, text=said["text"], **self._acting(request, statement))
        return Response(self._whole(statement.pk))

    @extend_schema(request=LockInput, responses=WholeStatementSerializer)
    @action(detail=True, methods=["post"])
    def lock(self, request: Request, pk: int) -> Response:
        """Freeze the statement and have its files made. 409 while a line has no price or is disputed."""
        statement, said = self._permitted(request, pk), _said(LockInput, request)
        lock_statement(statement, seen=said.get("seen", ""), **self._acting(request, statement))
        return Response(self._whole(statement.pk))

    def _permitted(self, request: Request, pk: int) -> Statement:
        found: Statement = get_permitted(self.rows(), request.user, "agreements.work_on_statement", pk=pk)
        return found

    def _acting(self, request: Request, statement: Statement) -> dict[str, Any]:
        by = caller(request)
        return {"by": by, "on_behalf_of": acting_body(by, statement)}

    def _line(self, statement: Statement, pk: int) -> StatementLine:
        found = statement.lines.select_related("home", "provider", "programme").filter(pk=pk).first()
        if found is None:
            raise NotFound
        return found

    def _whole(self, pk: int) -> Any:
        lines = StatementLine.objects.select_related(
            "home", "provider", "programme", "revision__agreement", "price_row"
        ).prefetch_related(Prefetch("disputes", Dispute.objects.select_related("raised_by").order_by("at", "pk")))
        found = (
            self.rows().prefetch_related(Prefetch("lines", lines.order_by("home", "programme__code", "pk"))).get(pk=pk)
        )
        return WholeStatementSerializer(found).data
