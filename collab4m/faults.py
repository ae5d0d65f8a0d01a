"""Answers when something is refused, missing or broken: a designed page, or `{code, detail, fields}` under `/api/`."""

import logging
import re
import secrets
import sys
from typing import Any

from django.core.exceptions import BadRequest, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import REASON_NO_REFERER
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import requires_csrf_token

from collab4m.clock import now

logger = logging.getLogger(__name__)
RETRY_AFTER_SECONDS = 30
# Fields that are never shown again: the form's key, passwords, one-time codes and what a passkey says.
SECRET = re.compile(r"csrfmiddlewaretoken|(old)?password\d?|code|credential")


class UnusableCharacters(BadRequest):
    """The request holds characters that cannot be kept or shown."""

    message = gettext_lazy(
        "The text holds a control character, which can be neither saved nor shown. "
        "Go back, where your text still is, delete the odd character and send it again."
    )


class UnreadableJson(BadRequest):
    """The body calls itself JSON but cannot be read as such."""

    message = gettext_lazy("The body could not be read as JSON.")


def is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def api_error(status: int, code: str, detail: str, **headers: str) -> JsonResponse:
    """The one form of errors that programs meet."""
    return JsonResponse({"code": code, "detail": detail, "fields": {}}, status=status, headers=headers)


def plain_page(template: str, status: int, **context: Any) -> HttpResponse:
    """A page that needs neither database nor session."""
    return HttpResponse(render_to_string(template, {"status": status, **context}), status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, or 413 when it was the size: what was wrong, in words."""
    if isinstance(exception, RequestDataTooBig):
        status, code = 413, "too_large"
        detail = _("What you sent is larger than the portal accepts. Send a smaller file or a shorter text.")
    else:
        status, code = 400, "bad_request"
        detail = _("The browser sent something that the portal could not read. Go back and try again.")
        if isinstance(exception, UnusableCharacters | UnreadableJson):
            detail = str(exception)
    if is_api(request):
        return api_error(status, code, detail)
    return plain_page("400.html", status, detail=detail)


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if is_api(request):
        return api_error(403, "forbidden", _("Your role does not allow this."))
    return render(request, "403.html", status=403)


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The same answer for what does not exist and for what one may not know of."""
    if is_api(request):
        return api_error(404, "not_found", _("There is nothing here, or you do not have access to it."))
    return render(request, "404.html", status=404)


def only_for_forms(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """405, which mostly means that a form was sent just as the session ended, and log-in led back to its address."""
    if not is_api(request) and not response.content:
        response.content = render_to_string("405.html")
    return response


def broken(request: HttpRequest) -> HttpResponse:
    """503 when the database did not answer, else 500 with a number to quote; the number stands in the log too."""
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        return unavailable(request)
    number = secrets.token_hex(4).upper()
    logger.error("Fault %s: %s %s", number, request.method, request.path_info, exc_info=error)
    if is_api(request):
        detail = _("Something went wrong on our side. Quote number %(number)s.") % {"number": number}
        return api_error(500, "server_error", detail)
    return plain_page("500.html", 500, number=number, at=now())


def unavailable(request: HttpRequest) -> HttpResponse:
    """503: the database is being restarted or does not answer."""
    if is_api(request):
        detail = _("The portal's database does not answer. Try again in half a minute.")
        response: HttpResponse = api_error(503, "unavailable", detail)
    else:
        response = plain_page("503.html", 503, at=now())
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 when the form's key is missing or old, which mostly means another log-in or no cookies."""
    logger.warning("CSRF: %s %s %s", reason, request.method, request.path_info)
    if is_api(request):
        return api_error(403, "csrf_failed", _("The request lacks the key that proves it came from the portal."))
    # Elsewhere than on our own pages, somebody else chose the words.
    texts = [value for _name, value in typed(request)] if request.headers.get("Sec-Fetch-Site") == "same-origin" else []
    return plain_page("403_csrf.html", 403, no_referer=reason == REASON_NO_REFERER, texts=texts)


def typed(request: HttpRequest) -> list[list[str]]:
    """Names and values of the form that was sent, without keys and passwords."""
    return [
        [name, str(value)]
        for name, values in request.POST.lists()
        if not SECRET.fullmatch(name)
        for value in values
        if value
    ]
