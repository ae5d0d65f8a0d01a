"""Signed agreements of the national data set: 5,000 in 290 municipalities, with terms, cover and used seats."""

from datetime import UTC, date, datetime
from hashlib import sha256
from itertools import islice, permutations, product

import pgtrigger
from django.contrib.contenttypes.models import ContentType
from django.db.models import Prefetch

from agreements.models import (
    Agreement,
    Cover,
    NoticeEffect,
    NoticeEnds,
    Party,
    PriceKind,
    Revision,
    RevisionState,
    SeatUse,
    Standing,
    Term,
)
from agreements.operations.covering import leaves_said, validities_of
from agreements.outline import KEYS
from collab4m.school_year import SchoolYear
from organisations.models import CollaborationArea, Municipality
from programmes.models import Orientation, Programme
from programmes.operations import NATIONAL
from records.models import Version

AGREEMENTS, MUNICIPALITIES = 5_000, 290
YEAR = SchoolYear(2022)
FIRST_DAY = date(2020, 7, 1)
LAST_DAYS = (None, date(2023, 6, 30), None, date(2024, 6, 30), None, date(2022, 6, 30))  # in turn
SIGNED_AT = datetime(2020, 6, 1, 12, tzinfo=UTC)


def load_agreements(area: CollaborationArea, members: list[Municipality]) -> None:
    """The area's share: each about one programme that one member takes in pupils of another on.

    Everything follows from the agreement's place in the area.
    """
    number = len(members) * AGREEMENTS // MUNICIPALITIES + 1
    programmes = list(Programme.objects.for_intake(YEAR).filter(kind__in=NATIONAL).order_by("code"))
    pairs = list(enumerate(permutations(members, 2)))
    what = (
        (standing, programmes[(place + step) % len(programmes)], pair)
        for standing, step, (place, pair) in product(Standing.values, range(len(programmes)), pairs)
    )
    rows = list(islice(what, number))
    agreements = Agreement.objects.bulk_create(
        Agreement(
            area=area, year=2020, sequence=nth, title=f"{programme.name_sv}, {home} och {provider}",
            standing=standing, started_by=home.body,
        )
        for nth, (standing, programme, (home, provider)) in enumerate(rows, 1)
    )  # fmt: skip
    Party.objects.bulk_create(
        Party(agreement=agreement, municipality=one, position=place, signing_order=place + 1)
        for agreement, (_standing, _programme, pair) in zip(agreements, rows, strict=True)
        for place, one in enumerate(pair)
    )
    _sign(agreements, rows)
    _cover(agreements)


def _sign(agreements: list[Agreement], rows: list[tuple[str, Programme, tuple[Municipality, ...]]]) -> None:
    subject = ContentType.objects.get_for_model(Agreement)
    versions = Version.objects.bulk_create(
        Version(
            subject_type=subject, subject_id=agreement.pk, number=1, schema="collab4m/1",
            content={"title": agreement.title, "sections": []}, frozen_at=SIGNED_AT,
            content_sha256=sha256(str(agreement.pk).encode()).hexdigest(),
        )
        for agreement in agreements
    )  # fmt: skip
    last_days = [LAST_DAYS[nth % len(LAST_DAYS)] for nth in range(len(agreements))]
    revisions = Revision.objects.bulk_create(
        Revision(
            agreement=agreement, ordinal=1, state=RevisionState.SIGNED, sections=list(KEYS), version=version,
            first_day=FIRST_DAY, last_day=last_day, is_open_ended=last_day is None, notice_months=12,
            notice_effect=NoticeEffect.SCHOOL_YEAR, notice_ends=NoticeEnds.FOR_ALL, price_kind=PriceKind.SELF_COST,
            incl_meals=True, incl_vat=False, sent_at=SIGNED_AT, signed_at=SIGNED_AT,
        )
        for agreement, version, last_day in zip(agreements, versions, last_days, strict=True)
    )  # fmt: skip
    with pgtrigger.ignore("agreements.Term:locked"):
        Term.objects.bulk_create(
            Term(revision=revision, home=home, provider=provider, programme=programme, seats=10)
            for revision, (_standing, programme, (home, provider)) in zip(revisions, rows, strict=True)
        )


def _cover(agreements: list[Agreement]) -> None:
    """By the same reckoning as when the last party signs, and how many seats of it were used in an intake."""
    validities = validities_of(agreements)
    terms = Term.objects.select_related("programme", "orientation").prefetch_related(
        Prefetch("programme__orientations", Orientation.objects.order_by("pk"))
    )
    signed = Revision.objects.filter(agreement__in=agreements).prefetch_related(Prefetch("terms", terms))
    covers = [
        Cover(
            agreement=revision.agreement, revision=revision, version_id=revision.version_id, term_id=leaf.term,
            home_id=leaf.home, provider_id=leaf.provider, programme_id=leaf.programme, orientation_id=leaf.orientation,
            years=leaf.years, standing=revision.agreement.standing, seats=leaf.seats, unlimited=leaf.unlimited,
        )
        for revision in signed.select_related("agreement")
        for leaf in leaves_said([revision], validities[revision.agreement_id])
    ]  # fmt: skip
    Cover.objects.bulk_create(covers)
    used = {(one.home_id, one.provider_id, one.programme_id, one.orientation_id) for one in covers}
    SeatUse.objects.bulk_create(
        SeatUse(
            home_id=home, provider_id=provider, programme_id=programme, orientation_id=orientation, intake=YEAR,
            admitted=nth % 9,
        )
        for nth, (home, provider, programme, orientation) in enumerate(sorted(used, key=str))
    )  # fmt: skip
