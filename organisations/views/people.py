"""Pages about people, their roles and invitations, and a person's own page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import EmailAddress, Login
from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core import signing
from django.core.paginator import Paginator
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from collab4m.access import get_permitted, require
from collab4m.clock import today
from collab4m.errors import RuleBroken
from collab4m.forms import tried
from collab4m.swedish import matching, swedish_order
from organisations.forms.people import (
    AcceptForm,
    EndRoleForm,
    ForgetForm,
    InviteForm,
    PeopleFilter,
    PreferencesForm,
    RoleForm,
    RoleKindForm,
    TokenForm,
)
from organisations.models import ApiToken, Invitation, Municipality, Role, RoleKind, User
from organisations.operations import (
    accept_invitation,
    accept_invitation_as_new,
    account_with,
    change_preferences,
    create_token,
    end_role,
    forget_person,
    give_role,
    heirs_of,
    invitation_by,
    invite_person,
    is_last_administrator,
    is_last_role,
    left_behind,
    resend_invitation,
    revoke_token,
    visible_among,
    withdraw_invitation,
)
from organisations.views.shared import Request

PEOPLE_PER_PAGE = 50
NEW_KEY, NEW_KEY_SECONDS = "new_api_key", 600


def _posted(request: HttpRequest) -> QueryDict | None:
    """What was sent, or None for a form that is only shown; a form sent empty is still sent."""
    return request.POST if request.method == "POST" else None


# People


def people(request: Request) -> HttpResponse:
    require(request.user, "organisations.see_people")
    viewer = request.user
    municipalities = Municipality.objects.on().in_swedish_order()
    if not viewer.is_system_administrator:
        municipalities = municipalities.filter(pk__in=viewer.bodies_where(RoleKind.ADMINISTRATOR))
    form = PeopleFilter(request.GET, municipalities=municipalities)
    form.full_clean()
    roles = Role.objects.on().visible_to(viewer).select_related("body", "area").order_by("kind", "pk")
    found = _narrowed(User.objects.visible_to(viewer).filter(forgotten_at=None), roles, form.cleaned_data)
    found = found.prefetch_related(Prefetch("roles", roles, to_attr="visible_roles"))
    page = Paginator(found, PEOPLE_PER_PAGE).get_page(request.GET.get("sida"))
    invitations = Invitation.objects.unanswered().visible_to(viewer).select_related("body", "area", "by")
    return render(
        request,
        "organisations/people.html",
        {
            "form": form,
            "filtered": any(form.cleaned_data.values()),
            "page": page,
            "query": _query_without_page(request),
            "invitations": invitations.order_by("-sent_at", "-pk"),
            "homes": len(set(viewer.bodies_where(RoleKind.ADMINISTRATOR))),
        },
    )


def _narrowed(found: QuerySet[User], roles: QuerySet[Role], chosen: dict[str, Any]) -> QuerySet[User]:
    """The people chosen, best match first if there are words to match, else in Swedish order."""
    if municipality := chosen.get("kommun"):
        roles = roles.filter(Q(body=municipality.pk) | Q(body__as_school__municipality=municipality.pk))
    if kind := chosen.get("roll"):
        roles = roles.filter(kind=kind)
    if municipality or kind:
        found = found.filter(pk__in=roles.order_by().values("user"))
    if words := chosen.get("q"):
        return matching(found, words, "name", "email")
    return found.order_by(swedish_order("name"), "pk")


def _query_without_page(request: HttpRequest) -> str:
    query = request.GET.copy()
    query.pop("sida", None)
    return query.urlencode()


def person(request: Request, pk: int) -> HttpResponse:
    """A person's roles, past, present and to come, as far as one may see them."""
    someone = get_permitted(User.objects, request.user, "organisations.see_people", pk=pk)
    roles = someone.roles.visible_to(request.user).select_related("body", "area").order_by("-valid", "pk")
    addresses = {someone.email, *EmailAddress.objects.filter(user=someone).values_list("email", flat=True)}
    invitations = Invitation.objects.visible_to(request.user).filter(Q(accepted_by=someone) | Q(email__in=addresses))
    return render(
        request,
        "organisations/person.html",
        {
            "person": someone,
            "roles": [role for role in roles if role.last_day is None or role.last_day >= today()],
            "past_roles": [role for role in roles if role.last_day and role.last_day < today()],
            "invitations": invitations.select_related("body", "area", "by").order_by("-sent_at", "-pk"),
        },
    )


def person_forget(request: Request, pk: int) -> HttpResponse:
    someone = get_permitted(User.objects, request.user, "organisations.forget_person", pk=pk)
    form = ForgetForm(_posted(request), person=someone)
    if request.method == "POST" and tried(form, lambda: forget_person(someone, by=request.user)):
        messages.success(request, _("The person is removed. What they did stays in the history, without the name."))
        return redirect("people")
    return render(request, "organisations/person_forget.html", {"form": form, "person": someone})


# Roles


def role_new(request: Request, pk: int) -> HttpResponse:
    """Two steps: which role, then for whom and when. The first is in the address, so that each step is a page."""
    someone = get_permitted(User.objects, request.user, "organisations.give_role", pk=pk)
    kind = request.GET.get("roll", "")
    if kind not in RoleKind.values:
        return render(request, "organisations/role_kind.html", {"form": _first_step(request), "person": someone})
    form = RoleForm(_posted(request), kind=kind)

    def give() -> None:
        days = {"first_day": form.cleaned_data["first_day"], "last_day": form.cleaned_data["last_day"]}
        give_role(someone, **form.role(), **days, by=request.user)

    if request.method == "POST" and tried(form, give):
        messages.success(request, _("%(person)s has the role.") % {"person": someone})
        return redirect(someone)
    context = {"form": form, "person": someone, "kind": RoleKind(kind).label}
    return render(request, "organisations/role_new.html", context)


def _first_step(request: Request) -> RoleKindForm:
    """The form as it was sent, which `steg` tells also when nothing was chosen."""
    return RoleKindForm(request.GET if request.GET.keys() & {"roll", "steg"} else None)


def role_end(request: Request, pk: int) -> HttpResponse:
    """What the role leaves behind, who takes it over, and the last day."""
    roles = Role.objects.select_related("user", "body", "area")
    role = get_permitted(roles, request.user, "organisations.end_role", pk=pk)
    things, heirs = left_behind(role), heirs_of(role)
    open_to_me = visible_among(things, request.user)
    form = EndRoleForm(_posted(request), role=role, things=things, heirs=heirs, open_to_me=open_to_me)

    def end() -> None:
        end_role(role, last_day=form.cleaned_data["last_day"], hand_over=form.hand_over(), by=request.user)

    if request.method == "POST" and tried(form, end):
        messages.success(request, _("The role ends on the day you chose."))
        return redirect(role.user)
    context = {
        "form": form,
        "role": role,
        "person": role.user,
        "things": things,
        "heirs": heirs,
        "open_to_me": open_to_me,
        "keys": ApiToken.objects.filter(user=role.user).usable() if is_last_role(role) else [],
        "last_administrator": is_last_administrator(role),
        "has_ended": bool(role.last_day and role.last_day < today()),
    }
    return render(request, "organisations/role_end.html", context)


# Invitations


def invite(request: Request) -> HttpResponse:
    """Two steps, as when a role is given: which role, then to whom and for what."""
    require(request.user, "organisations.invite_person")
    kind = request.GET.get("roll", "")
    if kind not in RoleKind.values:
        return render(request, "organisations/role_kind.html", {"form": _first_step(request)})
    form = InviteForm(_posted(request), kind=kind)

    def send() -> None:
        details = {key: form.cleaned_data[key] for key in ("email", "name", "language", "last_day")}
        invite_person(**form.role(), **details, by=request.user)

    if request.method == "POST" and tried(form, send):
        messages.success(
            request, _("The invitation is on its way to %(email)s.") % {"email": form.cleaned_data["email"]}
        )
        return redirect("people")
    return render(request, "organisations/invite.html", {"form": form, "kind": RoleKind(kind).label})


@require_POST
def invitation_resend(request: Request, pk: int) -> HttpResponse:
    found = get_permitted(Invitation.objects, request.user, "organisations.invite_person", pk=pk)
    return _answered(
        request,
        lambda: resend_invitation(found, by=request.user),
        _("A new link is on its way to %(email)s. The old one no longer works.") % {"email": found.email},
    )


@require_POST
def invitation_withdraw(request: Request, pk: int) -> HttpResponse:
    found = get_permitted(Invitation.objects, request.user, "organisations.invite_person", pk=pk)
    return _answered(
        request,
        lambda: withdraw_invitation(found, by=request.user),
        _("The invitation to %(email)s is withdrawn.") % {"email": found.email},
    )


def _answered(request: Request, do: Callable[[], object], done: str) -> HttpResponse:
    try:
        do()
    except RuleBroken as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, done)
    return redirect("people")


@login_not_required
@never_cache
@sensitive_post_parameters("password")
def invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """Where the mail's link leads: a new person opens an account, one who has an account logs in and accepts."""
    if too_many := ratelimit.consume_or_429(request, action="invitation", limit_get=True):
        return too_many
    found = invitation_by(token)
    if found is None:
        return _closed(request, "unknown", 404)
    with override(_language_for(request, found)):
        return _answer_invitation(request, found)


def _language_for(request: HttpRequest, found: Invitation) -> str:
    """The invitation's language, unless the reader is known or has chosen another."""
    chosen = request.user.is_authenticated or settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    return get_language() or found.language if chosen else found.language


def _answer_invitation(request: HttpRequest, found: Invitation) -> HttpResponseBase:
    account = account_with(found.email)
    if found.accepted_at:
        return _closed(request, "accepted", 410, found)
    if found.withdrawn_at:
        return _closed(request, "withdrawn", 410, found)
    if not found.is_open():
        return _closed(request, "expired", 410, found)
    if account and not account.is_active:
        return _closed(request, "inactive", 410, found)
    if request.user.is_authenticated and account != request.user:
        return render(request, "organisations/invitation_other.html", {"invitation": found})
    if account and request.user.is_authenticated:
        return _accept(request, found, account)
    if account:
        log_in = f"{reverse('account_login')}?next={request.path}"
        return render(request, "organisations/invitation_log_in.html", {"invitation": found, "log_in": log_in})
    return _join(request, found)


def _closed(request: HttpRequest, reason: str, status: int, found: Invitation | None = None) -> HttpResponse:
    context = {"reason": reason, "invitation": found}
    return render(request, "organisations/invitation_closed.html", context, status=status)


def _accept(request: HttpRequest, found: Invitation, account: User) -> HttpResponse:
    if request.method == "POST":
        try:
            accept_invitation(found, by=account)
        except RuleBroken as broken:
            messages.error(request, str(broken))
            return redirect(request.path)
        messages.success(request, _("You have the role."))
        return redirect("start")
    return render(request, "organisations/invitation_accept.html", {"invitation": found})


def _join(request: HttpRequest, found: Invitation) -> HttpResponseBase:
    form = AcceptForm(_posted(request), invitation=found)
    joined: list[Role] = []
    if request.method == "POST" and tried(
        form, lambda: joined.append(accept_invitation_as_new(found, **form.cleaned_data))
    ):
        user = joined[0].user
        login = Login(user=user, email=user.email, redirect_url=reverse("start"))
        return perform_password_login(request, {"email": user.email}, login)
    return render(request, "organisations/invitation_new.html", {"invitation": found, "form": form})


# Oneself


def me(request: Request) -> HttpResponse:
    user = request.user
    fields = ("name", "language", "mail_rhythm", "muted_kinds")
    form = PreferencesForm(_posted(request), initial={field: getattr(user, field) for field in fields})
    if request.method == "POST" and tried(form, lambda: change_preferences(user, **form.cleaned_data, by=user)):
        with override(form.cleaned_data["language"]):
            messages.success(request, _("Your settings are saved."))
        return redirect("me")
    roles = user.roles.select_related("body", "area").order_by("-valid", "pk")
    context = {"form": form, "roles": roles, "keys": ApiToken.objects.filter(user=user).usable().count()}
    return render(request, "organisations/me.html", context)


@never_cache
def tokens(request: Request) -> HttpResponse:
    """One's own API keys. A new one is shown once, on the page that follows the form that made it."""
    form = TokenForm(_posted(request))
    made: list[tuple[ApiToken, str]] = []

    def create() -> None:
        chosen = form.cleaned_data
        made.append(
            create_token(
                request.user,
                name=chosen["name"],
                may_write=chosen["access"] == "write",
                last_day=chosen["last_day"],
                by=request.user,
            )
        )

    if request.method == "POST" and tried(form, create):
        key, secret = made[0]
        request.session[NEW_KEY] = signing.dumps([key.pk, secret], salt=NEW_KEY)
        return redirect("tokens")
    keys = ApiToken.objects.filter(user=request.user)
    context = {"form": form, "new": _new_key(request, keys), "keys": keys.order_by("-created_at", "-pk")}
    return render(request, "organisations/tokens.html", context)


def _new_key(request: Request, keys: QuerySet[ApiToken]) -> tuple[ApiToken, str] | None:
    """The key that was made just now and its secret, which is gone from the session when it has been told."""
    kept = request.session.pop(NEW_KEY, "") if request.method == "GET" else ""
    try:
        pk, secret = signing.loads(kept, salt=NEW_KEY, max_age=NEW_KEY_SECONDS)
    except signing.BadSignature:
        return None
    key = keys.filter(pk=pk).first()
    return (key, secret) if key else None


@require_POST
def token_revoke(request: Request, pk: int) -> HttpResponse:
    key = get_permitted(ApiToken.objects.filter(user=request.user), request.user, "organisations.revoke_token", pk=pk)
    revoke_token(key, by=request.user)
    messages.success(request, _("The key “%(name)s” no longer works.") % {"name": key.name})
    return redirect("tokens")
