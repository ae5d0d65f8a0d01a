"""The seal on PDF files: whole, ours, and broken by any change."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from pyhanko.keys import load_certs_from_pemder_data
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from records import sealing, storage
from records.documents.files import MadeFile, make_files
from records.models import JobState, Rendition, Version
from records.operations import unchanged, work_off_jobs
from records.sealing import Sealer, SealUnusable
from tests.records.documents.conftest import AT, SITE
from tests.records.documents.content import COVER, OTHER_COVER, small
from tests.records.test_verify import AUTHENTIC, SUPERSEDED, UNKNOWN, client, upload, verdict  # noqa: F401
from tests.records.test_versions import order

PEM = serialization.Encoding.PEM


@pytest.fixture
def own(settings, tmp_path):
    """A data folder of its own, so that the seal is made anew."""
    settings.DATA_DIR = tmp_path / "data"
    settings.SITE_URL = SITE
    return settings.DATA_DIR / "secret" / "seal.pem"


@pytest.fixture(scope="module")
def pdf() -> MadeFile:
    files = make_files(small(), number=3, at=AT, site=SITE, covers={"0381": COVER})
    return next(file for file in files if file.kind == "pdf")


def status(data: bytes, pem: bytes):
    """What pyHanko says of the only signature, when our certificate is trusted."""
    [signature] = PdfFileReader(BytesIO(data)).embedded_signatures
    trusted = ValidationContext(trust_roots=list(load_certs_from_pemder_data(pem)), allow_fetching=False)
    with ThreadPoolExecutor(1) as thread:  # as in the sealing itself: a browser test may have left a loop in this one
        return thread.submit(validate_pdf_signature, signature, trusted).result()


def is_valid(data: bytes, pem: bytes) -> bool:
    return status(data, pem).bottom_line


def test_a_sealed_file_is_the_same_pdf_with_a_valid_seal_of_the_portal(own, pdf):
    sealed = Sealer().sealed(pdf)

    assert (sealed.kind, sealed.variant, sealed.cover) == ("sealed", "0381", COVER)
    assert sealed.name == pdf.name.replace(".pdf", "-forseglad.pdf")
    assert sealed.data.startswith(pdf.data)
    found = status(sealed.data, own.read_bytes())
    assert found.bottom_line
    assert found.coverage == SignatureCoverageLevel.ENTIRE_FILE
    with pikepdf.open(BytesIO(sealed.data)) as document:
        signature = document.Root.Perms.DocMDP
        assert (signature.Type, signature.SubFilter) == ("/Sig", "/ETSI.CAdES.detached")
        assert signature.Reference[0].TransformParams.P == 1


def test_tags_and_standards_survive_the_seal(own, pdf):
    with pikepdf.open(BytesIO(pdf.data)) as before, pikepdf.open(BytesIO(Sealer().sealed(pdf).data)) as after:
        assert after.Root.Metadata.read_bytes() == before.Root.Metadata.read_bytes()
        assert dict(after.docinfo) == dict(before.docinfo)
        assert after.pdf_version == before.pdf_version
        for key in set(before.Root.keys()):
            assert after.Root[key].unparse() == before.Root[key].unparse()
        assert set(after.Root.keys()) - set(before.Root.keys()) == {"/AcroForm", "/Extensions", "/Perms"}
        [field] = after.Root.AcroForm.Fields
        on = next(page for page in after.pages if field.objgen in [one.objgen for one in page.get("/Annots", [])])
        assert on.Tabs == "/S"
        left, _bottom, right, _top = map(float, field.Rect)
        assert left == right < float(on.mediabox[0])


def flipped(data: bytes) -> bytes:
    place = data.index(b"stream") + 100
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def rewritten(data: bytes) -> bytes:
    made = BytesIO()
    with pikepdf.open(BytesIO(data)) as document:
        document.save(made)
    return made.getvalue()


def added_to(data: bytes) -> bytes:
    """A comment on the first page, after the bytes that were signed: as readers' programs write it."""
    writer = IncrementalPdfFileWriter(BytesIO(data))
    comment = generic.DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/Text"),
            pdf_name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 20, 20))),
            pdf_name("/Contents"): generic.pdf_string("Bifalles"),
        }
    )
    writer.register_annotation(writer.find_page_for_modification(0)[0], writer.add_object(comment))
    made = BytesIO()
    writer.write(made)
    return made.getvalue()


@pytest.mark.parametrize("change", [flipped, rewritten, added_to])
def test_any_change_breaks_the_seal(own, pdf, change):
    data = Sealer().sealed(pdf).data
    changed = change(data)

    assert changed != data
    assert not is_valid(changed, own.read_bytes())


def test_a_seal_by_another_key_is_not_ours(own, pdf, settings, tmp_path):
    Sealer().sealed(pdf)
    settings.DATA_DIR = tmp_path / "elsewhere"

    assert not is_valid(Sealer().sealed(pdf).data, own.read_bytes())


# The key


def test_key_and_certificate_are_made_once_for_the_owner_alone_and_say_what_they_are(own, pdf):
    with ThreadPoolExecutor(4) as pool:
        serials = list(pool.map(lambda _time: Sealer().signer.signing_cert.serial_number, range(4)))

    assert len(set(serials)) == 1
    assert [path.name for path in own.parent.iterdir()] == ["seal.pem"]
    assert (own.stat().st_mode & 0o777, own.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    certificate = x509.load_pem_x509_certificate(own.read_bytes())
    assert certificate.serial_number == serials[0]
    assert certificate.subject == certificate.issuer
    assert certificate.subject.rfc4514_string() == (
        f"CN={SITE},OU=Self-signed: no authority vouches for this name,O=collab4m"
    )


def test_a_site_with_a_long_address_gets_a_certificate(own, settings):
    settings.SITE_URL = f"https://{'å' * 80}.example"

    assert Sealer().signer


def issued(tmp_path, monkeypatch, *, days=(-1, 1), key=None):
    """Name a certificate from an authority by the settings, and give that of the authority."""
    now = datetime.now(UTC)
    authority_key, own_key = (rsa.generate_private_key(65537, 2048) for _time in range(2))

    def certificate(name, public_key, issuer, is_authority):
        names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, one)]) for one in (issuer, name)]
        span = [now + timedelta(days=count) for count in ((-2, 2) if is_authority else days)]
        draft = x509.CertificateBuilder(*names, public_key, x509.random_serial_number(), *span)
        draft = draft.add_extension(x509.BasicConstraints(is_authority, None), True)
        usage = [not is_authority, not is_authority, False, False, False, is_authority, False, False, False]
        return draft.add_extension(x509.KeyUsage(*usage), True).sign(authority_key, hashes.SHA256())

    authority = certificate("An authority", authority_key.public_key(), "An authority", True)
    own = certificate("The municipality", own_key.public_key(), "An authority", False)
    key_file, certificate_file = tmp_path / "key.pem", tmp_path / "certificate.pem"
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_file.write_bytes((key or own_key).private_bytes(PEM, *plain))
    certificate_file.write_bytes(own.public_bytes(PEM) + authority.public_bytes(PEM))
    monkeypatch.setenv("SEAL_KEY_FILE", str(key_file))
    monkeypatch.setenv("SEAL_CERTIFICATE_FILE", str(certificate_file))
    return authority.public_bytes(PEM)


def test_a_real_certificate_is_used_when_the_settings_name_one(own, pdf, tmp_path, monkeypatch):
    authority = issued(tmp_path, monkeypatch)

    found = status(Sealer().sealed(pdf).data, authority)

    assert found.bottom_line
    assert "The municipality" in found.signing_cert.subject.human_friendly
    assert not own.exists()


@pytest.mark.parametrize("fault", ["another key", "expired", "not yet", "no certificate", "no file", "no key in it"])
def test_a_seal_that_cannot_be_used_is_refused_with_the_reason_in_the_log(
    own, pdf, tmp_path, monkeypatch, caplog, fault
):
    spans = {"expired": (-2, -1), "not yet": (1, 2)}
    key = rsa.generate_private_key(65537, 2048) if fault == "another key" else None
    issued(tmp_path, monkeypatch, days=spans.get(fault, (-1, 1)), key=key)
    if fault == "no certificate":
        monkeypatch.delenv("SEAL_CERTIFICATE_FILE")
    if fault == "no file":
        monkeypatch.setenv("SEAL_KEY_FILE", str(tmp_path / "missing.pem"))
    if fault == "no key in it":
        (tmp_path / "key.pem").write_text("nothing")

    with pytest.raises(SealUnusable):
        Sealer().sealed(pdf)

    assert "The seal's key or certificate cannot be used" in caplog.text


# In a job


def sealed_files() -> dict[str, Rendition]:
    return {one.variant: one for one in Rendition.objects.filter(kind="sealed")}


def test_a_job_seals_each_pdf_once(school):
    covers = {"0381": COVER, "1980": OTHER_COVER}
    order(school, covers=covers)
    work_off_jobs()
    first = sealed_files()
    order(school, covers=covers)
    work_off_jobs()

    assert sealed_files() == first
    assert unchanged(school, small("Fördjupad samverkan"), covers) == Version.objects.get()
    for variant, sealed in first.items():
        pdf = Rendition.objects.get(kind="pdf", variant=variant)
        assert storage.read(sealed.sha256).startswith(storage.read(pdf.sha256))
        assert sealed.cover == pdf.cover == covers[variant]

    order(school, covers={"0381": {**COVER, "case_number": "UAN2022/18"}, "1980": OTHER_COVER})
    work_off_jobs()

    assert sealed_files()["1980"] == first["1980"]
    numbers = Rendition.objects.filter(kind="sealed", variant="0381").values_list("cover__case_number", flat=True)
    assert list(numbers) == ["UAN2022/17", "UAN2022/18"]


def test_what_cannot_be_sealed_is_not_made_final(school, monkeypatch, tmp_path):
    monkeypatch.setenv("SEAL_KEY_FILE", str(tmp_path / "missing.pem"))
    job = order(school)
    work_off_jobs()

    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.FAILED, str(sealing.SealUnusable()))
    assert not Version.objects.exists()
    assert not Rendition.objects.exists()


def test_a_sealed_file_is_verified_and_downloaded(client, school, owner):  # noqa: F811
    order(school)
    work_off_jobs()
    sealed = Rendition.objects.get(kind="sealed")
    data = storage.read(sealed.sha256)

    assert verdict(upload(client, data)) == AUTHENTIC
    assert "PDF, sealed" in client.get(f"/verifiera/{sealed.sha256}/").content.decode()
    assert verdict(upload(client, flipped(data))) == UNKNOWN

    order(school, title="En senare version")
    work_off_jobs()

    assert verdict(upload(client, data)) == SUPERSEDED
    client.force_login(owner)
    answer = client.get(sealed.get_absolute_url())
    assert (answer.content, answer["Content-Type"]) == (data, "application/pdf")
