"""The report's chapter on the first mandate, after the offer: the area's agreements that are signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from agreements.models import Agreement, Party, Revision, Term
from agreements.operations import Validity, consolidated, name_of, validities_of
from collab4m.school_year import SchoolYear
from organisations.models import CollaborationArea
from records.documents import words
from records.documents.blocks import Inline, column, figure, note, paragraph, said, section, source_of, table
from records.documents.chapter import Chapter
from records.documents.content import Content
from records.models import Decision

MANDATE = 1
ID = "avtal"  # what the ids of the chapter's section and tables, and the keys of its sources, begin with
SIGNED, SENT = f"{ID}:undertecknade", f"{ID}:pagar"


def chapter(area: CollaborationArea, school_year: SchoolYear) -> Chapter:
    """The signed agreements that hold in the school year or later, and how many more are on their way.

    What is on its way is only counted, and only when it has been sent to the parties: an outsider reads no drafts.
    """
    signed = Agreement.objects.filter(area=area, revisions__state="signed").distinct().order_by("year", "sequence")
    validities = validities_of(list(signed))
    shown = [one for one in signed if _holds(validities[one.pk], school_year)]
    sent = Revision.objects.under_way().filter(agreement__area=area, sent_at__isnull=False)
    under_way = list(sent.select_related("agreement"))
    heading = _("Cooperation agreements")
    if not shown and not under_way:
        text = _(
            "No agreement between the municipalities is signed in the portal for the school year %(year)s or later."
        )
        return Chapter(MANDATE, [], [section(ID, heading, note(text % {"year": school_year}))], {})
    sources: dict[str, Content] = {}
    blocks = [paragraph(_how_many(shown, under_way, school_year, sources))]
    if shown:
        blocks += _tables(shown, validities)
    return Chapter(MANDATE, [], [section(ID, heading, *blocks, example=any(one.example for one in shown))], sources)


def _holds(validity: Validity, year: SchoolYear) -> bool:
    return validity.last_day is None or validity.last_day >= year.first_day


def _how_many(
    shown: Sequence[Agreement], under_way: Sequence[Revision], year: SchoolYear, sources: dict[str, Content]
) -> list[Inline]:
    told: list[Inline] = []
    if shown:
        sources[SIGNED] = _counted(_("Agreements of the area that all parties have signed, counted by the portal"))
        number = figure(len(shown), source=SIGNED, example=any(one.example for one in shown))
        sentence = ngettext(
            "%(number)s agreement that holds in the school year %(year)s or later is signed.",
            "%(number)s agreements that hold in the school year %(year)s or later are signed.",
            len(shown),
        )
        told += said(sentence, number=number, year=str(year))
    else:
        no = _("No agreement between the municipalities is signed in the portal for the school year %(year)s or later.")
        told.append(no % {"year": year})
    if under_way:
        sources[SENT] = _counted(_("Agreements and changes of agreements sent to their parties, counted by the portal"))
        number = figure(len(under_way), source=SENT, example=any(one.agreement.example for one in under_way))
        sentence = ngettext(
            " %(number)s more is out for referral, being decided or being signed.",
            " %(number)s more are out for referral, being decided or being signed.",
            len(under_way),
        )
        told += said(sentence, number=number)
    return told


def _counted(what: str) -> Content:
    return source_of(None, came_in="computed", verified=True, note=what)


def _tables(shown: Sequence[Agreement], validities: Mapping[int, Validity]) -> list[Content]:
    rows, decided = [], []
    for one in shown:
        revisions = list(one.revisions.signed())
        parties = list(one.parties.select_related("municipality").order_by("position", "pk"))
        names = ", ".join(party.municipality.name for party in parties)
        rows.append([one.number, _marked(one), names, _programmes(one, revisions), *_days(validities[one.pk])])
        decided += [row for revision in revisions for row in _decisions(one, revision, parties)]
    return [
        table(
            f"{ID}-undertecknade",
            _("Signed agreements"),
            [
                column(_("Number"), "label"),
                column(_("Agreement"), "label"),
                column(_("Parties"), "label"),
                column(_("Programmes and orientations"), "label"),
                column(_("From"), "label"),
                column(_("To and including"), "label"),
            ],
            rows,
            _("Terms, seats and compensation stand in each agreement, which the portal has."),
        ),
        table(
            f"{ID}-beslut",
            _("Decisions on the signed agreements"),
            [
                column(_("Number"), "label"),
                column(_("What was decided on"), "label"),
                column(_("Municipality"), "label"),
                column(_("Decided by"), "label"),
                column(_("Meeting"), "label"),
                column(_("Paragraph"), "label"),
                column(_("Case number"), "label"),
            ],
            decided,
        ),
    ]


def _marked(agreement: Agreement) -> str:
    return _("%(title)s (example)") % {"title": agreement.title} if agreement.example else agreement.title


def _programmes(agreement: Agreement, revisions: Sequence[Revision]) -> str:
    """Each programme or orientation once, as all that is signed says."""
    terms: list[Term] = consolidated(agreement, revisions).terms
    return ", ".join(dict.fromkeys(name_of(term) for term in terms)) or _("none named")


def _days(validity: Validity) -> list[str]:
    first = words.day(validity.first_day) if validity.first_day else ""
    last = words.day(validity.last_day) if validity.last_day else _("until further notice")
    return [first, last]


def _decisions(agreement: Agreement, revision: Revision, parties: Sequence[Party]) -> list[list[str]]:
    """The standing decisions about a revision, in the parties' order."""
    standing = list(Decision.objects.standing().filter(version=revision.version_id))
    return [
        [
            agreement.number,
            str(revision.get_kind_display()),
            party.municipality.name,
            decision.board_name,
            words.day(decision.day),
            decision.paragraph,
            decision.case_number,
        ]
        for party in parties
        for decision in standing
        if decision.body_id == party.municipality_id
    ]
