"""The addresses of signing, copies and public access, and what each role meets there."""

from typing import Any

from agreements.models import Agreement, ArchiveCopy, Disclosure, SignatureRequest
from agreements.operations import disclose, seen_of_disclosure, set_signing_order, to_disclose
from agreements.operations.copies import send_copies
from records.documents.files import MadeFile
from records.operations import document_file, store_renditions
from tests.agreements.stories import approved, building, decide, draft, fill_in, party_of, revision_of, signed
from tests.pages import Page

SCAN = b"%PDF-1.7 an extract of minutes"


def to_sign(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> Agreement:
    """Approved by both boards; either party may sign first."""
    found = draft(area, [home, neighbour], owner, programme=building())
    fill_in(found)
    set_signing_order(found, order={home.pk: 1, neighbour.pk: 1}, by=owner, on_behalf_of=home.body)
    approved(found)
    return found


def with_copies(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> Agreement:
    """Signed, with files that only look like files, and each party's copy."""
    found = signed(draft(area, [home, neighbour], owner, programme=building()))
    version = revision_of(found).version
    assert version is not None
    decided = version.decisions.standing().get(body=home.pk)
    minutes = document_file("protokoll.pdf", SCAN)
    decide(found, home, version.content_sha256, corrects=decided.pk, document=minutes)
    files = [
        MadeFile(kind, one.code, f"avtal-{one.code}.{ending}", f"{kind} {one.code}".encode(), {"closing": {}})
        for one in (home, neighbour)
        for kind, ending in (("sealed", "pdf"), ("zip", "zip"))
    ]
    send_copies(found, version, store_renditions(version, files))
    return found


def disclosed(agreement: Agreement, home: Any, owner: Any, **more: Any) -> Disclosure:
    going, _staying = to_disclose(agreement, home.body)
    values: dict[str, Any] = {
        "seen": seen_of_disclosure(going),
        "note": "På papper",
        "by": owner,
        "on_behalf_of": home.body,
    }
    return disclose(agreement, **(values | more))


def of_signing(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [to_sign(area, home, neighbour, owner, asker).pk]


def logged_in(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [*of_signing(area, home, neighbour, owner, asker), "inloggad"]


def on_paper(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [*of_signing(area, home, neighbour, owner, asker), "papper"]


def of_request(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    found = to_sign(area, home, neighbour, owner, asker)
    asked = SignatureRequest.objects.create(
        version=revision_of(found).version, party=party_of(found, home), signed_as="Ordföranden", email="a@b.example",
        by=owner,
    )  # fmt: skip
    return [found.pk, asked.pk]


def of_signed(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return [with_copies(area, home, neighbour, owner, asker).pk]


def of_copy(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    with_copies(area, home, neighbour, owner, asker)
    return [ArchiveCopy.objects.get(party__municipality=home).pk]


def of_disclosed(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    found = with_copies(area, home, neighbour, owner, asker)
    return [found.pk, disclosed(found, home, owner).pk]


def of_log(area: Any, home: Any, neighbour: Any, owner: Any, asker: Any) -> list[Any]:
    return of_disclosed(area, home, neighbour, owner, asker)[:1]


SIGNERS = {"owner": 200, "asker": 200, "committee": 403}
AROUND = {"principal": 403, "council_member": 403}

SIGNING_PAGES = [
    Page("signature_new", args=of_signing, everyone=404, status=SIGNERS),
    Page("signature_by", args=logged_in, everyone=404, status=SIGNERS),
    Page("signature_by", args=on_paper, query="?papper", everyone=404, status=SIGNERS),
    Page("signature_take_back", args=of_request, method="post", draws=False, everyone=404, status={"owner": 302}),
    Page("signing_order", args=of_signing, everyone=404, status=SIGNERS),
    Page("archive_copy", args=of_copy, everyone=404, status={"owner": 200, "committee": 200}),
    Page("disclosure_new", args=of_signed, everyone=404, status={**SIGNERS, **AROUND}),
    Page("disclosures", args=of_log, everyone=404, status={**SIGNERS, **AROUND, "committee": 200}),
    Page(
        "disclosure_file", args=of_disclosed, draws=False, everyone=404,
        status={**SIGNERS, **AROUND, "committee": 200},
    ),
]  # fmt: skip
