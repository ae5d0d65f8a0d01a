"""Pages on which a draft is begun, filled in section by section, and withdrawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from agreements.forms.drafting import (
    CHANGE,
    FACT_FORMS,
    AboutForm,
    OwnClauseForm,
    PartiesForm,
    RevisionForm,
    StandingForm,
    StartForm,
    TermForm,
    TermsForm,
    UseClauseForm,
    WithdrawForm,
)
from agreements.models import Agreement, Revision, RevisionKind, RevisionState, Term
from agreements.operations import (
    ChangedMeanwhile,
    KnownPrice,
    KnownPrices,
    NewTerm,
    Placeholder,
    add_own_clause,
    add_terms,
    change_agreement,
    change_facts,
    change_parties,
    change_term,
    clauses_for,
    consolidated,
    facts_in_words,
    intakes_in_words,
    parts_of_revision,
    placeholders_of,
    providers_of,
    remove_own_clause,
    remove_term,
    replaceable,
    start_agreement,
    start_revision,
    suggested_title,
    terms_from,
    unambiguous,
    use_clause,
    withdraw_revision,
)
from agreements.outline import ANNEX_CHANGES, BY_KEY, CHANGEABLE, PARTIES, SCOPE, heading_of, is_own
from agreements.views.shared import Request, agreement_of, own_parties
from collab4m.access import require
from collab4m.clock import today
from collab4m.errors import RuleBroken
from collab4m.forms import tried
from collab4m.school_year import SchoolYear
from organisations.models import CollaborationArea, Membership, Municipality, RoleKind
from programmes.models import year_in_address
from programmes.operations import Gap, Gaps, gaps_of
from records.models import Part
from records.operations import PartChanged

# Beginning


def new(request: Request) -> HttpResponse:
    """Begin an agreement, from gaps that the address names or from nothing."""
    require(request.user, "agreements.start_agreement")
    own = list(Municipality.objects.filter(pk__in=request.user.bodies_where(RoleKind.ADMINISTRATOR)).in_swedish_order())
    home = _home(request, own)
    areas = _areas(home) if home else {}
    if home is None or not any(len(members) > 1 for members in areas.values()):
        return render(request, "agreements/new.html", {"homes": own, "home": home})
    gaps = _gaps_named(request, home)
    chosen, gone = _chosen(request, gaps)
    form = StartForm(
        request.POST if request.method == "POST" else None,
        home=home,
        areas=areas,
        gaps=chosen,
        replaceable=replaceable(home, request.user),
        initial={
            "rows": [gap.key for gap in chosen],
            "parties": [str(pk) for pk in unambiguous(chosen, home)],
            "title": suggested_title(chosen),
        },
    )
    made: list[Agreement] = []

    def start() -> None:
        about = form.chosen()
        terms = terms_from(form.chosen_gaps(), home, about["municipalities"])
        year = gaps.year if gaps and terms else None
        made.append(start_agreement(**about, terms=terms, gap_year=year, by=request.user, on_behalf_of=home.body))

    if request.method == "POST" and tried(form, start):
        text = _("Agreement %(number)s is begun. Only administrators of the parties see it until you send it.")
        messages.success(request, text % {"number": made[0].number})
        return redirect("agreement_work", made[0].pk)
    context = {
        "form": form,
        "home": home,
        "gaps": gaps,
        "gone": gone,
        "rows": _rows(chosen, home, areas) if chosen else [],
        "back": _back_to(gaps),
    }
    return render(request, "agreements/new.html", context)


def _home(request: Request, own: list[Municipality]) -> Municipality | None:
    """The municipality whose code is in the address, else the reader's own if it can be only one."""
    if code := request.GET.get("kommun", ""):
        found = get_object_or_404(Municipality.objects.visible_to(request.user), code=code)
        if found not in own:
            raise PermissionDenied
        return found
    return own[0] if len(own) == 1 else None


def _areas(home: Municipality) -> dict[CollaborationArea, list[Municipality]]:
    """The areas that a municipality belongs to today, with their members in the agreed order."""
    mine = home.memberships.on().values("area")
    found: dict[CollaborationArea, list[Municipality]] = {}
    members = Membership.objects.on().filter(area__in=mine).select_related("area", "municipality").in_agreed_order()
    for member in members:
        found.setdefault(member.area, []).append(member.municipality)
    return found


def _gaps_named(request: Request, home: Municipality) -> Gaps | None:
    text = request.GET.get("lasar", "")
    if not text:
        return None
    try:
        year = SchoolYear.parse(text)
    except ValueError:
        raise Http404 from None
    if not 2000 <= year.starts <= 2100:
        raise Http404
    return gaps_of(home, year, reader=request.user)


def _chosen(request: Request, gaps: Gaps | None) -> tuple[list[Gap], list[str]]:
    """The gaps that the address names, and the keys of those that no neighbour offers, or that are gaps no more."""
    wanted = dict.fromkeys(request.GET.getlist("rad"))
    if gaps is None:
        return [], list(wanted)
    found = [gap for gap in gaps.rows if gap.key in wanted and providers_of(gap, gaps.municipality)]
    return found, [key for key in wanted if key not in {gap.key for gap in found}]


@dataclass(frozen=True)
class Offered:
    """A neighbour that offers what is missing: at which schools, and at what price as far as that is known."""

    municipality: Municipality
    offers: list[Any]
    price: KnownPrice | None


def _rows(
    gaps: list[Gap], home: Municipality, areas: dict[CollaborationArea, list[Municipality]]
) -> list[tuple[Gap, list[Offered]]]:
    providers = {one.pk: one for gap in gaps for one in providers_of(gap, home)}
    prices = KnownPrices([gap.programme.pk for gap in gaps], providers.values(), areas)
    return [
        (
            gap,
            [
                Offered(one, [offer for offer in gap.offers if offer.municipality == one], prices.of(gap, one))
                for one in providers_of(gap, home)
            ],
        )
        for gap in gaps
    ]


def _back_to(gaps: Gaps | None) -> str:
    if gaps is None:
        return reverse("agreements")
    return f"{reverse('gaps')}?kommun={gaps.municipality.code}&lasar={year_in_address(gaps.year)}"


# The work on a draft


@dataclass(frozen=True)
class Row:
    """A section on the page where a draft is worked on. `said` is what its facts make of it in the text."""

    key: str
    heading: str
    part: Part | None
    said: list[str]
    is_open: bool  # whether its text may be written now
    open_places: list[Placeholder]
    has_facts: bool
    is_own: bool


@require_GET
def work(request: Request, pk: int) -> HttpResponse:
    agreement = agreement_of(request, pk)
    require(request.user, "agreements.draft", agreement)
    revision = _under_way(agreement)
    if revision is None or revision.state not in (RevisionState.DRAFT, RevisionState.REFERRAL):
        return redirect(agreement)
    terms = _terms(revision)
    open_places = placeholders_of(revision, terms)
    parties = list(agreement.parties.select_related("municipality", "board"))
    context = {
        "agreement": agreement,
        "revision": revision,
        "is_draft": revision.state == RevisionState.DRAFT,
        "is_original": revision.kind == RevisionKind.ORIGINAL,
        "sections": _sections(revision, terms, open_places),
        "terms": [(term, intakes_in_words(term)) for term in terms],
        "has_prices": any(term.price_sek is not None for term in terms),
        "open_places": [(place, _address_of(agreement, place)) for place in open_places],
        "parties": parties,
        "in_order": sorted(parties, key=lambda party: party.signing_order),
        "scope": SCOPE,
        "change": CHANGE,
        "last_frozen": _last_frozen(revision),
        "gap_address": year_in_address(agreement.gap_year) if agreement.gap_year else "",
    }
    return render(request, "agreements/work.html", context)


def _under_way(agreement: Agreement) -> Revision | None:
    return agreement.revisions.under_way().select_related("agreement__area", "version").first()


def _terms(revision: Revision) -> list[Term]:
    rows = revision.terms.select_related("home", "provider", "programme", "orientation")
    order = ("programme__code", "orientation__name_sv", "provider__code", "home__code", "intake_from", "pk")
    return list(rows.order_by(*order))


def _sections(revision: Revision, terms: list[Term], open_places: list[Placeholder]) -> list[Row]:
    parts = {part.key: part for part in parts_of_revision(revision)}
    to_write = _written_now(revision)
    return [
        Row(
            key=key,
            heading=heading_of(key, parts[key].heading if key in parts else ""),
            part=parts.get(key),
            said=facts_in_words(key, revision),
            is_open=key in to_write,
            open_places=[place for place in open_places if place.section == key],
            has_facts=key in FACT_FORMS,
            is_own=is_own(key),
        )
        for key in revision.sections
    ]


def _written_now(revision: Revision) -> set[str]:
    """In which sections texts may be written: as `Revision.part_is_open` says of each. One query at most."""
    if revision.state == RevisionState.DRAFT:
        return set(revision.sections)
    wanted = revision.referrals.filter(closed_at=None, answers__kind="change_wanted", answers__outcome="")
    found = set(wanted.values_list("answers__section", flat=True))
    return set(revision.sections) if "" in found else found


def _address_of(agreement: Agreement, place: Placeholder) -> str:
    """Where what is open is filled in."""
    if place.part is not None:
        return reverse("part", args=[place.part])
    if place.term is not None:
        return reverse("term_change", args=[agreement.pk, place.term])
    if place.section == PARTIES:
        return reverse("agreement_parties", args=[agreement.pk])
    if place.section == SCOPE and not place.is_when:
        return reverse("term_new", args=[agreement.pk])
    return reverse("agreement_facts", args=[agreement.pk, CHANGE if place.is_when else place.section])


def _last_frozen(revision: Revision) -> Any:
    """The latest version of this revision that was sent anywhere; None before the first."""
    sent = revision.referrals.select_related("version").order_by("-sent_at", "-pk").first()
    found = [one for one in (sent.version if sent else None, revision.version) if one]
    return max(found, key=lambda version: version.number, default=None)


# The forms of a draft


@dataclass(frozen=True)
class Draft:
    """What is worked on, and as whom."""

    agreement: Agreement
    revision: Revision
    own: Municipality
    who: dict[str, Any]

    @property
    def address(self) -> str:
        return reverse("agreement_work", args=[self.agreement.pk])


def _draft(request: Request, pk: int) -> Draft:
    """What is under way, for a party's administrator; if nothing is, the last there was, which operations refuse."""
    agreement = agreement_of(request, pk)
    require(request.user, "agreements.draft", agreement)
    revision = _under_way(agreement) or agreement.revisions.select_related("agreement__area", "version").last()
    assert revision is not None  # an agreement begins with one
    own = own_parties(request.user, agreement)[0].municipality
    return Draft(agreement, revision, own, {"by": request.user, "on_behalf_of": own.body})


def _is_closed(request: Request, draft: Draft) -> bool:
    """Whether the form would be of no use. What somebody sends nonetheless is answered in the form, and kept there."""
    return request.method != "POST" and draft.revision.state != RevisionState.DRAFT


def _closed(request: Request, draft: Draft) -> HttpResponse:
    messages.error(request, _("Only a draft can be changed. Take it back to draft first, or begin an amendment."))
    return redirect(draft.agreement)


def _page(
    request: Request,
    draft: Draft,
    form: Any,
    template: str,
    do: Callable[[], object],
    done: str,
    anchor: str = "",
    **context: Any,
) -> HttpResponse:
    """Show the form; when it is sent, do what it says and go back to the draft."""
    if _is_closed(request, draft):
        return _closed(request, draft)
    if request.method == "POST" and tried(form, do):
        messages.success(request, done)
        return redirect(f"{draft.address}#{anchor}" if anchor else draft.address)
    context |= {"agreement": draft.agreement, "revision": draft.revision, "form": form, "back": draft.address}
    return render(request, f"agreements/{template}.html", context)


def _standing(form: StandingForm, again: Callable[[], StandingForm], do: Callable[[], object]) -> Callable[[], None]:
    """Do it unless somebody has saved since the form was shown; then the form tells what stands now.

    `again` makes the form anew from what is stored.
    """

    def attempt() -> None:
        try:
            form.require_seen()
            do()
        except ChangedMeanwhile:
            form.show_what_stands(again())
            raise

    return attempt


def about(request: Request, pk: int) -> HttpResponse:
    """Title, kind, standing, what it replaces, and the note on secrecy, which may be changed at any time."""
    draft = _draft(request, pk)
    agreement = draft.agreement
    others = replaceable(draft.own, request.user)
    form = AboutForm(request.POST if request.method == "POST" else None, agreement=agreement, replaceable=others)

    def again() -> AboutForm:
        return AboutForm(agreement=agreement_of(request, pk), replaceable=others)

    def change() -> None:
        change_agreement(agreement, **form.values(), **draft.who)

    if request.method == "POST" and tried(form, _standing(form, again, change)):
        messages.success(request, _("The changes are saved."))
        return redirect(draft.address)
    context = {"agreement": agreement, "form": form, "back": draft.address}
    return render(request, "agreements/about.html", context)


def parties(request: Request, pk: int) -> HttpResponse:
    draft = _draft(request, pk)

    def made(data: Any = None) -> PartiesForm:
        members = Membership.objects.on().filter(area=draft.agreement.area).select_related("municipality")
        there = draft.agreement.parties.select_related("municipality").order_by("position", "pk")
        return PartiesForm(
            data,
            own=draft.own,
            members=[one.municipality for one in members.in_agreed_order()],
            parties=[one.municipality for one in there],
        )

    form = made(request.POST if request.method == "POST" else None)

    def change() -> None:
        change_parties(draft.agreement, municipalities=form.municipalities(), **draft.who)

    do = _standing(form, made, change)
    return _page(request, draft, form, "parties", do, _("The parties are saved."), PARTIES, own=draft.own)


def facts(request: Request, pk: int, section: str) -> HttpResponse:
    """The facts of a section, or what a later revision is called and from when it holds."""
    draft = _draft(request, pk)
    form_class = FACT_FORMS.get(section)
    is_there = draft.revision.kind != RevisionKind.ORIGINAL if section == CHANGE else section in draft.revision.sections
    if form_class is None or not is_there:
        raise Http404
    form = form_class(request.POST if request.method == "POST" else None, revision=draft.revision)

    def again() -> StandingForm:
        return form_class(revision=Revision.objects.get(pk=draft.revision.pk))

    def change() -> None:
        change_facts(draft.revision, values=form.values(), seen=draft.revision.edit, **draft.who)

    heading = _("What is changed, and from when") if section == CHANGE else BY_KEY[section].heading
    do = _standing(form, again, change)
    return _page(request, draft, form, "facts", do, _("The changes are saved."), section, heading=heading)


# Terms


def term_new(request: Request, pk: int) -> HttpResponse:
    draft = _draft(request, pk)
    if SCOPE not in draft.revision.sections:
        raise Http404
    rows = [one.municipality for one in draft.agreement.parties.select_related("municipality")]
    data = request.POST if request.method == "POST" else None
    form = TermsForm(data, revision=draft.revision, parties=rows)

    def add() -> None:
        add_terms(draft.revision, terms=[NewTerm(**values) for values in form.terms()], **draft.who)

    return _page(request, draft, form, "term_new", add, _("The term is added."), SCOPE)


def _term(draft: Draft, term: int) -> Term:
    rows = Term.objects.select_related("revision__agreement", "home", "provider", "programme", "orientation")
    return get_object_or_404(rows, pk=term, revision=draft.revision)


def term_change(request: Request, pk: int, term: int) -> HttpResponse:
    draft = _draft(request, pk)
    found = _term(draft, term)
    form = TermForm(request.POST if request.method == "POST" else None, term=found)

    def again() -> TermForm:
        return TermForm(term=_term(draft, term))

    def change() -> None:
        change_term(found, values=form.values(), seen=draft.revision.edit, **draft.who)

    do = _standing(form, again, change)
    return _page(request, draft, form, "term_change", do, _("The term is changed."), SCOPE, term=found)


def term_remove(request: Request, pk: int, term: int) -> HttpResponse:
    draft = _draft(request, pk)
    found = _term(draft, term)
    if _is_closed(request, draft):
        return _closed(request, draft)
    if request.method == "POST":
        return _removed(request, draft, lambda: remove_term(found, **draft.who), _("The term is removed."), SCOPE)
    context = {"agreement": draft.agreement, "term": found, "back": draft.address}
    return render(request, "agreements/term_remove.html", context)


def _removed(request: Request, draft: Draft, do: Callable[[], object], done: str, anchor: str = "") -> HttpResponse:
    try:
        do()
    except RuleBroken as broken:
        messages.error(request, str(broken))
        return redirect(draft.agreement)
    messages.success(request, done)
    return redirect(f"{draft.address}#{anchor}" if anchor else draft.address)


# Texts


def own_clause_new(request: Request, pk: int) -> HttpResponse:
    draft = _draft(request, pk)
    form = OwnClauseForm(request.POST if request.method == "POST" else None)
    if _is_closed(request, draft):
        return _closed(request, draft)
    made: list[Part] = []

    def add() -> None:
        made.append(add_own_clause(draft.revision, heading=form.cleaned_data["heading"], **draft.who))

    if request.method == "POST" and tried(form, add):
        messages.success(request, _("The section is added. Write its text here."))
        return redirect(made[0])
    context = {"agreement": draft.agreement, "form": form, "back": draft.address}
    return render(request, "agreements/own_clause.html", context)


def own_clause_remove(request: Request, pk: int, section: str) -> HttpResponse:
    draft = _draft(request, pk)
    part = _part(draft, section)
    if not is_own(section):
        raise Http404
    if _is_closed(request, draft):
        return _closed(request, draft)
    if request.method == "POST":
        return _removed(
            request,
            draft,
            lambda: remove_own_clause(draft.revision, key=section, **draft.who),
            _("The section is taken out. Its text stays in the history."),
        )
    context = {"agreement": draft.agreement, "part": part, "back": draft.address}
    return render(request, "agreements/own_clause_remove.html", context)


def _part(draft: Draft, section: str) -> Part:
    if section not in draft.revision.sections:
        raise Http404
    return get_object_or_404(Part.objects.about(draft.revision), key=section)


def clause_use(request: Request, pk: int, section: str) -> HttpResponse:
    """Let a clause of the library stand in a section."""
    draft = _draft(request, pk)
    part = _part(draft, section)
    clauses = [] if is_own(section) else clauses_for(draft.agreement.area, section)
    data = request.POST if request.method == "POST" else None
    form = UseClauseForm(data, clauses=clauses, base_version=part.version)
    meanwhile: list[Part] = []

    def use() -> None:
        base = form.cleaned_data["base_version"]
        try:
            use_clause(part, form.chosen, base_version=part.version if base is None else base, **draft.who)
        except PartChanged as changed:
            meanwhile.append(changed.part)
            again = form.data.copy()  # type: ignore[attr-defined]  # a QueryDict, which cannot be changed
            again["base_version"] = str(changed.part.version)
            form.data = again
            raise

    done = _("The clause stands in the section. Write on in it if it does not fit as it is.")
    return _page(
        request,
        draft,
        form,
        "clause_use",
        use,
        done,
        section,
        part=meanwhile[0] if meanwhile else part,
        heading=heading_of(section, part.heading),
        clauses=clauses,
        section=section,
    )


# Ends and new beginnings


def withdraw(request: Request, pk: int) -> HttpResponse:
    """Stop what is under way, for good."""
    draft = _draft(request, pk)
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" and draft.revision.state not in RevisionState.under_way():
        messages.error(request, _("Nothing is under way that could be withdrawn."))
        return redirect(draft.agreement)

    def stop() -> None:
        withdraw_revision(draft.agreement, reason=form.cleaned_data["reason"], **draft.who)

    if request.method == "POST" and tried(form, stop):
        messages.success(request, _("It is withdrawn. It stays readable, with your reason, for the parties."))
        return redirect(draft.agreement)
    context = {
        "agreement": draft.agreement,
        "revision": draft.revision,
        "form": form,
        "parties": list(draft.agreement.parties.select_related("municipality")),
    }
    return render(request, "agreements/withdraw.html", context)


def revision_new(request: Request, pk: int) -> HttpResponse:
    """Begin an annex, an amendment or a renewal of what is signed."""
    draft = _draft(request, pk)
    agreement = draft.agreement
    signed = list(agreement.revisions.signed().select_related("agreement"))
    if request.method != "POST" and (not signed or draft.revision.state in RevisionState.under_way()):
        messages.error(
            request,
            _("A change of the agreement is already under way. Finish or withdraw that first.")
            if signed
            else _("The agreement must be signed before it can be changed. Change the draft instead."),
        )
        return redirect(agreement)
    base = consolidated(agreement, signed)
    keys = [*CHANGEABLE, *base.own_clauses]
    form = RevisionForm(
        request.POST if request.method == "POST" else None,
        sections=[(key, heading_of(key, base.headings.get(key, ""))) for key in keys],
        initial={
            "kind": RevisionKind.ANNEX,
            "sections": list(ANNEX_CHANGES),
            "applies_from": SchoolYear.of(today()) + 1,
        },
    )

    def start() -> None:
        chosen = {name: form.cleaned_data[name] for name in ("kind", "title", "sections", "applies_from")}
        start_revision(agreement, **chosen, **draft.who)

    if request.method == "POST" and tried(form, start):
        messages.success(request, _("The draft is begun with what now holds. Change what is to be different."))
        return redirect("agreement_work", agreement.pk)
    return render(request, "agreements/revision_new.html", {"agreement": agreement, "form": form})
