"""What was typed into a form when the session had ended: kept through the log-in and given back."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from collab4m.clock import now
from collab4m.faults import is_api, typed

KEY = "kept"
KEPT_FOR = timedelta(minutes=30)  # long enough to find the password, short enough for a shared computer
MOST_CHARACTERS = 50_000  # no form of ours holds more; a stranger shall not fill the table of sessions


class AskToLogIn(LoginRequiredMiddleware):
    """Closes every page to strangers; a form that was sent without a session waits for its sender to log in."""

    def process_view(
        self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any
    ) -> HttpResponseBase | None:
        if request.method == "POST" and request.user.is_authenticated:
            waiting = request.session.get(KEY)
            if waiting and waiting["path"] == request.get_full_path():
                del request.session[KEY]  # sent now, and not to be sent again
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> HttpResponseRedirect:
        fields = [] if request.method != "POST" or is_api(request) else typed(request)
        if not fields or sum(len(value) for _name, value in fields) > MOST_CHARACTERS:
            return super().handle_no_permission(request, view_func)
        request.session[KEY] = {"path": request.get_full_path(), "fields": fields, "at": now().isoformat()}
        return redirect_to_login(reverse("kept"))


@never_cache
@require_GET
def kept(request: HttpRequest) -> HttpResponse:
    """Show what was typed, and send it after all."""
    found = request.session.get(KEY)
    if not found or datetime.fromisoformat(found["at"]) + KEPT_FOR < now():
        request.session.pop(KEY, None)
        return redirect("start")
    texts = [value for _name, value in found["fields"] if not value.isdecimal()]
    return render(request, "collab4m/kept.html", {**found, "texts": texts})
