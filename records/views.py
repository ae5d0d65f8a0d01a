"""Pages for history, jobs, questions, corrections and texts written together."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Page, Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from collab4m.access import get_permitted, get_visible, require
from collab4m.errors import RuleBroken
from collab4m.forms import refuse
from records.comparisons import compared
from records.forms import (
    AcceptForm,
    CloseForm,
    CorrectionForm,
    DeclineForm,
    PartForm,
    QuestionForm,
    ReplyForm,
    SettleForm,
)
from records.histories import Line, lines_of, stretches_of
from records.models import AnswerLink, Correction, Event, Job, JobState, Part, Question, figures_of
from records.operations import (
    PartChanged,
    accept_correction,
    ask_question,
    close_question,
    decline_correction,
    propose_correction,
    reply_to_question,
    retry_job,
    save_part,
)
from records.operations.corrections import owner_of
from records.operations.questions import hashed
from records.people import Body, bodies_acted_for, bodies_named, neighbours_of, speaking_for
from records.subjects import field_label, get_subject, is_askable, is_visible, reference, subject_named
from records.values import as_text, readable
from records.work import kind_named

EVENTS_PER_PAGE = 50
THREADS_PER_PAGE = 20


def _page(request: HttpRequest, rows: QuerySet[Any], size: int) -> Page[Any]:
    return Paginator(rows, size).get_page(request.GET.get("sida"))


# History


@require_GET
def history(request: HttpRequest, app_label: str, model: str, pk: int) -> HttpResponse:
    subject = get_subject(request.user, app_label, model, pk)
    page = _page(request, Event.objects.seen_by(request.user, subject), EVENTS_PER_PAGE)
    lines = lines_of(page.object_list)
    days: list[tuple[Any, list[Line]]] = [(day, list(of_day)) for day, of_day in groupby(lines, lambda line: line.day)]
    return render(request, "records/history.html", {"subject": subject, "page": page, "days": days})


# Jobs


def _label(job: Job) -> str:
    kind = kind_named(job.kind)
    return str(kind.label) if kind else job.kind


@require_GET
def jobs(request: HttpRequest) -> HttpResponse:
    page = _page(
        request,
        Job.objects.visible_to(request.user).select_related("by").order_by("-created_at", "-pk"),
        THREADS_PER_PAGE,
    )
    return render(
        request, "records/jobs.html", {"page": page, "rows": [(job, _label(job)) for job in page.object_list]}
    )


@require_GET
@never_cache
def job(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_visible(Job.objects.select_related("by", "on_behalf_of"), request.user, pk=pk)
    unfinished = row.state in (JobState.QUEUED, JobState.RUNNING)
    return render(request, "records/job.html", {"job": row, "label": _label(row), "unfinished": unfinished})


@require_POST
def job_retry(request: HttpRequest, pk: int) -> HttpResponse:
    failed = get_visible(Job.objects, request.user, pk=pk)
    try:
        again = retry_job(failed, by=request.user)
    except RuleBroken as broken:
        messages.error(request, str(broken))
        return redirect(failed)
    return redirect(again)


# Questions


@require_GET
def questions(request: HttpRequest) -> HttpResponse:
    visible = Question.objects.visible_to(request.user).select_related("from_body", "to_body")
    waiting = visible.waiting_for(request.user).order_by("asked_at", "pk")
    open_ones = visible.open().exclude(pk__in=waiting.values("pk")).order_by("-asked_at", "-pk")
    context = {
        "waiting": list(waiting),
        "open": list(open_ones),
        "closed": _page(request, visible.exclude(closed_at=None).order_by("-closed_at", "-pk"), THREADS_PER_PAGE),
    }
    return render(request, "records/questions.html", context)


def question_new(request: HttpRequest) -> HttpResponse:
    subject = subject_named(request.user, request.GET.get("om", ""))
    if not is_askable(subject):
        raise Http404
    require(request.user, "records.ask_question")
    bodies = bodies_acted_for(request.user)
    neighbours = neighbours_of(request.user)
    if len(bodies) == 1:
        neighbours = [body for body in neighbours if body.pk != bodies[0].pk]
    known = {body.pk for body in neighbours}
    owners = subject.owners() if hasattr(subject, "owners") else []
    owner = next((owner.pk for owner in owners if owner.pk in known), None)
    form = QuestionForm(request.POST or None, bodies=bodies, neighbours=neighbours, initial={"to_body": owner})
    if request.method == "POST" and form.is_valid():
        try:
            asked = ask_question(
                subject,
                to_body=form.to,
                title=form.cleaned_data["title"],
                text=form.cleaned_data["text"],
                by=request.user,
                on_behalf_of=form.body,
            )
        except RuleBroken as broken:
            refuse(form, broken)
        else:
            messages.success(request, _("The question is sent to %(body)s.") % {"body": asked.to_body})
            return redirect(asked)
    return render(request, "records/question_new.html", {"subject": subject, "form": form, "neighbours": neighbours})


def question(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_visible(_with_bodies(Question.objects.all()), request.user, pk=pk)
    may_reply = request.user.has_perm("records.reply_to_question", row) and row.closed_at is None
    form = _reply_form(request, row) if may_reply else None
    if request.method == "POST":
        require(request.user, "records.reply_to_question", row)
        if form is None:
            messages.error(request, _("The question has been closed. Ask a new one if something remains."))
            return redirect(row)
        if form.is_valid():
            try:
                reply_to_question(row, text=form.cleaned_data["text"], by=request.user, on_behalf_of=form.body)
            except RuleBroken as broken:
                refuse(form, broken)
            else:
                messages.success(request, _("Your text is sent."))
                return redirect(row)
    return render(request, "records/question.html", {**_thread(row, request.user), "form": form})


def _with_bodies(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.select_related("from_body__as_school__provider", "to_body__as_school__provider", "by")


def _thread(row: Question, user: Any) -> dict[str, Any]:
    subject = row.subject if row.subject is not None and is_visible(row.subject, user) else None
    closing = CloseForm(bodies=bodies_named(speaking_for(user, row.from_body)), auto_id="close_%s")
    return {
        "question": row,
        "replies": list(row.replies.select_related("by", "on_behalf_of")),
        "subject": subject,
        "closing": closing if user.has_perm("records.close_question", row) and row.closed_at is None else None,
    }


def _speakers(user: Any, row: Question) -> Iterable[Body]:
    """The bodies as which `user` may write in a thread; the side that is asked first."""
    return bodies_named(dict.fromkeys(speaking_for(user, row.to_body) + speaking_for(user, row.from_body)))


def _reply_form(request: HttpRequest, row: Question) -> ReplyForm:
    only_asks = not [pk for pk in speaking_for(request.user, row.to_body) if pk != row.from_body_id]
    label = _("Add something to your question") if only_asks else None
    return ReplyForm(request.POST or None, bodies=_speakers(request.user, row), label=label)


@require_POST
def question_close(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_permitted(_with_bodies(Question.objects.all()), request.user, "records.close_question", pk=pk)
    form = CloseForm(request.POST, bodies=bodies_named(speaking_for(request.user, row.from_body)), auto_id="close_%s")
    if not form.is_valid():
        context = {**_thread(row, request.user), "form": None, "closing": form}
        return render(request, "records/question.html", context)
    try:
        close_question(row, by=request.user, on_behalf_of=form.body)
    except RuleBroken as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, _("The question is closed."))
    return redirect(row)


@login_not_required
@never_cache
def reply_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """Answer one question through the personal link in its mail, without logging in. Reading it changes nothing."""
    if request.method == "POST" and not ratelimit.consume(request, action="answer_link"):
        return ratelimit.respond_429(request)
    link = AnswerLink.objects.usable(hashed(token))
    if link is None:
        return render(request, "records/answer_link_ended.html", status=404)
    row, person = link.question, link.user
    chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
    with override(get_language() if chosen else person.language):
        form = ReplyForm(request.POST or None, bodies=_answerers(link))
        thanks = False
        if request.method == "POST" and form.is_valid():
            try:
                reply_to_question(
                    row, text=form.cleaned_data["text"], by=person, on_behalf_of=form.body, through_mail_link=True
                )
                thanks = True
            except RuleBroken as broken:
                refuse(form, broken)
        context = {
            "question": row,
            "person": person,
            "form": None if thanks else form,
            "thanks": thanks,
            "replies": list(row.replies.select_related("by", "on_behalf_of")),
        }
        return render(request, "records/answer_link.html", context)


def _answerers(link: AnswerLink) -> Iterable[Body]:
    return bodies_named(speaking_for(link.user, link.question.to_body))


# Corrections


@require_GET
def corrections(request: HttpRequest) -> HttpResponse:
    visible = Correction.objects.visible_to(request.user).select_related("from_body", "owner", "subject_type")
    waiting = visible.waiting_for(request.user).order_by("at", "pk")
    context = {
        "waiting": list(waiting),
        "open": list(visible.waiting().exclude(pk__in=waiting.values("pk")).order_by("-at", "-pk")),
        "decided": _page(request, visible.decided().order_by("-decided_at", "-pk"), THREADS_PER_PAGE),
    }
    return render(request, "records/corrections.html", context)


def correction_new(request: HttpRequest) -> HttpResponse:
    subject = subject_named(request.user, request.GET.get("om", ""))
    require(request.user, "records.propose_correction")
    fields = figures_of(subject)
    if not fields:
        raise Http404
    field = request.GET.get("falt", fields[0] if len(fields) == 1 else "")
    model = type(subject)
    values = [
        (name, field_label(model, name), readable(model, name, as_text(getattr(subject, name)))) for name in fields
    ]
    context: dict[str, Any] = {"subject": subject, "reference": reference(subject), "values": values}
    if field not in fields:
        return render(request, "records/correction_which.html", context)
    bodies = bodies_acted_for(request.user)
    form = CorrectionForm(request.POST or None, bodies=bodies, subject=subject, field=field)
    if request.method == "POST" and form.is_valid():
        try:
            proposed = propose_correction(
                subject,
                field=field,
                proposed=form.cleaned_data["proposed"],
                reason=form.cleaned_data["reason"],
                source_note=form.cleaned_data["source_note"],
                by=request.user,
                on_behalf_of=form.body,
            )
        except RuleBroken as broken:
            refuse(form, broken)
        else:
            messages.success(request, _("The proposal is sent to %(body)s.") % {"body": proposed.owner})
            return redirect(proposed)
    context["label"], context["today"] = next((label, value) for name, label, value in values if name == field)
    context["is_stated"] = as_text(getattr(subject, field)) != ""
    context["owner"] = _owner(subject, bodies)
    proposals = Correction.objects.visible_to(request.user).about(subject).waiting().filter(field=field)
    context["waiting"] = list(proposals.select_related("from_body", "subject_type").order_by("at", "pk"))
    return render(request, "records/correction_new.html", {**context, "form": form})


def _owner(subject: Any, bodies: list[Body]) -> Body | None:
    """Who would decide on a proposal from the reader, when that does not depend on for whom they propose."""
    owners = {owner_of(subject, body) for body in bodies} if subject.owners() else set()
    return owners.pop() if len(owners) == 1 else None


@require_GET
def correction(request: HttpRequest, pk: int) -> HttpResponse:
    return _show(request, get_visible(_decidable(), request.user, pk=pk))


def _decidable() -> QuerySet[Correction]:
    return Correction.objects.select_related(
        "owner__as_school__provider", "from_body", "by", "decided_by", "subject_type"
    )


def _show(request: HttpRequest, row: Correction, accepting: Any = None, declining: Any = None) -> HttpResponse:
    subject = row.subject
    today = as_text(getattr(subject, row.field, "")) if subject is not None else ""
    context = {
        "correction": row,
        "subject": subject if subject is not None and is_visible(subject, request.user) else None,
        "today": readable(row.model, row.field, today),
        "has_changed": row.is_waiting and today != row.value_then,
        "says_so_already": row.is_waiting and today == row.proposed,
    }
    if row.is_waiting and request.user.has_perm("records.decide_correction", row):
        bodies = _deciders(request, row)
        context["accepting"] = accepting or AcceptForm(bodies=bodies, initial={"seen": today}, auto_id="accept_%s")
        context["declining"] = declining or DeclineForm(bodies=bodies, auto_id="decline_%s")
    return render(request, "records/correction.html", context)


def _deciders(request: HttpRequest, row: Correction) -> list[Body]:
    return list(bodies_named(speaking_for(request.user, row.owner)))


@require_POST
def correction_accept(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_permitted(_decidable(), request.user, "records.decide_correction", pk=pk)
    form = AcceptForm(request.POST, bodies=_deciders(request, row), auto_id="accept_%s")
    if not form.is_valid():
        return _show(request, row, accepting=form)
    try:
        accept_correction(
            row,
            by=request.user,
            on_behalf_of=form.body,
            seen=form.cleaned_data["seen"],
            verified=form.cleaned_data["verified"],
        )
    except RuleBroken as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, _("The figure is changed."))
    return redirect(row)


@require_POST
def correction_decline(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_permitted(_decidable(), request.user, "records.decide_correction", pk=pk)
    form = DeclineForm(request.POST, bodies=_deciders(request, row), auto_id="decline_%s")
    if not form.is_valid():
        return _show(request, row, declining=form)
    try:
        decline_correction(row, by=request.user, on_behalf_of=form.body, answer=form.cleaned_data["answer"])
    except RuleBroken as broken:
        messages.error(request, str(broken))
    else:
        messages.success(request, _("The figure stays as it is, and your reason is sent."))
    return redirect(row)


# Texts written together


def _parts() -> QuerySet[Part]:
    return Part.objects.select_related("last_by", "last_on_behalf_of")


@never_cache
def part(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_visible(_parts(), request.user, pk=pk)
    may_write = request.user.has_perm("records.write_part", row)
    if request.method == "POST":
        return _save(request, row) if may_write else _give_back(request, row)
    form = None
    if may_write:
        initial = {"text": row.text, "base_version": row.version}
        form = PartForm(bodies=bodies_acted_for(request.user), initial=initial)
    return render(request, "records/part.html", {"part": row, "form": form, "back": _back(request, row)})


def _back(request: HttpRequest, row: Part) -> str:
    """Where one goes on from a text: for those who write, the page for the work on its subject, if that has one."""
    subject: Any = row.subject
    writes = request.user.has_perm(subject.write_permission, subject)
    to_work = getattr(subject, "get_work_url", None) if writes else None
    return str(to_work() if to_work else subject.get_absolute_url())


def _give_back(request: HttpRequest, row: Part) -> HttpResponse:
    """Whoever wrote while the text was closed gets back what they wrote."""
    lost = request.POST.get("joined") or request.POST.get("text", "")
    context = {"part": row, "form": None, "lost": lost, "back": _back(request, row)}
    return render(request, "records/part.html", context, status=403)


def _save(request: HttpRequest, row: Part) -> HttpResponse:
    settles = "choice" in request.POST
    form_class = SettleForm if settles else PartForm
    form = form_class(request.POST, bodies=bodies_acted_for(request.user))
    if form.is_valid():
        try:
            save_part(
                row,
                text=form.standing,
                base_version=form.cleaned_data["base_version"],
                by=request.user,
                on_behalf_of=form.body,
                choice=form.chosen,
            )
        except PartChanged as changed:
            if changed.text != changed.part.text:
                return _show_conflict(request, changed.part, changed.text, form.body)
        except RuleBroken as broken:
            refuse(form, broken)
    if not form.is_valid():
        if settles:
            return _draw_conflict(request, row, form, form["text"].value() or "", status=200)
        return render(request, "records/part.html", {"part": row, "form": form, "back": _back(request, row)})
    messages.success(request, _("The text is saved."))
    return redirect(row)


def _show_conflict(request: HttpRequest, row: Part, mine: str, body: Body | None) -> HttpResponse:
    """Both texts side by side, and the three ways on."""
    initial = {
        "text": mine,
        "base_version": row.version,
        "joined": f"{mine}\n\n{row.text}",
        "on_behalf_of": body.pk if body else None,
    }
    form = SettleForm(bodies=bodies_acted_for(request.user), initial=initial)
    return _draw_conflict(request, row, form, mine, status=409)


def _draw_conflict(
    request: HttpRequest, row: Part, form: SettleForm | PartForm, mine: str, status: int
) -> HttpResponse:
    context = {"part": row, "form": form, "pieces": compared(row.text, mine), "back": _back(request, row)}
    return render(request, "records/part_conflict.html", context, status=status)


@require_GET
def part_history(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_visible(_parts(), request.user, pk=pk)
    stretches = stretches_of(row)
    page = Paginator(stretches, THREADS_PER_PAGE).get_page(request.GET.get("sida"))
    asked = request.GET.get("lydelse", "")
    shown = next((stretch for stretch in stretches if str(stretch.pk) == asked), None)
    if asked and shown is None:
        raise Http404
    shown = shown or next(iter(page.object_list), None)
    wordings = row.wordings.select_related("by", "on_behalf_of").defer("text")
    found = wordings.in_bulk([stretch.pk for stretch in page.object_list])
    context: dict[str, Any] = {
        "part": row,
        "page": page,
        "lines": [(stretch, found[stretch.pk]) for stretch in page.object_list],
        "shown": shown,
        "back": _back(request, row),
    }
    if shown:
        texts = row.wordings.filter(Q(pk=shown.pk) | Q(version=shown.before)).values_list("pk", "text")
        now_and_then = dict(texts)
        new = now_and_then.pop(shown.pk)
        context["pieces"] = compared(next(iter(now_and_then.values()), ""), new)
    return render(request, "records/part_history.html", context)
