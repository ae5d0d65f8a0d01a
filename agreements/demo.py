"""The demonstration's agreements: between real municipalities but invented, marked, and gone without a trace."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pgtrigger
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Max, Q
from sequences.models import Sequence

from agreements.models import (
    Agreement,
    AnswerKind,
    ArchiveCopy,
    Calculation,
    Clause,
    ClauseVersion,
    ClockDay,
    Cover,
    Disclosure,
    Dispute,
    Notice,
    NoticeConsent,
    NoticeEffect,
    NoticeEnds,
    Party,
    PriceKind,
    Referral,
    ReferralAnswer,
    ReferralReminder,
    Revision,
    SignatureRequest,
    Standing,
    Statement,
    StatementLine,
    Term,
)
from agreements.operations import (
    NewPrice,
    NewTerm,
    answer_referral,
    change_facts,
    give_notice,
    known_for,
    make_calculation,
    make_statement,
    parts_of_revision,
    publish_prices,
    record_decision,
    report_seat_use,
    send_on_referral,
    send_to_decision,
    series_of,
    sign,
    start_agreement,
)
from agreements.operations.freezing import FILES, SIGNED_FILES
from agreements.outline import PRICE
from collab4m.clock import today
from collab4m.school_year import SchoolYear
from organisations.demo import AREA, FIRST_DAY, TOWNS, DemoNeedsReference, address_of
from organisations.models import Board, CollaborationArea, Municipality, SemesterKind, User
from programmes.models import Orientation, Programme, ProgrammeKind, PupilFlow
from records.models import Event, Job, Link, Part, SignOffMethod, Version, Wording
from records.operations import document_file, forget_versions, save_part

YEAR = SchoolYear.of(FIRST_DAY)
NOTE = "Exempel"
MEETING = date(2022, 5, 18)
FINAL = date(2022, 6, 10)
SIGNED_ON = date(2022, 6, 15)
TIME_TO_ANSWER = timedelta(weeks=3)
# Round figures, so that nobody takes them for a municipality's real cost.
EXAMPLE_PRICE, EXAMPLE_PRICE_VOCATIONAL = Decimal(100_000), Decimal(140_000)

# What the sections of the examples say. No figure stands in them, and nobody is named.
TEXTS = {
    "parter": "",
    "syfte": "Exempel på text. Eleverna ska kunna välja ur ett bredare utbud än det som finns hemma.",
    "giltighet": "Exempel på text. Elever som har börjat får gå klart även om avtalet upphör.",
    "omfattning": "Exempel på text. Eleverna söker på samma villkor som anordnarens egna.",
    "ersattning": "Exempel på text. Anordnaren fakturerar en gång per termin.",
    "resor": "Exempel på text. Hemkommunen svarar för elevernas resor.",
    "introduktion": "Exempel på text. Avtalet gäller inte introduktionsprogram.",
    "idrott": "Exempel på text. Avtalet gäller inte idrottsutbildningar.",
    "bilaga": "Exempel på text. Parterna går igenom platserna tillsammans inför varje intag.",
    "uppfoljning": "Exempel på text. Parterna redovisar antagna elever och avbrott för varandra.",
    "tvist": "Exempel på text. Parterna löser i första hand oenighet i samtal.",
}
FACTS: dict[str, Any] = {
    "first_day": FIRST_DAY,
    "is_open_ended": True,
    "notice_months": 12,
    "notice_effect": NoticeEffect.SCHOOL_YEAR,
    "notice_ends": NoticeEnds.FOR_ALL,
    "price_kind": PriceKind.SELF_COST,
    "incl_meals": True,
    "incl_vat": False,
    "annex_month": 12,
    "annex_day": 15,
    "follow_up_month": 10,
    "follow_up_day": 15,
}


@transaction.atomic
def load_demo() -> int:
    """Make the example agreements, unless there are any; returns how many came.

    Needs the people that organisations.demo loads and what programmes.demo reports. Raises DemoNeedsReference if the
    area, the municipalities or the programmes are not there.
    """
    if Agreement.objects.filter(example=True).exists():
        return 0
    places = _Places()
    _publish_prices(places)
    made = [_in_force(places), _ending(places), _on_referral(places), _draft(places)]
    _make_statement(places)
    _calculate(places)
    return len(made)


class _Places:
    """What the examples are about, and who acts for whom."""

    def __init__(self) -> None:
        try:
            self.area = CollaborationArea.objects.get(reference_key=AREA)
            self.municipalities = {town.slug: Municipality.objects.get(code=town.code) for town in TOWNS}
            self.people = {town.slug: User.objects.get(email=address_of(f"handlaggare.{town.slug}")) for town in TOWNS}
        except (CollaborationArea.DoesNotExist, Municipality.DoesNotExist, User.DoesNotExist) as missing:
            raise DemoNeedsReference from missing

    def acting(self, slug: str) -> dict[str, Any]:
        return {"by": self.people[slug], "on_behalf_of": self.municipalities[slug].body}

    def acting_for(self, party: Party) -> dict[str, Any]:
        slug = next(slug for slug, one in self.municipalities.items() if one.pk == party.municipality_id)
        return self.acting(slug)

    def programme(self, code: str) -> Programme:
        found = Programme.objects.filter(code=code).first()
        if found is None:
            raise DemoNeedsReference
        return found

    def orientation(self, code: str) -> Orientation:
        found = Orientation.objects.filter(code=code).select_related("programme").first()
        if found is None:
            raise DemoNeedsReference
        return found


@dataclass(frozen=True)
class _Seats:
    """A term of an example: from whom to whom, on a programme or one of its orientations; seats None: still open."""

    home: str
    provider: str
    code: str
    seats: int | None
    is_orientation: bool = False

    def term(self, places: _Places) -> NewTerm:
        orientation = places.orientation(self.code) if self.is_orientation else None
        return NewTerm(
            home=places.municipalities[self.home],
            provider=places.municipalities[self.provider],
            programme=orientation.programme if orientation else places.programme(self.code),
            orientation=orientation,
            seats=self.seats,
        )


def _begun(places: _Places, title: str, slugs: Iterable[str], seats: Iterable[_Seats], **more: Any) -> Agreement:
    """A draft begun by the first of the municipalities."""
    slugs = list(slugs)
    return start_agreement(
        area=places.area,
        title=title,
        municipalities=[places.municipalities[slug] for slug in slugs],
        terms=[one.term(places) for one in seats],
        example=True,
        **more,
        **places.acting(slugs[0]),
    )


def _written(places: _Places, agreement: Agreement, slug: str) -> Revision:
    """Every fact filled in and every section written."""
    revision = agreement.revisions.get()
    revision = change_facts(revision, values=FACTS, seen=revision.edit, **places.acting(slug))
    for part in parts_of_revision(revision):
        save_part(part, text=TEXTS[part.key], base_version=part.version, **places.acting(slug))
    return revision


def _signed(places: _Places, agreement: Agreement, slug: str) -> None:
    """Decided on by every board and signed on paper by every party, in 2022."""
    version = send_to_decision(agreement, **places.acting(slug))
    parties = agreement.parties.select_related("municipality", "board", "agreement").order_by("signing_order")
    for number, party in enumerate(parties, start=1):
        board = party.board or Board.objects.filter(municipality=party.municipality).order_by("pk").first()
        record_decision(
            party,
            content_sha256=version.content_sha256,
            result="approved",
            day=MEETING,
            paragraph=f"§ {40 + number}",
            case_number=_case_number(board, number),
            board=board,
            board_name="" if board else "nämnden",
            final_on=FINAL,
            **places.acting_for(party),
        )
    for party in parties:
        sign(
            party,
            content_sha256=version.content_sha256,
            method=SignOffMethod.PAPER,
            signed_as="Nämndens ordförande",
            day=SIGNED_ON,
            document=document_file("exempel-underskrift.pdf", scan(f"Exempel: {party.municipality.name}")),
            **places.acting_for(party),
        )


def _case_number(board: Board | None, number: int) -> str:
    """As the board writes them, with an example's numbers; where its way is not known, year and number."""
    pattern = (board.case_number_pattern if board else "") or "{år}/{nr}"
    return re.sub(r"\{nr\}", f"{900 + number}", re.sub(r"\{år\}", "2022", pattern))


def scan(text: str) -> bytes:
    """A page that stands for a scan: a PDF with one line of text."""
    words = text.translate(str.maketrans("()\\", "   ")).encode("cp1252", "replace")
    drawing = b"BT /F1 28 Tf 72 720 Td (" + words + b") Tj ET"
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica"
        b" /Encoding /WinAnsiEncoding >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing),
    ]
    file, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(parts) + 1
    return file + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
        % (size, table, size, len(file))
    )


# The agreements


def _in_force(places: _Places) -> Agreement:
    """Two of Enköping's gaps that Västerås covers: signed, in force, and with pupils admitted."""
    seats = [_Seats("enkoping", "vasteras", "HU", 6), _Seats("enkoping", "vasteras", "VF", 8)]
    agreement = _begun(
        places, "Humanistiska programmet och VVS- och fastighetsprogrammet", ["enkoping", "vasteras"], seats,
        gap_year=YEAR,
    )  # fmt: skip
    _written(places, agreement, "enkoping")
    _signed(places, agreement, "enkoping")
    admitted = {"HU": 4, "VF": 7}
    leaves = Cover.objects.filter(agreement=agreement).of_intake(YEAR).select_related("programme", "orientation")
    told: set[str] = set()
    for leaf in leaves.order_by("programme__code", "orientation__code", "pk"):
        if leaf.programme.code in told:
            continue
        told.add(leaf.programme.code)
        report_seat_use(
            home=places.municipalities["enkoping"],
            provider=places.municipalities["vasteras"],
            programme=leaf.programme,
            orientation=leaf.orientation,
            intake=YEAR,
            admitted=admitted[leaf.programme.code],
            source_note=NOTE,
            **places.acting("vasteras"),
        )
    return agreement


def _ending(places: _Places) -> Agreement:
    """Signed, and given notice of a while ago."""
    agreement = _begun(
        places, "Restaurang- och livsmedelsprogrammet", ["vasteras", "strangnas"],
        [_Seats("vasteras", "strangnas", "RL", 8)], gap_year=YEAR,
    )  # fmt: skip
    _written(places, agreement, "vasteras")
    _signed(places, agreement, "vasteras")
    given_on = today() - timedelta(weeks=4)
    give_notice(
        agreement.parties.get(municipality=places.municipalities["strangnas"]),
        given_on=given_on,
        received_on=given_on + timedelta(days=2),
        reason="Exempel på skäl. Lokalerna räcker inte för elever från fler kommuner.",
        **places.acting("strangnas"),
    )
    return agreement


def _on_referral(places: _Places) -> Agreement:
    """Between all four, and out for referral: two have answered, one of them wants something changed."""
    seats = [
        _Seats("enkoping", "vasteras", "FTPER", 10, is_orientation=True),
        _Seats("strangnas", "eskilstuna", "FTPER", 8, is_orientation=True),
        _Seats("eskilstuna", "vasteras", "FTKAR", 4, is_orientation=True),
        _Seats("vasteras", "eskilstuna", "FTTRA", 4, is_orientation=True),
    ]
    slugs = [town.slug for town in TOWNS]
    agreement = _begun(places, "Fordons- och transportprogrammet", slugs, seats, standing=Standing.PRIMARY)
    _written(places, agreement, slugs[0])
    send_on_referral(agreement, last_day=today() + TIME_TO_ANSWER, **places.acting(slugs[0]))
    wanted = "Exempel på svar. Vi vill att ersättningen gäller det år då eleven börjar."
    for slug, kind, section, text in (
        ("enkoping", AnswerKind.NO_OBJECTION, "", ""),
        ("eskilstuna", AnswerKind.CHANGE_WANTED, PRICE, wanted),
    ):
        party = agreement.parties.get(municipality=places.municipalities[slug])
        answer_referral(party, kind=kind, section=section, text=text, **places.acting(slug))
    return agreement


def _draft(places: _Places) -> Agreement:
    """Begun from Strängnäs's gaps, with much that is still open."""
    seats = [_Seats("strangnas", "eskilstuna", "BA", None), _Seats("strangnas", "eskilstuna", "IN", 6)]
    agreement = _begun(
        places, "Bygg och industri", ["strangnas", "eskilstuna"], seats, gap_year=YEAR,
    )  # fmt: skip
    revision = agreement.revisions.get()
    values = {"first_day": date(today().year + 1, 7, 1)}
    change_facts(revision, values=values, seen=revision.edit, **places.acting("strangnas"))
    purpose = next(part for part in parts_of_revision(revision) if part.key == "syfte")
    save_part(purpose, text=TEXTS["syfte"], base_version=0, **places.acting("eskilstuna"))
    return agreement


# What they cost


def _publish_prices(places: _Places) -> None:
    """A list of each municipality's self-cost for the two calendar years, with all programmes that pupils are on."""
    studied = PupilFlow.objects.filter(school_year=YEAR).values("programme")
    rows = [
        NewPrice(
            one.pk,
            None,
            EXAMPLE_PRICE_VOCATIONAL if one.kind == ProgrammeKind.VOCATIONAL else EXAMPLE_PRICE,
            one.name_sv,
        )
        for one in Programme.objects.filter(pk__in=studied).order_by("code")
    ]
    if not rows:
        return
    for slug, municipality in places.municipalities.items():
        for year in (YEAR.starts, YEAR.starts + 1):
            publish_prices(
                kind=PriceKind.SELF_COST,
                municipality=municipality,
                area=None,
                year=year,
                title=f"{NOTE}: självkostnad i {municipality.name} {year}",
                incl_meals=True,
                incl_vat=False,
                rows=rows,
                source_note=NOTE,
                **places.acting(slug),
            )


def _make_statement(places: _Places) -> None:
    one, other = places.municipalities["enkoping"], places.municipalities["vasteras"]
    if PupilFlow.objects.filter(home=one, provider_municipality=other, school_year=YEAR, semester="HT").exists():
        make_statement(one, other, YEAR, SemesterKind.AUTUMN, **places.acting("enkoping"))


def _calculate(places: _Places) -> None:
    home, provider = places.municipalities["enkoping"], places.municipalities["vasteras"]
    programme = places.programme("VF")
    known = known_for(home, provider, programme)
    assumed = {
        "pupils": "12", "school_days": "178", "group_size": "16", "teachers": "1200000", "premises": "900000",
        "equipment": "2000000", "equipment_years": "10", "other": "20000", "share_away": "10", "travel_day": "60",
        "extra": "0",
    }  # fmt: skip
    rows = [{"key": key, "value": value, "source": NOTE} for key, value in assumed.items()]
    rows += [{"key": key, "value": value, "source": source} for key, (value, source) in known.items()]
    make_calculation(
        title="VVS och fastighet hemma eller i Västerås (exempel)",
        municipality=home,
        provider=provider,
        programme=programme,
        assumptions=rows,
        **places.acting("enkoping"),
    )


# Taking everything away

# What protects agreements for everyone but this: examples never happened.
GUARDS = (
    "agreements.Agreement:kept",
    "agreements.Agreement:locked",
    "agreements.ArchiveCopy:kept",
    "agreements.ClauseVersion:append_only",
    "agreements.Disclosure:append_only",
    "agreements.Notice:kept",
    "agreements.NoticeConsent:append_only",
    "agreements.Party:locked",
    "agreements.Referral:kept",
    "agreements.ReferralAnswer:kept",
    "agreements.Revision:kept",
    "agreements.Statement:locked",
    "agreements.StatementLine:locked",
    "agreements.Term:locked",
    "records.Event:append_only",
    "records.Wording:append_only",
)


@transaction.atomic
def remove_demo() -> None:
    """Take away example agreements and those that the demonstration's people began, with all that came of them.

    Price lists, seat uses and calculations are marked, and go with organisations.demo.remove_demo.
    """
    people = list(User.objects.filter(example=True).values_list("pk", flat=True))
    agreements = _theirs(people)
    statements = _statements(people)
    with pgtrigger.ignore(*GUARDS):
        _remove_statements(statements)
        _remove_agreements(agreements)
        _remove_clauses(people)
    ClockDay.objects.filter(pk__in=_touched(ClockDay, "clock_day.added", people)).update(example=True)


def _touched(model: type[models.Model], name: str, people: Iterable[int]) -> list[int]:
    """Ids of rows to which one of the people did something."""
    subject = ContentType.objects.get_for_model(model)
    events = Event.objects.filter(subject_type=subject, name=name, by__in=list(people))
    return list(events.values_list("subject_id", flat=True))


def _theirs(people: list[int]) -> list[Agreement]:
    of_examples = Q(example=True) | Q(started_by__example=True) | Q(parties__municipality__example=True)
    begun = Q(pk__in=_touched(Agreement, "agreement.started", people))
    return list(Agreement.objects.filter(of_examples | begun).distinct().order_by("-pk"))


def _statements(people: list[int]) -> list[int]:
    """Those that count examples, and those that the people made."""
    counted = StatementLine.objects.filter(Q(example=True) | Q(price_row__price_list__example=True))
    return [*counted.values_list("statement", flat=True), *_touched(Statement, "statement.made", people)]


def _forget(model: type[models.Model], ids: Iterable[int]) -> None:
    """The versions, history and links of rows that are about to go."""
    about = {"subject_type": ContentType.objects.get_for_model(model), "subject_id__in": list(ids)}
    forget_versions(Version.objects.filter(**about).defer("content").order_by("-number"))
    Event.objects.filter(**about).delete()
    for end in ("from", "to"):
        found = {f"{end}_type": about["subject_type"], f"{end}_id__in": about["subject_id__in"]}
        Link.objects.filter(**found).delete()


def _remove_statements(ids: list[int]) -> None:
    statements = Statement.objects.filter(pk__in=ids)
    Dispute.objects.filter(line__statement__in=statements).delete()
    StatementLine.objects.filter(statement__in=statements).delete()
    statements.update(version=None)
    _forget(Statement, ids)
    statements.delete()


def _remove_agreements(agreements: list[Agreement]) -> None:
    """From what points at others to what is pointed at; later revisions and agreements before those they change."""
    ids = [agreement.pk for agreement in agreements]
    revisions = list(Revision.objects.filter(agreement__in=ids).order_by("-pk"))
    Job.objects.filter(kind__in=[FILES, SIGNED_FILES], args__version__in=_versions(ids)).delete()
    of_agreement = {"agreement__in": ids}
    Cover.objects.filter(**of_agreement).delete()
    ArchiveCopy.objects.filter(**of_agreement).delete()
    SignatureRequest.objects.filter(party__agreement__in=ids).delete()
    ReferralReminder.objects.filter(referral__revision__agreement__in=ids).delete()
    ReferralAnswer.objects.filter(referral__revision__agreement__in=ids).delete()
    Referral.objects.filter(revision__agreement__in=ids).delete()
    NoticeConsent.objects.filter(notice__agreement__in=ids).delete()
    Notice.objects.filter(**of_agreement).delete()
    Disclosure.objects.filter(**of_agreement).delete()
    Calculation.objects.filter(**of_agreement).update(agreement=None)
    Term.objects.filter(revision__agreement__in=ids).delete()
    _remove_texts([revision.pk for revision in revisions])
    for revision in revisions:
        revision.delete()
    Party.objects.filter(**of_agreement).delete()
    _forget(Agreement, ids)
    Agreement.objects.filter(replaces__in=ids).exclude(pk__in=ids).update(replaces=None)
    for agreement in agreements:
        agreement.delete()
        _set_back(agreement)


def _versions(agreements: list[int]) -> list[int]:
    subject = ContentType.objects.get_for_model(Agreement)
    versions = Version.objects.filter(subject_type=subject, subject_id__in=agreements)
    return list(versions.values_list("pk", flat=True))


def _remove_texts(revisions: list[int]) -> None:
    parts = Part.objects.filter(subject_type=ContentType.objects.get_for_model(Revision), subject_id__in=revisions)
    ids = list(parts.values_list("pk", flat=True))
    Event.objects.filter(subject_type=ContentType.objects.get_for_model(Part), subject_id__in=ids).delete()
    Wording.objects.filter(part__in=ids).delete()
    parts.delete()


def _set_back(agreement: Agreement) -> None:
    """Let the numbering go on where it would have been: after the last number that is left."""
    left = Agreement.objects.filter(area=agreement.area_id, year=agreement.year).aggregate(last=Max("sequence"))["last"]
    series = Sequence.objects.filter(name=series_of(agreement.area, agreement.year))
    if left is None:
        series.delete()
    else:
        series.update(last=left)


def _remove_clauses(people: list[int]) -> None:
    """Wordings that the people wrote, and clauses of which none is left."""
    written = ClauseVersion.objects.filter(by__in=people)
    clauses = list(written.values_list("clause", flat=True))
    written.delete()
    alone = Clause.objects.filter(pk__in=clauses, versions=None)
    _forget(Clause, alone.values_list("pk", flat=True))
    alone.delete()
