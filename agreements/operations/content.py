"""What an agreement says as a document: its sections in reading order, filled in and written, in Swedish."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from agreements.models import Agreement, NoticeEffect, NoticeEnds, PriceKind, Revision, RevisionKind, Term
from agreements.operations.drafting import LANGUAGE, parts_of_revision
from agreements.operations.placeholders import placeholders_of
from agreements.outline import ANNEX, FOLLOW_UP, KEYS, PARTIES, PRICE, SCOPE, VALIDITY, heading_of
from records.documents import blocks
from records.documents.content import Content
from records.documents.words import shown
from records.models import Part

SOURCE = "avtalet"  # the figures of an agreement are what its parties agree on: it is their own source


def content_of(revision: Revision) -> Content:
    """The revision as it would be made final now. An annex or an amendment holds only the sections that it changes.

    What is open is marked where it stands and listed at the end.
    """
    with translation.override(LANGUAGE):
        agreement = revision.agreement
        parts = {part.key: part for part in parts_of_revision(revision)}
        terms = list(
            revision.terms.select_related("home", "provider", "programme", "orientation").order_by(
                "programme__code", "orientation__name_sv", "provider__code", "home__code", "intake_from", "pk"
            )
        )
        return blocks.document(
            kind=str(revision.get_kind_display()).capitalize() if revision.changes_id else _("Cooperation agreement"),
            title=revision.title or agreement.title,
            subtitle=_subtitle(agreement, revision),
            sections=[
                *([_about(revision)] if revision.changes_id else []),
                *(_section(key, revision, parts.get(key), terms) for key in revision.sections),
                *_open(revision, terms),
            ],
            sources={SOURCE: _source(agreement)},
        )


def content_as_it_holds(signed: Sequence[Revision]) -> Content:
    """What is signed read together: each section as the last revision that changed it says it, as it was frozen.

    `signed` in the order of signing, with their versions.
    """
    with translation.override(LANGUAGE):
        said: dict[str, tuple[Revision, Content]] = {}
        for revision in signed:
            assert revision.version is not None  # a constraint of the model
            frozen = {section["id"]: section for section in revision.version.content["sections"]}
            said |= {key: (revision, frozen[key]) for key in revision.sections if key in frozen}
        agreement = signed[0].agreement
        keys = sorted(said, key=lambda key: KEYS.index(key) if key in KEYS else len(KEYS))
        original = signed[0].version
        assert original is not None
        return blocks.document(
            kind=_("Cooperation agreement as it now holds"),
            title=original.content["title"],
            subtitle=original.content["subtitle"],
            sections=[_said_where(signed, said, keys), *(said[key][1] for key in keys)],
            sources={SOURCE: _source(agreement)},
        )


def _said_where(signed: Sequence[Revision], said: dict[str, tuple[Revision, Content]], keys: Sequence[str]) -> Content:
    """Which of what is signed has the last word on each section."""
    items = []
    for revision in signed:
        own = [said[key][1]["heading"] for key in keys if said[key][0].pk == revision.pk]
        if own and revision.version:
            words = {
                "what": revision.version.content["title"],
                "number": revision.version.number,
                "sections": ", ".join(own),
            }
            items.append(_("%(what)s, version %(number)s: %(sections)s.") % words)
    note = _(
        "This is what is signed, read together to be easy to follow. What the parties have signed is each version."
    )
    return blocks.section(
        "galler-nu", _("Where it is said"), blocks.note(note), blocks.bullets(*items), example=_example(signed[0])
    )


def _subtitle(agreement: Agreement, revision: Revision) -> str:
    names = ", ".join(party.municipality.official_name for party in _parties(agreement))
    words = {"number": agreement.number, "names": names}
    if revision.changes_id:
        return _("To agreement %(number)s, %(title)s") % {"number": agreement.number, "title": agreement.title}
    return _("Agreement %(number)s between %(names)s") % words


def _parties(agreement: Agreement) -> list[Any]:
    return list(agreement.parties.select_related("municipality", "board").order_by("position", "pk"))


def _source(agreement: Agreement) -> Content:
    note = _("What the parties agree on in agreement %(number)s") % {"number": agreement.number}
    return blocks.source_of(None, came_in="form", verified=True, note=note)


def _about(revision: Revision) -> Content:
    """What a later revision changes, and from when."""
    changed = [heading_of(key, _own_heading(revision, key)) for key in revision.sections]
    said = _("This changes the sections below of the agreement. The other sections stay as they are.")
    items = [_("Changed: %(headings)s.") % {"headings": ", ".join(changed)}]
    if revision.first_day:
        items.append(_("It holds from %(day)s.") % {"day": day_in_words(revision.first_day)})
    if revision.applies_from:
        items.append(_("It concerns the intake of %(year)s and later ones.") % {"year": revision.applies_from})
    heading = _("What is changed")
    return blocks.section(
        "andring", heading, blocks.paragraph(said), blocks.bullets(*items), example=_example(revision)
    )


def _own_heading(revision: Revision, key: str) -> str:
    part = Part.objects.about(revision).filter(key=key).first()
    return part.heading if part else key


def _example(revision: Revision) -> bool:
    return revision.agreement.example


def _section(key: str, revision: Revision, part: Part | None, terms: list[Term]) -> Content:
    said = _about_terms(revision, terms) if key == SCOPE else _facts(key, revision)
    if part:
        said += blocks.written(part.text)
    if not said:
        said = [blocks.note(_("Nobody has written this section yet."))]
    return blocks.section(key, heading_of(key, part.heading if part else ""), *said, example=_example(revision))


def _facts(key: str, revision: Revision) -> list[Content]:
    facts = {
        PARTIES: _about_parties, VALIDITY: _about_validity, PRICE: _about_price,
        ANNEX: _about_annex, FOLLOW_UP: _about_follow_up,
    }  # fmt: skip
    return facts[key](revision) if key in facts else []


def facts_in_words(key: str, revision: Revision) -> list[str]:
    """What the facts of a section say in the text, in Swedish, with what is open in brackets; but for the terms."""
    with translation.override(LANGUAGE):
        said = _facts(key, revision)
        return [shown(text) for block in said for text in block.get("items") or [block["text"]]]


def _about_parties(revision: Revision) -> list[Content]:
    items = []
    for party in _parties(revision.agreement):
        board = f", {party.board.name}" if party.board else ""
        items.append(f"{party.municipality.official_name}{board}")
    said = [
        blocks.paragraph(_("The parties are equal, and each decides for itself.")),
        blocks.bullets(*items),
        blocks.paragraph(
            _("The agreement is %(standing)s and concerns %(kind)s.")
            % {
                "standing": revision.agreement.get_standing_display(),
                "kind": revision.agreement.get_kind_display(),
            }
        ),
    ]
    if replaces := revision.agreement.replaces:
        words = {"number": replaces.number, "title": replaces.title}
        said.append(blocks.paragraph(_("It replaces agreement %(number)s, %(title)s.") % words))
    return said


def day_in_words(day: date) -> str:
    return date_format(day, "j F Y")


def _open_words(what: str) -> str:
    """How the document shows what is not filled in."""
    return f"[{what}]"


def _about_validity(revision: Revision) -> list[Content]:
    said = []
    if revision.kind == RevisionKind.ORIGINAL or revision.first_day:
        first = day_in_words(revision.first_day) if revision.first_day else _open_words(_("the first day"))
        said.append(_("The agreement holds from %(day)s.") % {"day": first})
    if revision.is_open_ended:
        said.append(_("It holds until further notice."))
    else:
        last = day_in_words(revision.last_day) if revision.last_day else _open_words(_("the last day"))
        said.append(_("The last day is %(day)s.") % {"day": last})
    said.append(notice_in_words(revision.notice_months, revision.notice_effect))
    if revision.notice_ends:
        said.append(_("If one party gives notice, %(what)s.") % {"what": NoticeEnds(revision.notice_ends).label})
    return [blocks.paragraph(" ".join(said))]


def notice_in_words(months: int | None, effect: str) -> str:
    """The rule of notice as a sentence, with what is open in brackets."""
    if months is None:
        period = _open_words(_("the period of notice"))
    else:
        period = ngettext("%(months)s month", "%(months)s months", months) % {"months": months}
    ends = NoticeEffect(effect).label if effect else _open_words(_("when notice takes effect"))
    return _(
        "Notice is given in writing. The period of notice is %(period)s from the day when the last of the other parties"
        " received it, and the agreement ends %(ends)s."
    ) % {"period": period, "ends": ends}


def _about_terms(revision: Revision, terms: list[Term]) -> list[Content]:
    if not terms:
        return [blocks.note(_("No programme is named yet."))]
    fixed = any(term.price_sek is not None for term in terms)
    columns = [
        blocks.column(_("Programme or orientation"), "label"),
        blocks.column(pgettext("agreement", "Provider"), "label"),
        blocks.column(_("For pupils from"), "label"),
        blocks.column(_("Intakes"), "label"),
        blocks.column(_("Seats per intake"), "number"),
        *([blocks.column(_("SEK per pupil and school year"), "number")] if fixed else []),
    ]
    rows = []
    for term in terms:
        row: list[Any] = [
            name_of(term), term.provider.name, term.home.name, intakes_in_words(term), [_seats(term, revision)],
        ]  # fmt: skip
        if fixed:
            row.append([_price(term, revision)] if term.price_sek is not None else _open_words(_("price")))
        rows.append(row)
    caption = _("Programmes, seats and direction")
    said = _("Pupils of the home municipality may apply on the same terms as the provider's own.")
    return [blocks.paragraph(said), blocks.table("villkor", caption, columns, rows)]


def name_of(term: Term) -> str:
    """The programme, with its orientation if the term is about one."""
    programme = f"{term.programme.name_sv} ({term.programme.code})"
    return f"{programme}, {term.orientation.name_sv}" if term.orientation else programme


def intakes_in_words(term: Term) -> str:
    """Which intakes a term is about, in words that need no figure."""
    if term.intake_from is None and term.intake_to is None:
        return _("all")
    if term.intake_from == term.intake_to:
        return str(term.intake_from)
    if term.intake_to is None:
        return _("from %(year)s") % {"year": term.intake_from}
    if term.intake_from is None:
        return _("to %(year)s") % {"year": term.intake_to}
    return f"{term.intake_from}–{term.intake_to}"


def _seats(term: Term, revision: Revision) -> Any:
    if term.unlimited:
        return _("no limit")
    if term.seats is None:
        return _open_words(_("seats"))
    return blocks.figure(term.seats, source=SOURCE, example=_example(revision))


def _price(term: Term, revision: Revision) -> Content:
    assert term.price_sek is not None
    price = term.price_sek.normalize() if term.price_sek == term.price_sek.to_integral() else term.price_sek
    return blocks.figure(
        int(price) if price == price.to_integral() else price, source=SOURCE, example=_example(revision)
    )


def _about_price(revision: Revision) -> list[Content]:
    kind = PriceKind(revision.price_kind).label if revision.price_kind else _open_words(_("which price holds"))
    said = [
        _("The home municipality pays %(kind)s.") % {"kind": kind},
        {
            True: _("Meals are included."),
            False: _("Meals are not included."),
            None: _open_words(_("whether meals are included")) + ".",
        }[revision.incl_meals],
        {
            True: _("VAT is included."),
            False: _("VAT is not included."),
            None: _open_words(_("whether VAT is included")) + ".",
        }[revision.incl_vat],
        _("The list of the calendar year in which the semester lies holds, as it was when the semester was settled."),
    ]
    made = [blocks.paragraph(" ".join(said))]
    if revision.independents_percent is not None:
        sentence = _("Independent schools are paid %(percent)s more, for value added tax.")
        percent = blocks.figure(
            revision.independents_percent.normalize()
            if revision.independents_percent % 1
            else int(revision.independents_percent),
            "%",
            source=SOURCE,
            example=_example(revision),
        )
        made.append(blocks.paragraph(blocks.said(sentence, percent=percent)))
    return made


def yearly_day(month: int, day: int) -> str:
    """A day of every year: 15 december."""
    return date_format(date(2001, month, day), "j F")


def _about_annex(revision: Revision) -> list[Content]:
    if revision.annex_day is None or revision.annex_month is None:
        return [blocks.paragraph(_open_words(_("the day by which the annex is fixed each year")))]
    day = yearly_day(revision.annex_month, revision.annex_day)
    said = _("Programmes and seats for the coming intake are fixed in a yearly annex, by %(day)s of the year before.")
    return [blocks.paragraph(said % {"day": day})]


def _about_follow_up(revision: Revision) -> list[Content]:
    if revision.follow_up_day is None or revision.follow_up_month is None:
        return [blocks.paragraph(_open_words(_("the day of follow-up each year")))]
    day = yearly_day(revision.follow_up_month, revision.follow_up_day)
    return [blocks.paragraph(_("The parties follow up the agreement together each year, by %(day)s.") % {"day": day})]


def _open(revision: Revision, terms: list[Term]) -> list[Content]:
    """The list of what is open, while something is."""
    found = placeholders_of(revision, terms)
    if not found:
        return []
    said = _("This is a draft. What follows is open and must be settled before anybody can decide.")
    items = dict.fromkeys(str(one)[:250] for one in found)
    return [
        blocks.section(
            "oppet", _("Open questions"), blocks.note(said), blocks.bullets(*items), example=_example(revision)
        )
    ]
