"""What the API of agreements shares: for whom one acts, documents in JSON, and which edit one began with."""

from __future__ import annotations

import base64
import binascii
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from agreements.models import Agreement, Party, Revision
from agreements.operations import NotYourParty
from organisations.api import IdField, caller
from organisations.models import Municipality, RoleKind
from records.api import VersionMissing, VersionUnknown
from records.models import Attachment
from records.operations import DocumentFile, document_file
from records.operations.questions import NotYourBody

MOST_BASE64 = -(-settings.UPLOAD_BYTES // 3) * 4  # signs for the largest file that is taken in


@extend_schema_field({"type": ["integer", "string"], "maxLength": 10})
class MunicipalityName(serializers.Field[Any, Any, Any, Any]):
    """A municipality by its code, such as "1980", or by its id."""

    default_error_messages: ClassVar[dict[str, Any]] = {
        "invalid": _("Write the municipality's code, or its id."),
        "unknown": _("There is no such municipality."),
    }

    def to_internal_value(self, data: Any) -> Municipality:
        if isinstance(data, str) and data.isascii() and data.isdecimal() and len(data) <= 10:
            found = Municipality.objects.filter(code=data).first()
        elif isinstance(data, int) and not isinstance(data, bool) and 0 < data < 2**31:
            found = Municipality.objects.filter(pk=data).first()
        else:
            self.fail("invalid")
        return found or self.fail("unknown")

    def to_representation(self, value: Municipality) -> str:
        return value.code


class Known(serializers.ChoiceField):
    """A choice; null while nobody has made it."""

    def to_representation(self, value: str) -> str | None:  # type: ignore[override]
        return super().to_representation(value) or None


class Acting(serializers.Serializer[Any]):
    """What every change may say: for which of one's own municipalities it is done."""

    on_behalf_of = MunicipalityName(
        required=False, allow_null=True, help_text="Your municipality, by code or id; may be left out if there is one."
    )


class Reason(Acting):
    reason = serializers.CharField(max_length=2000, help_text="The other parties read it.")


class AgreementId(IdField):
    """The id of an agreement that the caller may see; another one does not exist."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"queryset": Agreement.objects.none()} | kwargs)

    def get_queryset(self) -> Any:
        return Agreement.objects.visible_to(self.context["request"].user)


class DocumentInput(serializers.Serializer[Any]):
    """A PDF, PNG or JPEG file."""

    name = serializers.CharField(max_length=200)
    content = serializers.CharField(max_length=MOST_BASE64, help_text="The file's bytes in base64.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            return {**attrs, "content": base64.b64decode(attrs["content"], validate=True)}
        except (binascii.Error, ValueError):
            raise serializers.ValidationError({"content": [_("Send the file's bytes in base64.")]}) from None


class DocumentSerializer(serializers.ModelSerializer[Attachment]):
    """A document that somebody handed in; it is fetched on the pages of the agreement."""

    class Meta:
        model = Attachment
        fields = ("id", "name", "media_type", "size", "sha256")
        read_only_fields = fields


def document_in(given: dict[str, Any] | None) -> DocumentFile | None:
    """The document that a program sent. Raises DocumentRefused unless it is of a kind that is kept."""
    return document_file(given["name"], given["content"]) if given else None


def said_in(form: type[serializers.Serializer[Any]], request: Request, *, partial: bool = False) -> dict[str, Any]:
    """What the request's body says, checked. `partial`: only what is to change needs to be there."""
    given = form(data=request.data, partial=partial, context={"request": request})
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def acting(request: Request, agreement: Agreement, named: Municipality | None, *kinds: str) -> Party:
    """The party for which the caller acts, in one of these roles: the one named, or the only one they have.

    403 for those who act for no party. Raises NotYourParty for another's, NotYourBody when several are meant.
    """
    own = caller(request).bodies_where(*(kinds or (RoleKind.ADMINISTRATOR,)))
    parties = list(agreement.parties.filter(municipality__in=own).select_related("municipality", "agreement"))
    if not parties:
        raise PermissionDenied
    if named is None:
        if len(parties) > 1:
            raise NotYourBody(field="on_behalf_of")
        return parties[0]
    found = next((party for party in parties if party.municipality_id == named.pk), None)
    if found is None:
        raise NotYourParty(field="on_behalf_of")
    return found


IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, required=True, description="The `edit` that one began with."
)


def edit_seen(request: Request, revision: Revision) -> int:
    """The revision's `edit` that the request began with: 428 if it does not say, 412 if there never was one such."""
    named = request.headers.get("If-Match", "").strip()
    if not named:
        raise VersionMissing
    number = named.removeprefix("W/").strip('"')
    if not (number.isascii() and number.isdecimal() and len(number) < 10 and int(number) <= revision.edit):
        raise VersionUnknown
    return int(number)


def is_of_a_party(request: Request, agreement: Agreement) -> bool:
    """Whether the caller is an administrator or of the committee of a party. Reads what is prefetched."""
    own = caller(request).bodies_where(RoleKind.ADMINISTRATOR, RoleKind.COMMITTEE)
    return any(party.municipality_id in own for party in agreement.parties.all())
