"""The portal's seal on PDF files: an invisible signature (PAdES, baseline B) that allows no change after it.

Whoever opens a sealed file sees that it is whole without asking the portal. That it is the portal's own is vouched
for only with a certificate from an authority: SEAL_KEY and SEAL_CERTIFICATE, see docs/operations.md.
"""

import logging
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from io import BytesIO

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko_certvalidator.registry import SimpleCertificateStore

from collab4m import embedded, env
from collab4m.clock import now
from collab4m.errors import RuleBroken
from records.documents.files import MadeFile

FIELD = "collab4m"
KEY_BITS = 3072  # RSA: elliptic curves need PDF 2.0, which PDF/A-2 is not
OWN_HOLDS = timedelta(days=30 * 365)
LONGEST_NAME = 64  # bytes, in a certificate
BESIDES_CERTIFICATES = 4096  # bytes of a signature, amply

log = logging.getLogger(__name__)


class SealUnusable(RuleBroken):
    code = "seal_unusable"
    message = _(
        "The PDF files cannot be sealed: the seal's key or certificate cannot be read, they do not belong together, or"
        " the certificate is not valid today. Tell the system administrator; the log says which it is."
    )


class MetadataKept(IncrementalPdfFileWriter):
    def _update_meta(self) -> None:
        """Title, language and standards stay as they were written; pyHanko would write them anew, its own way."""


class Sealer:
    """Seals PDF files. Reads the key once, when the first is sealed."""

    @cached_property
    def signer(self) -> signers.SimpleSigner:
        """The key, its certificate and those of its issuers. Raises SealUnusable."""
        try:
            named = env.text("SEAL_KEY", ""), env.text("SEAL_CERTIFICATE", "")
            key_pem, certificates_pem = (text.encode() for text in named) if any(named) else (_own_pair(),) * 2
            certificate = x509.load_pem_x509_certificates(certificates_pem)[0]
            if serialization.load_pem_private_key(key_pem, None).public_key() != certificate.public_key():
                raise ValueError("The first certificate is not that of the key.")
            since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
            if not since <= now() <= until:
                raise ValueError(f"The certificate is valid from {since} to {until}.")
            own, *issuers = load_certs_from_pemder_data(certificates_pem)
            loaded = load_private_key_from_pemder_data(key_pem, None)
        except (ImproperlyConfigured, TypeError, ValueError) as error:
            log.error("The seal's key or certificate cannot be used: %s", error)
            raise SealUnusable from error
        return signers.SimpleSigner(own, loaded, SimpleCertificateStore.from_certs(issuers))

    def sealed(self, file: MadeFile) -> MadeFile:
        """The same PDF with the seal after its bytes, another each time. Raises SealUnusable."""
        meta = signers.PdfSignatureMetadata(
            FIELD, md_algorithm="sha256", subfilter=fields.SigSeedSubFilter.PADES,
            certify=True, docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        )  # fmt: skip
        # Out of bounds as PDF/UA asks of what has no tag, printed and without size as PDF/A asks of what has no look.
        field = fields.SigFieldSpec(FIELD, invis_sig_settings=fields.InvisSigSettings(box_out_of_bounds=True))
        own, issuers = self.signer.signing_cert, self.signer.cert_registry
        room = 2 * (sum(len(one.dump()) for one in (own, *issuers)) + BESIDES_CERTIFICATES)  # or it signs twice to know
        signer = signers.PdfSigner(meta, self.signer, new_field_spec=field)
        # pyHanko starts an event loop, which a thread that has one already cannot; a thread of its own always can.
        with ThreadPoolExecutor(1) as thread:
            made = thread.submit(signer.sign_pdf, MetadataKept(BytesIO(file.data)), bytes_reserved=room)
            data = made.result().getvalue()
        return replace(file, kind="sealed", name=f"{file.name.removesuffix('.pdf')}-forseglad.pdf", data=data)


def _own_pair() -> bytes:
    """Key and self-signed certificate of this data folder: made once, kept for its owner alone."""
    path = settings.DATA_DIR / "secret" / "seal.pem"
    if not path.exists():
        embedded.make_folder(settings.DATA_DIR)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".seal-") as draft:
            draft.write(_made_pair())
            draft.flush()
            with suppress(FileExistsError):  # another process was first, and all use the one
                os.link(draft.name, path)
    return path.read_bytes()


def _made_pair() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    says = [
        (NameOID.ORGANIZATION_NAME, "collab4m"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "Self-signed: no authority vouches for this name"),
        (NameOID.COMMON_NAME, settings.SITE_URL.encode()[:LONGEST_NAME].decode(errors="ignore")),
    ]
    name = x509.Name([x509.NameAttribute(*one) for one in says])
    draft = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now(), now() + OWN_HOLDS)
    usage = x509.KeyUsage(True, True, *[False] * 7)  # to sign, and to stand by what is signed
    certificate = draft.add_extension(usage, critical=True).sign(key, hashes.SHA256())
    pem = serialization.Encoding.PEM
    own = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return own + certificate.public_bytes(pem)
