"""The frame of the API: keys, permission, pages, order, and one form for every error."""

from __future__ import annotations

from json import JSONDecodeError
from math import ceil
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db.models import CharField, F, Model, QuerySet, TextField
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext
from rest_framework import status
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import (
    APIException,
    AuthenticationFailed,
    MethodNotAllowed,
    NotAcceptable,
    NotAuthenticated,
    NotFound,
    ParseError,
    PermissionDenied,
    Throttled,
    UnsupportedMediaType,
    ValidationError,
)
from rest_framework.filters import BaseFilterBackend
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from collab4m.clock import today
from collab4m.errors import RuleBroken
from collab4m.swedish import swedish_order

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which itself reads this module, through the settings

# Who


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <key>`: a program speaks for the person who made the key."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        scheme, _space, secret = get_authorization_header(request).partition(b" ")
        if scheme.lower() != self.keyword.lower().encode():
            return None
        keys = apps.get_model("organisations.ApiToken").objects
        token = keys.usable().with_secret(secret.strip().decode("latin-1"))
        if token is None:
            raise AuthenticationFailed(_("The API key is unknown, revoked or has expired."), "token_invalid")
        if not token.user.roles_today:
            raise AuthenticationFailed(_("The person whose API key this is has no role today."), "token_without_role")
        if token.last_used_on != today():  # one write a day, however often it is used
            keys.filter(pk=token.pk).update(last_used_on=today())
        if not request.headers.get("Accept-Language"):
            translation.activate(token.user.language)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return self.keyword


class MaySpeakToTheApi(BasePermission):
    """Whoever is logged in or brings a key; a key for reading may not write."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if not request.user.is_authenticated:
            return False
        key: Any = request.auth
        if key is not None and request.method not in SAFE_METHODS and not key.may_write:
            raise PermissionDenied(_("This API key may only read."), "token_read_only")
        return True


# Lists


class Pages(PageNumberPagination):
    """`page` and `page_size`. A number that cannot be used is an error, never another page than the one asked for."""

    page_size = 50
    max_page_size = 200
    page_size_query_param = "page_size"
    invalid_page_message = gettext_lazy("There are not that many pages.")  # type: ignore[assignment]

    def paginate_queryset(self, queryset: Any, request: Request, view: APIView | None = None) -> Any:
        page = request.query_params.get(self.page_query_param, "1")
        if not _is_number(page) or int(page) < 1:
            raise ValidationError({self.page_query_param: [_("Write a whole number, 1 or more.")]})
        return super().paginate_queryset(queryset, request, view)

    def get_page_size(self, request: Request) -> int:
        asked = request.query_params.get(self.page_size_query_param)
        if asked is None:
            return self.page_size
        if not _is_number(asked) or not 1 <= int(asked) <= self.max_page_size:
            message = _("Write a whole number from 1 to %(most)s.") % {"most": self.max_page_size}
            raise ValidationError({self.page_size_query_param: [message]})
        return int(asked)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {**super().get_paginated_response_schema(schema), "required": ["count", "next", "previous", "results"]}

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        whole = {"type": "integer", "minimum": 1}
        return [
            {"name": "page", "in": "query", "description": "Which page, from 1.", "schema": {**whole, "default": 1}},
            {
                "name": "page_size",
                "in": "query",
                "description": "How many to a page.",
                "schema": {**whole, "maximum": self.max_page_size, "default": self.page_size},
            },
        ]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 10


class SwedishOrdering(BaseFilterBackend):
    """`ordering=name` or `ordering=-name`; text is in Swedish alphabetical order.

    A viewset says what can be ordered by in `ordering_fields` (words in the address, or word -> path of the field) and
    the usual order in `ordering`. With `q` the best match comes first, unless another order is asked for.
    """

    parameter = "ordering"

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        choices, usual = self._choices(view), getattr(view, "ordering", None)
        asked = request.query_params.get(self.parameter)
        if asked is None:
            asked = usual if isinstance(usual, str) and not request.query_params.get("q") else None
        elif choices and asked not in choices:
            message = _("Choose one of: %(choices)s.") % {"choices": ", ".join(choices)}
            raise ValidationError({self.parameter: [message]})
        if asked is None or not choices:
            return queryset
        word = asked.removeprefix("-")
        fields = view.ordering_fields
        order = in_order(queryset.model, fields[word] if isinstance(fields, dict) else word)
        return queryset.order_by(order.desc() if asked.startswith("-") else order.asc(), "pk")

    def _choices(self, view: Any) -> list[str]:
        return [sign + word for word in getattr(view, "ordering_fields", ()) for sign in ("", "-")]

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        if not (choices := self._choices(view)):
            return []
        schema = {"type": "string", "enum": choices}
        if isinstance(view.ordering, str):
            schema["default"] = view.ordering
        description = "What to order by; with a minus sign the other way round."
        return [{"name": self.parameter, "in": "query", "description": description, "schema": schema}]


def in_order(model: type[Model], path: str) -> Any:
    """Order by the field at `path`: as a Swede reads if it is text."""
    *steps, last = path.split("__")
    for step in steps:
        model = model._meta.get_field(step).related_model  # type: ignore[assignment]
    is_text = isinstance(model._meta.get_field(last), CharField | TextField)
    return swedish_order(path) if is_text else F(path)


# Errors

# What the framework says of fields without having Swedish for it: named here, so that it is translated with ours.
ENGLISH_ONLY = (
    gettext_noop("A valid biginteger is required."),
    gettext_noop("Datetime value out of range."),
    gettext_noop("Ensure this field has at least {min_length} elements."),
    gettext_noop("Ensure this field has no more than {max_length} elements."),
    gettext_noop("Integer value too large to convert to float"),
    gettext_noop("Invalid input."),
    gettext_noop("Must be a valid UUID."),
    gettext_noop("Must be a valid boolean."),
    gettext_noop("Not a valid string."),
    gettext_noop("This dictionary may not be empty."),
)


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """Every error in one form: `code` for programs, `detail` for people, `fields` for what is wrong in which field."""
    if isinstance(error, RuleBroken):
        fields = {error.field: [str(error)]} if error.field else {}
        answer = {**_error(error.code, str(error), fields), **error.more}
        return Response(answer, status=status.HTTP_409_CONFLICT)
    from rest_framework.views import exception_handler

    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ValidationError):
        fields = _fields(error.detail)
        response.data = _error("invalid", _("Something in the request needs to be put right."), fields)
    elif isinstance(error, APIException):
        detail = _own_words(error, context["view"]) or str(error.detail)
        response.data = _error(str(getattr(error.detail, "code", error.default_code)), detail)
    elif response.status_code == status.HTTP_404_NOT_FOUND:
        response.data = _error("not_found", _("There is nothing here that you may see."))
    else:
        response.data = _error("permission_denied", _("You may not do this."))
    return response


def _own_words(error: APIException, view: APIView) -> str:
    """What the framework refuses by itself, as the portal says it; nothing for what somebody here has written."""
    words: dict[str, Any]
    match error:
        case ParseError():
            if isinstance(where := error.__context__, JSONDecodeError):
                words = {"line": where.lineno, "column": where.colno}
                return _("The body could not be read as JSON. Look at line %(line)s, character %(column)s.") % words
            return _("The body could not be read as JSON.")
        case MethodNotAllowed():
            words = {"allowed": ", ".join(one for one in view.allowed_methods if one != "OPTIONS")}
            return _("This address cannot be used like that. Use %(allowed)s.") % words
        case NotAcceptable():
            words = {"kinds": ", ".join(one.media_type for one in view.get_renderers())}
            return _("The answer is not to be had in the form that Accept asks for. Ask for %(kinds)s.") % words
        case UnsupportedMediaType():
            words = {"kinds": ", ".join(one.media_type for one in view.get_parsers())}
            return _("The body is of a kind that is not read here. Say in Content-Type, and send, %(kinds)s.") % words
        case Throttled():
            seconds = ceil(getattr(error, "wait", None) or 1)
            text = ngettext(
                "You have asked too often. Try again in %(seconds)s second.",
                "You have asked too often. Try again in %(seconds)s seconds.",
                seconds,
            )
            return text % {"seconds": seconds}
        case NotAuthenticated():
            return _("Log in, or send an API key in the header Authorization: Bearer <key>.")
        case NotFound() if error.detail == NotFound().detail:
            return _("There is nothing here that you may see.")
        case PermissionDenied() if error.detail == PermissionDenied().detail:
            return _("You may not do this.")
        case PermissionDenied() if str(error.detail).startswith("CSRF Failed"):
            return _("The request lacks the key that proves it came from the portal.")
    return ""


def _error(code: str, detail: str, fields: dict[str, list[str]] | None = None) -> dict[str, Any]:
    return {"code": code, "detail": detail, "fields": fields or {}}


def _fields(detail: Any, name: str = "") -> dict[str, list[str]]:
    """Messages by field; a field inside another is `outer.inner`, and what belongs to no field stands under ""."""
    if isinstance(detail, dict):
        found: dict[str, list[str]] = {}
        for key, value in detail.items():
            key = "" if key == "non_field_errors" else str(key)
            for path, texts in _fields(value, f"{name}.{key}".strip(".")).items():
                found.setdefault(path, []).extend(texts)
        return found
    if isinstance(detail, list) and any(isinstance(part, dict | list) for part in detail):
        found = {}
        for number, part in enumerate(detail):
            for path, texts in _fields(part, f"{name}.{number}".strip(".")).items():
                found.setdefault(path, []).extend(texts)
        return found
    return {name: [str(part) for part in (detail if isinstance(detail, list) else [detail])]}
