"""Whether something is authentic: told to everyone, by hash or by file, and nothing is kept of the file."""

import os
import tempfile
from hashlib import sha256

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from records import uploads
from records.documents.content import sha256_of
from records.models import Version
from records.operations import store_renditions, work_off_jobs
from tests.records.documents.content import COVER, small
from tests.records.test_versions import a_file, frozen, order

AUTHENTIC = "Authentic: this is the latest version"
SUPERSEDED = "Authentic, but superseded by a later version"
UNKNOWN = "Not authentic: this was not made in the portal"


@pytest.fixture
def client():
    return Client(headers={"accept-language": "en"})


def verdict(answer) -> str:
    assert answer.status_code == 200
    page = answer.content.decode()
    said = [text for text in (AUTHENTIC, SUPERSEDED, UNKNOWN) if f"<h1>{text}</h1>" in page]
    assert len(said) == 1, page
    return said[0]


def upload(client, data: bytes, name: str = "a.pdf"):
    return client.post("/verifiera/", {"file": SimpleUploadedFile(name, data)})


def test_content_and_files_are_authentic_until_a_later_version_comes(client, school):
    first = frozen(school, "Ett", files=[a_file()])
    for digest in (first.content_sha256, sha256(b"%PDF-1.7 a").hexdigest()):
        assert verdict(client.get(f"/verifiera/{digest}/")) == AUTHENTIC
    assert verdict(upload(client, b"%PDF-1.7 a")) == AUTHENTIC

    second = frozen(school, "Två")

    assert verdict(client.get(f"/verifiera/{first.content_sha256}/")) == SUPERSEDED
    assert verdict(upload(client, b"%PDF-1.7 a")) == SUPERSEDED
    assert verdict(client.get(f"/verifiera/{second.content_sha256}/")) == AUTHENTIC


def test_a_file_that_both_versions_have_is_authentic(client, school):
    frozen(school, "Ett", files=[a_file(b"a;b", kind="csv", variant="t")])
    frozen(school, "Två", files=[a_file(b"a;b", kind="csv", variant="t")])

    assert verdict(upload(client, b"a;b")) == AUTHENTIC


def test_a_file_with_an_older_cover_is_superseded(client, school):
    version = frozen(school, files=[a_file()])
    store_renditions(version, [a_file(b"%PDF-1.7 b", cover=COVER)])

    assert verdict(upload(client, b"%PDF-1.7 a")) == SUPERSEDED
    assert verdict(upload(client, b"%PDF-1.7 b")) == AUTHENTIC


def test_a_made_up_pdf_that_claims_to_be_ours_is_not_authentic(client, school, read_pdf):
    order(school)
    work_off_jobs()
    version = Version.objects.get()
    ours = read_pdf(version)
    forged = ours.replace(b"Typst", b"Tipst", 1)

    assert version.content_sha256 == sha256_of(small("Fördjupad samverkan"))
    assert verdict(upload(client, ours)) == AUTHENTIC
    assert forged != ours
    assert verdict(upload(client, forged)) == UNKNOWN
    assert verdict(upload(client, ours + b"\n")) == UNKNOWN


@pytest.fixture
def read_pdf():
    from records import storage

    return lambda version: storage.read(version.renditions.get(kind="pdf").sha256)


def test_a_hash_may_be_typed_in_groups(client, school):
    digest = frozen(school).content_sha256
    groups = " ".join(digest[place : place + 4].upper() for place in range(0, 64, 4))

    answer = client.get("/verifiera/", {"kontrollsumma": f" {groups} "})

    assert (answer.status_code, answer["Location"]) == (302, f"/verifiera/{digest}/")


@pytest.mark.parametrize("typed", ["", "abc", "g" * 64, "0" * 65])
def test_what_is_no_hash_is_asked_for_again(client, db, typed):
    answer = client.get("/verifiera/", {"kontrollsumma": typed})

    assert answer.status_code == 200
    assert "error" in answer.content.decode().lower()


@pytest.mark.parametrize("path", ["/verifiera/abc/", f"/verifiera/{'A' * 64}/"])
def test_an_address_that_holds_no_hash_is_not_found(client, db, path):
    assert client.get(path).status_code in (302, 404)


def test_a_file_is_asked_for_again_when_there_is_none_or_it_is_empty(client, db):
    assert "Choose the file that you want to verify." in client.post("/verifiera/").content.decode()
    assert "The file is empty." in upload(client, b"").content.decode()


def test_no_byte_of_a_large_file_reaches_the_disk(client, db, monkeypatch, settings, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(settings.MEDIA_ROOT.rglob("*"))

    assert verdict(upload(client, os.urandom(6 * 1024 * 1024))) == UNKNOWN

    assert list(tmp_path.iterdir()) == []
    assert set(settings.MEDIA_ROOT.rglob("*")) == before


def test_a_file_larger_than_any_of_ours_is_refused(client, db, monkeypatch):
    monkeypatch.setattr(uploads, "LARGEST", 1024)

    assert "The file is larger than" in upload(client, b"x" * 2000).content.decode()


def test_the_name_of_an_uploaded_file_is_shown_as_text(client, db):
    page = upload(client, b"x", "<b>a.pdf").content.decode()

    assert "&lt;b&gt;a.pdf" in page
    assert "<b>a" not in page


def test_what_is_told_is_no_more_than_the_file_tells(client, school, owner, home):
    version = frozen(school, by=owner, on_behalf_of=home.body)
    page = client.get(f"/verifiera/{version.content_sha256}/").content.decode()

    assert owner.name not in page
    assert version.get_absolute_url() not in page
    assert 'class="c-example"' in page


def test_uploading_is_rate_limited(client, db, settings):
    settings.ACCOUNT_RATE_LIMITS = {**settings.ACCOUNT_RATE_LIMITS, "verify": "2/m/ip"}

    assert [upload(client, b"x").status_code for _time in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("count", [1, 3])
def test_a_verdict_costs_the_same_however_many_matches(
    client, school, neighbour, home, count, django_assert_num_queries
):
    subjects = [school, neighbour, home][:count]
    for subject in subjects:
        version = frozen(subject)

    with django_assert_num_queries(7):
        client.get(f"/verifiera/{version.content_sha256}/")
