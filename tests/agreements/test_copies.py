"""What is made of a signed version: files, a copy for each party, its receipt; and nothing of it changes afterwards."""

import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from hashlib import sha256 as sha256_of_bytes
from io import BytesIO
from zipfile import ZipFile

import pypdfium2
import pytest
from django.core import mail
from django.db import DatabaseError, connection, transaction
from django.test import Client

from agreements.models import ArchiveCopy, RevisionKind
from agreements.operations import NotYourParty, ReceivedAlready, receive_copy, start_revision
from agreements.operations.freezing import SIGNED_FILES, order_files
from agreements.outline import SCOPE
from collab4m.clock import now, today
from organisations.models import Municipality
from records import storage
from records.models import Event, Job, JobState, Rendition, RenditionKind, Version
from records.operations import claim_job, deliver_mail, document_file, run_job, work_off_jobs
from tests.agreements.stories import (
    approved,
    building,
    decide,
    draft,
    fill_in,
    revision_of,
    sign_for,
    signed,
    to_decision,
)
from tests.factories import BoardFactory, PriceListFactory, PriceRowFactory, RoleFactory

MINUTES = b"%PDF-1.7 an extract of the minutes"
SCAN = b"\x89PNG\r\n\x1a\n the signed page"


def with_documents(area, home, neighbour, owner):
    """Signed with an extract of minutes and a scan handed in."""
    found = draft(area, [home, neighbour], owner, programme=building())
    fill_in(found)
    sha256 = to_decision(found)
    decide(found, home, sha256, document=document_file("protokoll.pdf", MINUTES))
    decide(found, neighbour, sha256)
    sign_for(found, home, sha256)
    paper = {"method": "paper", "day": today(), "document": document_file("skannad.png", SCAN)}
    sign_for(found, neighbour, sha256, second_factor_at=None, **paper)
    return found


@pytest.fixture
def agreement(area, home, neighbour, owner, asker):
    return with_documents(area, home, neighbour, owner)


def zip_of(copy) -> ZipFile:
    return ZipFile(BytesIO(storage.read(copy.rendition.sha256)))


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(page.get_textpage().get_text_bounded() for page in document).split())


def everything(agreement):
    """Content, hashes and files as they are now."""
    versions = [(v.number, v.content_sha256, v.content) for v in Version.objects.of(agreement)]
    files = sorted(Rendition.objects.values_list("kind", "variant", "sha256", "pk"))
    copies = sorted(ArchiveCopy.objects.values_list("party", "rendition"))
    return versions, files, copies


def test_each_party_gets_sealed_pdf_word_and_a_package(agreement, home, neighbour):
    work_off_jobs()

    version = revision_of(agreement).version
    made = {(one.kind, one.variant) for one in version.renditions.current()}
    assert {(kind, one.code) for kind in ("pdf", "sealed", "docx", "zip") for one in (home, neighbour)} < made
    assert {(copy.party.municipality_id, copy.rendition.variant) for copy in ArchiveCopy.objects.all()} == {
        (home.pk, home.code), (neighbour.pk, neighbour.code),
    }  # fmt: skip


def test_the_package_holds_manifest_decisions_signatures_and_their_documents(agreement, home, owner):
    work_off_jobs()

    package = zip_of(ArchiveCopy.objects.get(party__municipality=home))
    listed = json.loads(package.read("manifest.json"))
    files = {one["name"]: one for one in listed["files"]}
    assert set(package.namelist()) == {*files, "manifest.json"}
    assert all(sha256_of_bytes(package.read(name)).hexdigest() == one["sha256"] for name, one in files.items())
    attached = {name.split("-", 1)[1]: package.read(name) for name in files if name.startswith("bilagor/")}
    assert attached == {"protokoll.pdf": MINUTES, "skannad.png": SCAN}
    pdf = next(name for name in files if name.endswith(".pdf") and not name.startswith("bilagor/"))
    text = text_of(package.read(pdf))
    version = revision_of(agreement).version
    assert listed["content_sha256"] == version.content_sha256
    assert all(words in text for words in ("utbildningsnämnden", "§ 84", "2022/17", "Nämndens ordförande"))
    assert version.content_sha256 in text.replace(" ", "")
    assert owner.name not in text  # who pressed the button is no party to the agreement


def test_the_copy_is_told_of_by_mail_with_its_hash(agreement, home, owner):
    committee = RoleFactory(kind="committee", body=home.body).user
    work_off_jobs()
    deliver_mail()

    copy = ArchiveCopy.objects.get(party__municipality=home)
    told = [message for message in mail.outbox if copy.rendition.sha256 in message.body]
    assert {message.to[0] for message in told} == {owner.email, committee.email}
    assert f"/avtal/kopior/{copy.pk}/" in told[0].body


def test_a_copy_is_received_once_by_its_own_party(agreement, home, neighbour, owner, asker, outsider):
    work_off_jobs()
    copy = ArchiveCopy.objects.get(party__municipality=home)
    for by, body in [(asker, home), (asker, neighbour), (outsider, home)]:
        with pytest.raises(NotYourParty):
            receive_copy(copy, by=by, on_behalf_of=body.body)

    receive_copy(copy, by=owner, on_behalf_of=home.body)
    with pytest.raises(ReceivedAlready):
        receive_copy(copy, by=owner, on_behalf_of=home.body)

    copy.refresh_from_db()
    assert (copy.received_by, copy.received_at is not None) == (owner, True)
    assert Event.objects.about(agreement).filter(name="agreement.copy_received").count() == 1


def test_a_copy_is_not_changed_or_removed(agreement, home, owner):
    work_off_jobs()
    copy = ArchiveCopy.objects.get(party__municipality=home)
    other = Rendition.objects.exclude(pk=copy.rendition_id).first()
    receive_copy(copy, by=owner, on_behalf_of=home.body)
    rows = ArchiveCopy.objects.filter(pk=copy.pk)

    for change in ({"rendition": other}, {"received_at": None}, {"received_by": None}):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.delete()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM agreements_archivecopy")

    assert rows.get().rendition_id == copy.rendition_id


def test_the_files_are_the_same_when_they_are_made_again(agreement, neighbour):
    work_off_jobs()
    before = everything(agreement)
    decided = revision_of(agreement).version.decisions.standing().get(body=neighbour.pk)
    later = document_file("senare.pdf", b"%PDF-1.7 handed in later")
    decide(agreement, neighbour, decided.content_sha256, corrects=decided.pk, document=later, final_on=today())
    order_files(revision_of(agreement).version, by=None, on_behalf_of=None, kind=SIGNED_FILES)
    work_off_jobs()

    assert everything(agreement) == before
    assert Job.objects.filter(kind=SIGNED_FILES, state=JobState.DONE).count() == 2


def test_names_and_prices_that_change_later_change_nothing_that_is_signed(area, home, neighbour, owner, asker):
    board = BoardFactory(municipality=home, name="utbildningsnämnden")
    prices = PriceListFactory(kind="own_list", municipality=neighbour)
    PriceRowFactory(price_list=prices)
    found = draft(area, [home, neighbour], owner, programme=building())
    found.parties.filter(municipality=home).update(board=board)
    signed(found)
    work_off_jobs()
    before = everything(found)
    bytes_before = {digest: storage.read(digest) for digest in Rendition.objects.values_list("sha256", flat=True)}

    Municipality.objects.filter(pk=home.pk).update(name="Nyköping", full_name="Nyköpings kommun")
    type(board).objects.filter(pk=board.pk).update(name="barnnämnden")
    PriceRowFactory(price_list=PriceListFactory(kind="own_list", municipality=neighbour, number=2))
    order_files(revision_of(found).version, by=None, on_behalf_of=None, kind=SIGNED_FILES)
    work_off_jobs()

    assert everything(found) == before
    assert {digest: storage.read(digest) for digest in bytes_before} == bytes_before
    assert all(version.is_intact() for version in Version.objects.of(found))


# Verifying


def verdict(address: str) -> str:
    answer = Client(headers={"accept-language": "en"}).get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def test_anyone_learns_that_the_content_is_decided_and_signed_but_not_by_whom_in_person(agreement, owner, asker):
    work_off_jobs()
    version = revision_of(agreement).version
    sealed = version.renditions.get(kind=RenditionKind.SEALED, variant="0381")

    for digest in (version.content_sha256, sealed.sha256):
        page = verdict(f"/verifiera/{digest}/")
        assert "<h1>Authentic: this version is signed by all</h1>" in page
        assert all(words in page for words in ("Enköping", "Västerås", "utbildningsnämnden", "§ 84"))
        assert not any(name in page for name in (owner.name, asker.name, "Nämndens ordförande"))


def test_what_is_signed_is_not_superseded_by_what_is_written_after_it(agreement, home, owner):
    start_revision(agreement, kind=RevisionKind.AMENDMENT, by=owner, on_behalf_of=home.body, sections=[SCOPE])
    revision = revision_of(agreement)
    revision.terms.update(seats=4)
    type(revision).objects.filter(pk=revision.pk).update(first_day=today())
    later = approved(agreement)

    assert "this version is signed by all" in verdict(f"/verifiera/{first_of(agreement).content_sha256}/")
    assert "this version is signed by all" not in verdict(f"/verifiera/{later}/")


def first_of(agreement):
    return agreement.revisions.get(ordinal=1).version


# A worker that is killed


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def do_what_waits_and_die() -> None:
    """In another process: made, kept in the store, and killed before the rows are written."""
    from agreements.operations import copies

    def deadly(*_args):
        die()

    copies.mails.archive_copy = deadly
    run_job(claim_job())


WORK = """
import sys
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from tests.agreements import test_copies
test_copies.do_what_waits_and_die()
"""


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_over_the_copies_leaves_them_to_the_next(area, home, neighbour, owner, asker):
    signed(draft(area, [home, neighbour], owner, programme=building()))
    run_job(claim_job())  # the files of the version that was decided on
    before = Rendition.objects.count()

    killed = subprocess.run([sys.executable, "-c", WORK, connection.settings_dict["NAME"]], timeout=300)
    assert -killed.returncode == signal.SIGKILL
    assert (ArchiveCopy.objects.count(), Rendition.objects.count()) == (0, before)
    Job.objects.filter(state=JobState.RUNNING).update(heartbeat_at=now() - timedelta(seconds=61))
    work_off_jobs()

    job = Job.objects.get(kind=SIGNED_FILES)
    assert (job.state, job.attempts) == (JobState.DONE, 2)
    assert sorted(ArchiveCopy.objects.values_list("party__municipality__name", flat=True)) == ["Enköping", "Västerås"]
    deliver_mail()
    assert len([message for message in mail.outbox if "/avtal/kopior/" in message.body]) == 2
