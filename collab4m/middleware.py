"""What happens at the door: what no page can use is refused, and readers are spoken to in their language."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from collab4m.faults import UnreadableJson, UnusableCharacters, only_for_forms

Answer = Callable[[HttpRequest], HttpResponse]

# What PostgreSQL, XML and PDF cannot keep: control characters other than tab and line breaks, and halves of characters.
UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
METHOD_NOT_ALLOWED = 405
# Answered without asking who the reader is, so that they answer whatever state the database is in.
WITHOUT_READER = {"/healthz", "/readyz"}


def answer_faults(get_response: Answer) -> Answer:
    """Refuse unusable characters wherever they come in; `collab4m.faults` draws the answer, as for every fault."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info in WITHOUT_READER:
            request.COOKIES.clear()
        translation.activate(translation.get_language_from_request(request))
        if any(UNUSABLE.search(text) for text in texts_of(request)):
            raise UnusableCharacters(str(UnusableCharacters.message))
        response = get_response(request)
        return only_for_forms(request, response) if response.status_code == METHOD_NOT_ALLOWED else response

    return middleware


def texts_of(request: HttpRequest) -> Iterator[str]:
    """Every text that the request brings: address, query, form fields, names of files, JSON."""
    yield request.path_info
    yield from texts_in(dict(request.GET.lists()))
    if request.method in {"GET", "HEAD"}:
        return
    if request.content_type == "application/json":
        try:
            yield from texts_in(json.loads(request.body))
        except UnicodeDecodeError as error:
            raise UnreadableJson(str(UnreadableJson.message)) from error
        except RecursionError as error:
            raise UnreadableJson(str(UnreadableJson.message)) from error
        except ValueError:
            return  # the API says where the fault is
    elif request.method == "POST":
        yield from texts_in(dict(request.POST.lists()))
        for _field, files in request.FILES.lists():
            yield from (file.name or "" for file in files)


def texts_in(value: Any) -> Iterator[str]:
    """Every text inside lists and dictionaries, keys too. Works through a heap, so depth is no matter."""
    heap = [value]
    while heap:
        match heap.pop():
            case str() as text:
                yield text
            case dict() as pairs:
                heap += [*pairs.keys(), *pairs.values()]
            case list() as values:
                heap += values


def speak_the_readers_language(get_response: Answer) -> Answer:
    """A logged-in reader's own language; others get the cookie's or the browser's from LocaleMiddleware."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info not in WITHOUT_READER and request.user.is_authenticated:
            translation.activate(request.user.language)
            request.LANGUAGE_CODE = translation.get_language()
        return get_response(request)

    return middleware
