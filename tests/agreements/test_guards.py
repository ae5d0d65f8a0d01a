"""What is agreed, decided, signed and owed stays as it is: by no door is it changed, whoever tries."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.contrib import admin
from django.db import DatabaseError, connection, models, transaction
from django.db.models import ProtectedError
from django.urls import NoReverseMatch, reverse

from agreements.models import (
    Agreement,
    ArchiveCopy,
    ClauseVersion,
    Disclosure,
    Notice,
    NoticeConsent,
    Party,
    PriceRow,
    Referral,
    ReferralAnswer,
    Revision,
    RevisionState,
    Statement,
    StatementLine,
    Term,
)
from agreements.models.agreements import TRANSITIONS
from agreements.operations import (
    add_clause,
    agree_to_withdrawal,
    answer_referral,
    give_notice,
    settle_answer,
)
from agreements.operations.copies import send_copies
from collab4m.clock import today
from records.documents.files import MadeFile
from records.models import Attachment, Decision, Part, Rendition, SignOff, SignOffMethod, Version
from records.operations import document_file, store_renditions
from tests.agreements.price_stories import a_locked_statement
from tests.agreements.stories import (
    building,
    decide,
    draft,
    fill_in,
    on_referral,
    party_of,
    revision_of,
    sign_for,
    to_decision,
)
from tests.factories import BoardFactory, MembershipFactory, ProgrammeFactory

pytestmark = pytest.mark.django_db

SCAN = b"%PDF-1.7 an extract of minutes"


@pytest.fixture
def world(area, home, neighbour, owner, asker) -> Agreement:
    """An agreement with all that can hang on one: answered, decided, signed, sent out, handed out and given notice."""
    BoardFactory(municipality=home)
    programme = building()
    a_locked_statement(home, neighbour)
    agreement = draft(area, [home, neighbour], owner, programme=programme)
    fill_in(agreement)
    on_referral(agreement)
    theirs, ours = {"by": asker, "on_behalf_of": neighbour.body}, {"by": owner, "on_behalf_of": home.body}
    answer = answer_referral(
        party_of(agreement, neighbour), kind="change_wanted", section="resor", text="Bussen är dyr.", **theirs
    )
    settle_answer(answer, outcome="accepted", **ours)
    sha256 = to_decision(agreement)
    for municipality in (home, neighbour):
        decide(agreement, municipality, sha256, document=document_file("protokoll.pdf", SCAN))
    paper = {"method": SignOffMethod.PAPER, "day": date(2022, 6, 1), "document": document_file("avtal.pdf", SCAN)}
    sign_for(agreement, home, sha256)
    sign_for(agreement, neighbour, sha256, **paper)
    version = Version.objects.of(agreement).get()
    send_copies(agreement, version, store_renditions(version, [MadeFile("zip", home.code, "kopia.zip", b"PK")]))
    notice = give_notice(
        party_of(agreement, home), given_on=today(), received_on=today(), reason="Egen start.",
        **ours,
    )  # fmt: skip
    agree_to_withdrawal(notice, party_of(agreement, neighbour), **theirs)
    files = [{"name": "avtal.pdf", "sha256": sha256, "size": 9}]
    Disclosure.objects.create(agreement=agreement, files=files, by=owner, on_behalf_of=home.body)
    add_clause(area, section="resor", name="Busskort", text="Hemkommunen betalar busskortet.", **ours)
    return agreement


# What must not change, and something else that each column could say.
FIXED: dict[type[models.Model], dict[str, Any]] = {
    Agreement: {
        "title": "Annat", "kind": "equipment", "standing": "primary", "year": 1999, "sequence": 99,
    },
    Revision: {
        "title": "Annat", "kind": "renewal", "ordinal": 9, "sections": [], "first_day": date(2020, 1, 1),
        "last_day": date(2030, 6, 30), "is_open_ended": False, "notice_months": 1, "notice_effect": "day",
        "notice_ends": "for_party", "price_kind": "fixed", "incl_meals": True, "incl_vat": True,
        "independents_percent": 6, "annex_month": 1, "annex_day": 1, "follow_up_month": 1, "follow_up_day": 1,
        "applies_from": 2030, "state": "draft", "version": None, "deciding_since": None,
    },
    Term: {"seats": 99, "unlimited": True, "price_sek": 1, "intake_from": 2030, "intake_to": 2030},
    Version: {"number": 9, "content": {}, "content_sha256": "0" * 64, "schema": "x"},
    Rendition: {"name": "annan.zip", "sha256": "0" * 64},
    Attachment: {"name": "annat.pdf", "sha256": "0" * 64, "size": 1},
    Decision: {
        "result": "rejected", "day": date(2020, 1, 1), "paragraph": "§ 1", "case_number": "X", "remark": "Nej",
        "board_name": "kommunstyrelsen", "content_sha256": "0" * 64, "final_on": date(2030, 1, 1),
    },
    SignOff: {"signed_as": "Någon annan", "day": date(2020, 1, 1), "evidence": {}, "content_sha256": "0" * 64},
    Referral: {},
    ReferralAnswer: {"text": "Annat", "kind": "no_objection", "section": "syfte"},
    Notice: {
        "given_on": date(2020, 1, 1), "received_on": date(2030, 1, 1), "reason": "Annat", "months": 1,
        "effect": "day", "ends": "for_party", "effective_on": date(2030, 1, 1),
    },
    NoticeConsent: {"at": "2020-01-01 00:00Z"},
    ArchiveCopy: {"sent_at": "2020-01-01 00:00Z"},
    ClauseVersion: {"text": "Annat", "number": 9},
    Disclosure: {"note": "Annat", "files": []},
    Statement: {"state": "draft", "number": 9, "semester": "VT", "school_year": 2030},
    StatementLine: {"pupils": 99, "amount_sek": 1, "price_sek": 1, "basis": "chosen"},
    PriceRow: {"sek_per_pupil_year": 1, "label": "Annat"},
}  # fmt: skip
CHANGES = [(model, field, value) for model, values in FIXED.items() for field, value in values.items()]
GONE = [*FIXED, Party]


def rows(model: type[models.Model]) -> list[dict[str, Any]]:
    return list(model._default_manager.order_by("pk").values())


def is_open(door: Callable[[], Any]) -> bool:
    """Whether the database lets somebody through, now and when the transaction ends."""
    try:
        with transaction.atomic():
            door()
            sql("SET CONSTRAINTS ALL IMMEDIATE")
    except (DatabaseError, ProtectedError):
        return False
    return True


def sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def ways_to_change(model: type[models.Model], field: str, value: Any) -> dict[str, Callable[[], Any]]:
    """The doors to one column of the first row: one column at a time, so that none hides behind another."""
    row = model._default_manager.order_by("pk")[0]
    pk, table, column = row.pk, model._meta.db_table, model._meta.get_field(field).column
    raw = json.dumps(value) if isinstance(value, dict | list) else value
    setattr(row, field, value)
    return {
        "SQL": lambda: sql(f"UPDATE {table} SET {column} = %s WHERE id = %s", raw, pk),
        "update": lambda: model._default_manager.filter(pk=pk).update(**{field: value}),
        "bulk_update": lambda: model._default_manager.bulk_update([row], [field]),
        "save": lambda: row.save(),
    }


def ways_to_delete(model: type[models.Model]) -> dict[str, Callable[[], Any]]:
    row = model._default_manager.order_by("pk")[0]
    return {
        "SQL": lambda: sql(f"DELETE FROM {model._meta.db_table} WHERE id = %s", row.pk),
        "the queryset": lambda: model._default_manager.filter(pk=row.pk).delete(),
        "delete": lambda: row.delete(),
    }


def test_no_column_of_what_is_on_record_is_changed_by_any_door(world):
    before = {model: rows(model) for model in FIXED}

    open_doors = [
        f"{model.__name__}.{field} by {name}"
        for model, field, value in CHANGES
        for name, door in ways_to_change(model, field, value).items()
        if is_open(door)
    ]

    assert open_doors == []
    assert {model: rows(model) for model in FIXED} == before


def test_no_row_of_what_is_on_record_is_deleted_by_any_door(world):
    before = {model: rows(model) for model in GONE}

    open_doors = [
        f"{model.__name__} by {name}" for model in GONE for name, door in ways_to_delete(model).items() if is_open(door)
    ]

    assert open_doors == []
    assert {model: rows(model) for model in GONE} == before


@pytest.mark.parametrize("field", ["agreement", "municipality"])
def test_who_the_parties_are_stays(world, elsewhere, field):
    MembershipFactory(area=world.area, municipality=elsewhere)
    other = draft(world.area, [world.parties.get(position=1).municipality, elsewhere])
    value = {"agreement": other, "municipality": elsewhere}[field]
    before = rows(Party)

    assert not is_open(lambda: Party.objects.filter(agreement=world, position=0).update(**{field: value}))
    assert not is_open(lambda: Party.objects.create(agreement=world, municipality=elsewhere))

    assert rows(Party) == before


def test_nothing_is_slipped_in_beside_what_is_agreed(world):
    """Neither a term, nor a line of a locked statement, nor a word about another content."""
    decision, sign_off, term, line = (
        model._default_manager.order_by("pk").first() for model in (Decision, SignOff, Term, StatementLine)
    )
    for row, other in (
        (term, {"intake_from": 2050}),
        (line, {"programme": ProgrammeFactory()}),
        (decision, {"replaces_id": decision.pk, "content_sha256": "0" * 64}),
        (sign_off, {"place": "party:0", "content_sha256": "0" * 64}),
    ):
        before = rows(type(row))
        row.pk = None
        for name, value in other.items():
            setattr(row, name, value)
        assert not is_open(lambda row=row: row.save(force_insert=True))
        assert rows(type(row)) == before


def test_a_state_comes_only_from_the_one_before(area, home, neighbour, owner):
    """The path of a revision, tried from each state to each by raw SQL."""
    agreement = draft(area, [home, neighbour], owner, programme=building())
    fill_in(agreement)
    to_decision(agreement)
    revision = revision_of(agreement)
    reach = {"deciding": [], "signing": ["signing"], "signed": ["signing", "signed"], "rejected": ["rejected"],
             "withdrawn": ["withdrawn"], "draft": ["draft"], "referral": ["draft", "referral"]}  # fmt: skip
    allowed = set()
    for state, path in reach.items():
        for wanted in RevisionState.values:
            with transaction.atomic():
                for step in path:
                    sql("UPDATE agreements_revision SET state = %s, signed_at = now() WHERE id = %s", step, revision.pk)
                try:
                    with transaction.atomic():
                        sql("UPDATE agreements_revision SET state = %s WHERE id = %s", wanted, revision.pk)
                    allowed.add((state, wanted))
                except DatabaseError:
                    pass
                transaction.set_rollback(True)

    assert {pair for pair in allowed if pair[0] != pair[1]} == set(TRANSITIONS)


PEOPLE = ["owner", "asker", "committee", "outsider", "system_administrator"]


@pytest.mark.parametrize("who", PEOPLE)
def test_the_api_changes_nothing_that_is_agreed(world, elsewhere, client, request, who):
    """Every verb on every address of one row."""
    everything = [*FIXED, Party, Part]
    before = {model: rows(model) for model in everything}
    version = Version.objects.of(world).get()
    first = {model: model._default_manager.order_by("pk").first().pk for model in everything}
    client.force_login(request.getfixturevalue(who))
    revision = {"title": "Annat", "notice_months": 1, "sections": []}
    addresses = {
        f"agreements/{world.pk}": {"title": "Annat", "parties": ["0381", "2180"], "standing": "primary"},
        f"agreement-revisions/{first[Revision]}": revision,
        f"agreement-terms/{first[Term]}": {"seats": 99},
        f"agreement-versions/{version.pk}": {"content": {}},
        f"referral-answers/{first[ReferralAnswer]}": {"text": "Annat"},
        f"decisions/{first[Decision]}": {"result": "rejected"},
        f"sign-offs/{first[SignOff]}": {"signed_as": "Annan"},
        f"notices/{first[Notice]}": {"effective_on": "2040-01-01"},
        f"cover/{world.covers.order_by('pk').first().pk}": {"seats": 99},
        f"parts/{first[Part]}": {"text": "Annat"},
        f"clauses/{ClauseVersion.objects.get().clause_id}": {"text": "Annat"},
        f"price-lists/{PriceRow.objects.order_by('pk').first().price_list_id}": {"rows": []},
        f"statements/{first[Statement]}": {"state": "draft"},
    }

    for address, body in addresses.items():
        for method in ("put", "patch", "delete"):
            edit = '"0"' if "parts" in address else f'"{revision_of(world).edit}"'
            answer = getattr(client, method)(
                f"/api/v1/{address}/", body, content_type="application/json", headers={"If-Match": edit}
            )
            assert answer.status_code in (403, 404, 405, 409), (method, address, answer.content)

    assert {model: rows(model) for model in everything} == before


def test_the_administration_of_tables_changes_nothing_either(world, client, system_administrator):
    client.force_login(system_administrator)

    for model, values in {**FIXED, Party: {"case_number": "X"}}.items():
        before = rows(model)
        sent = {name: "" if value is None else value for name, value in values.items()} | {"post": "yes"}
        names = [f"admin:{model._meta.app_label}_{model._meta.model_name}_{verb}" for verb in ("change", "delete")]
        for name in names:
            try:
                address = reverse(name, args=[before[0]["id"]])
            except NoReverseMatch:
                assert model not in admin.site._registry
                continue
            assert client.post(address, sent).status_code == 403
        assert rows(model) == before
