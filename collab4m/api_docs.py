"""The API described: the schema for programs, and the same as a page for people."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import override
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from collab4m.api import TokenAuthentication


class Schema(SpectacularJSONAPIView):
    """OpenAPI 3.1, in English. Open to everyone, since it tells nothing about anybody."""

    permission_classes = [AllowAny]
    authentication_classes: list[Any] = []

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with override("en"):
            return super().get(request, *args, **kwargs)


class TokenScheme(OpenApiAuthenticationExtension):
    """How the schema describes an API key."""

    target_class = TokenAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API key, made on /konto/jag/nycklar/."}


ERROR_SCHEMA = {
    "type": "object",
    "description": "Every error has this form.",
    "properties": {
        "code": {"type": "string", "description": "For programs: does not change, whatever the language."},
        "detail": {"type": "string", "description": "For people: what to do, in the language of Accept-Language."},
        "fields": {
            "type": "object",
            "description": "What is wrong in which field.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
    "required": ["code", "detail", "fields"],
}
ERRORS = {
    "400": "Something in the request needs to be put right.",
    "401": "Log in, or bring an API key that works.",
    "403": "You, or the key, may not do this.",
    "404": "There is nothing here that you may see.",
    "409": "A rule says no; `code` says which.",
}


def describe_errors(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Say in the schema what every operation may answer when it does not do what was asked."""
    result["components"].setdefault("schemas", {})["Error"] = ERROR_SCHEMA
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for path in result["paths"].values():
        for method, operation in path.items():
            for code, text in ERRORS.items():
                if code == "409" and method == "get":
                    continue
                if code == "404" and method == "post" and "parameters" not in operation:
                    continue
                operation["responses"].setdefault(code, {"description": text, "content": content})
            operation["responses"]["default"] = {"description": "Any other error.", "content": content}
    return result


# The page


@dataclass(frozen=True)
class Field:
    name: str
    kind: str
    required: bool
    text: str


@dataclass(frozen=True)
class Operation:
    anchor: str
    method: str
    path: str
    text: str
    parameters: list[Field]
    body: list[Field]
    answer: list[Field]
    answers: list[tuple[str, str]]
    example: str


@login_not_required
def docs(request: HttpRequest) -> HttpResponse:
    groups: dict[str, list[Operation]] = {}
    for operation in operations():
        groups.setdefault(operation.path.split("/")[3], []).append(operation)
    return render(request, "collab4m/api_docs.html", {"groups": groups, "site_url": settings.SITE_URL})


@cache
def schema() -> dict[str, Any]:
    """The schema as it is for the running code."""
    with override("en"):
        document: dict[str, Any] = SchemaGenerator().get_schema(public=True)
    return document


def operations() -> list[Operation]:
    """Every operation of the schema, in the order of its addresses."""
    return [
        _operation(method, path, described)
        for path, methods in schema()["paths"].items()
        for method, described in methods.items()
    ]


def _operation(method: str, path: str, described: dict[str, Any]) -> Operation:
    body = _fields(_content(described.get("requestBody", {})))
    success = next(answer for code, answer in described["responses"].items() if code.startswith("2"))
    return Operation(
        anchor=described["operationId"],
        method=method.upper(),
        path=path,
        text=described.get("description", ""),
        parameters=[_parameter(parameter) for parameter in described.get("parameters", [])],
        body=body,
        answer=_fields(_content(success)),
        answers=[(code, answer.get("description", "")) for code, answer in described["responses"].items()],
        example=_example(method, path, body),
    )


def _content(part: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = part.get("content", {}).get("application/json", {}).get("schema", {})
    return found


def _resolved(node: dict[str, Any]) -> dict[str, Any]:
    """The schema itself where `node` only points to it."""
    if "$ref" in node:
        return _resolved(schema()["components"]["schemas"][node["$ref"].rpartition("/")[2]])
    choices = [part for part in node.get("allOf", node.get("oneOf", ())) if part.get("type") != "null"]
    if len(choices) == 1:
        return {**_resolved(choices[0]), **{key: value for key, value in node.items() if key not in ("allOf", "oneOf")}}
    return node


def _fields(node: dict[str, Any], prefix: str = "") -> list[Field]:
    """The fields of an object, those of objects inside it too, named as one would reach them: `results[].name`."""
    node = _resolved(node)
    if node.get("type") == "array":
        return _fields(node["items"], f"{prefix}[]")
    found = []
    for name, value in node.get("properties", {}).items():
        value = _resolved(value)
        path = f"{prefix}.{name}".lstrip(".")
        found.append(Field(path, _kind(value), name in node.get("required", ()), value.get("description", "")))
        found += _fields(value, path)
    return found


def _parameter(parameter: dict[str, Any]) -> Field:
    text = parameter.get("description", "")
    return Field(parameter["name"], _kind(parameter["schema"]), parameter.get("required", False), text)


def _kind(value: dict[str, Any]) -> str:
    """A type in a few words: "string (date) or null", "integer 1–200", "one of a, b"."""
    value = _resolved(value)
    kinds = value.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    nullable = "null" in kinds
    kind = ", ".join(kind for kind in kinds if kind != "null") or "object"
    if "enum" in value:
        kind = "one of " + ", ".join(str(choice) for choice in value["enum"] if choice is not None)
    elif value.get("format"):
        kind += f" ({value['format']})"
    elif "minimum" in value and "maximum" in value:
        kind += f" {value['minimum']}–{value['maximum']}"
    elif "maxLength" in value:
        kind += f", at most {value['maxLength']} characters"
    return kind + " or null" * nullable


def _example(method: str, path: str, body: list[Field]) -> str:
    """A command that can be pasted, with a key in `KEY`."""
    lines = [
        f'curl -H "Authorization: Bearer $KEY" {settings.SITE_URL}{path.replace("{id}", "1").replace("{slug}", "4m")}'
    ]
    if method != "get":
        sent = {field.name: "…" for field in body if field.required} or {"name": "…"}
        lines[0] = lines[0].replace("curl", f"curl -X {method.upper()}", 1)
        lines += ['-H "Content-Type: application/json"', f"-d '{json.dumps(sent, ensure_ascii=False)}'"]
    return " \\\n  ".join(lines)
