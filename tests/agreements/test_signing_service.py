"""The outside signing service, played by a real server on the loopback: asked, signed, refused, silent, taken back."""

import json
import threading
from base64 import b64decode, b64encode
from datetime import timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from django.core import mail

from agreements import signing_service
from agreements.models import RevisionState, SignatureRequest
from agreements.operations import (
    NothingToTakeBack,
    NotYourParty,
    NotYourTurn,
    OldContent,
    ServiceNotSet,
    SignatureAsked,
    SignatureRefused,
    ask_for_signature,
    order_service_calls,
    take_back_signature,
    withdraw_revision,
)
from agreements.signing_service import ServiceDown, ServiceRefuses, SigningService
from collab4m.clock import now
from records import storage
from records.documents.files import MadeFile
from records.models import Event, Job, SignOff
from records.operations import deliver_mail, store_renditions, work_off_jobs
from tests.agreements.stories import approved, building, draft, fill_in, party_of, revision_of, sign_for

KEY = "a key"
SIGNED = b"%PDF-1.7 signed in the service"


class Service:
    """What the server on the loopback knows and has been told. `fault` is what it does instead of answering."""

    def __init__(self) -> None:
        self.requests: dict[str, dict[str, Any]] = {}
        self.by_token: dict[str, str] = {}
        self.calls: list[tuple[str, str]] = []
        self.fault = ""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    @property
    def fault(self) -> str:
        return self._fault

    @fault.setter
    def fault(self, fault: str) -> None:
        """Silence is soon taken for silence; every other answer may take its time on a busy machine."""
        self._fault = fault
        signing_service.TIMEOUT = 0.5 if fault == "silent" else 60

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def handler(self):
        service = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_args):
                pass

            def answer(self, status: int, body: Any = None, raw: bytes | None = None) -> None:
                data = raw if raw is not None else json.dumps(body or {}).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                if status == 302:
                    self.send_header("Location", f"{service.url}/elsewhere")
                self.end_headers()
                self.wfile.write(data)

            def is_faulty(self) -> bool:
                service.calls.append((self.command, self.path))
                if self.headers["Authorization"] != f"Bearer {KEY}":
                    self.answer(401, {"told": "wrong key"})
                elif service.fault == "silent":
                    threading.Event().wait(1)
                elif service.fault == "hangs up":
                    self.close_connection = True
                elif service.fault == "nonsense":
                    self.answer(200, raw=b"<html>")
                elif service.fault == "list":
                    self.answer(200, ["a"])
                elif service.fault:
                    self.answer(int(service.fault), {"told": "not today"})
                else:
                    return False
                return True

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.is_faulty():
                    return
                token = self.headers["Idempotency-Key"]
                reference = service.by_token.setdefault(token, f"å/{len(service.by_token) + 1}")
                service.requests.setdefault(reference, {"state": "waiting", "sent": body})
                self.answer(201, {"reference": reference, "address": f"https://sign.example/{len(service.by_token)}"})

            def do_GET(self):
                if self.is_faulty():
                    return
                found = service.found(self.path)
                self.answer(200, found) if found else self.answer(404, {"told": "no such request"})

            def do_DELETE(self):
                if self.is_faulty():
                    return
                found = service.found(self.path)
                if found is None or found["state"] != "waiting":
                    self.answer(409, {"told": "it is closed"})
                    return
                found["state"] = "aborted"
                self.answer(204, raw=b"")

        return Handler

    def found(self, path: str) -> dict[str, Any] | None:
        from urllib.parse import unquote

        return self.requests.get(unquote(path.removeprefix("/v1/requests/")))

    def only(self) -> dict[str, Any]:
        (found,) = self.requests.values()
        return found

    def sign(self, document: bytes = SIGNED) -> None:
        found = self.only()
        found |= {
            "state": "signed",
            "document": b64encode(document).decode(),
            "document_sha256": found["sent"]["document"]["sha256"],
            "evidence": {"level": "substantial", "transaction": "17"},
        }


@pytest.fixture
def service(settings, monkeypatch):
    monkeypatch.setattr(signing_service, "TIMEOUT", 60)  # put back afterwards, whatever the service has set
    found = Service()
    settings.SIGNING_SERVICE_URL, settings.SIGNING_SERVICE_KEY = found.url, KEY
    yield found
    found.close()


@pytest.fixture
def agreement(area, home, neighbour, owner, asker):
    found = draft(area, [home, neighbour], owner, programme=building())
    fill_in(found)
    approved(found)
    Job.objects.all().delete()  # the files are made elsewhere; here is one that only looks like one
    store_renditions(revision_of(found).version, [MadeFile("pdf", "", "avtal.pdf", b"%PDF-1.7 the agreement")])
    return found


def ask(agreement, municipality, by, **more):
    values = {
        "content_sha256": revision_of(agreement).version.content_sha256,
        "signed_as": "Nämndens ordförande",
        "email": "ordforande@kommun.example",
    }
    return ask_for_signature(
        party_of(agreement, municipality), by=by, on_behalf_of=municipality.body, **(values | more)
    )


def a_minute() -> None:
    """What happens each minute: the clock's task, and then the worker."""
    order_service_calls()
    work_off_jobs()


def again(asked) -> SignatureRequest:
    return SignatureRequest.objects.get(pk=asked.pk)


def test_a_signature_in_the_service_comes_back_by_itself(service, agreement, home, neighbour, owner):
    asked = ask(agreement, home, owner)
    work_off_jobs()
    version = revision_of(agreement).version
    sent = service.only()["sent"]
    pdf = storage.read(version.renditions.get(kind="pdf", variant="").sha256)
    assert b64decode(sent["document"]["data"]) == pdf
    assert sent["document"]["sha256"] == sha256(pdf).hexdigest()
    assert sent["signatory"] == {"signs_as": "Nämndens ordförande", "email": "ordforande@kommun.example"}
    assert sent["return_to"].endswith(f"/avtal/{agreement.pk}/skriv-under/")
    asked = again(asked)
    assert (asked.state, asked.reference, asked.address) == ("waiting", "å/1", "https://sign.example/1")
    a_minute()
    assert again(asked).state == "waiting"

    service.sign()
    a_minute()

    sign_off = SignOff.objects.get()
    assert (sign_off.method, sign_off.body_id, sign_off.signed_as) == ("service", home.pk, "Nämndens ordförande")
    assert storage.read(sign_off.document.sha256) == SIGNED
    assert sign_off.evidence["service"] == {"level": "substantial", "transaction": "17"}
    assert (again(asked).state, again(asked).ended_at is not None) == ("signed", True)
    assert revision_of(agreement).state == RevisionState.SIGNING
    sign_for(agreement, neighbour, version.content_sha256)
    assert revision_of(agreement).state == RevisionState.SIGNED


def test_nothing_is_asked_without_a_service(agreement, home, owner):
    with pytest.raises(ServiceNotSet):
        ask(agreement, home, owner)

    assert not SignatureRequest.objects.exists()


def test_asking_follows_the_same_rules_as_signing(service, agreement, home, neighbour, owner, asker, committee):
    with pytest.raises(NotYourTurn):
        ask(agreement, neighbour, asker)
    with pytest.raises(NotYourParty):
        ask(agreement, home, asker)
    with pytest.raises(NotYourParty):
        ask(agreement, home, committee)
    with pytest.raises(OldContent):
        ask(agreement, home, owner, content_sha256="0" * 64)
    with pytest.raises(SignatureRefused):
        ask(agreement, home, owner, signed_as=" ")
    ask(agreement, home, owner)
    with pytest.raises(SignatureAsked):
        ask(agreement, home, owner)

    assert SignatureRequest.objects.count() == 1


@pytest.mark.parametrize(("said", "state"), [("refused", "refused"), ("expired", "failed"), ("aborted", "aborted")])
def test_what_comes_to_nothing_is_told_to_the_party(service, agreement, home, owner, said, state):
    asked = ask(agreement, home, owner)
    work_off_jobs()
    service.only().update(state=said, told="Ordföranden är bortrest.")
    deliver_mail()
    mail.outbox.clear()

    a_minute()
    deliver_mail()

    assert (again(asked).state, again(asked).told) == (state, "Ordföranden är bortrest.")
    assert [message.to for message in mail.outbox] == [[owner.email]]
    assert Event.objects.about(agreement).filter(name="agreement.signature_ended").count() == 1
    assert not SignOff.objects.exists()
    sign_for(agreement, home, revision_of(agreement).version.content_sha256)


@pytest.mark.parametrize("fault", ["silent", "hangs up", "nonsense", "list", "503", "429", "302"])
def test_a_service_that_is_down_is_asked_again_until_it_answers(service, agreement, home, owner, fault):
    service.fault = fault
    asked = ask(agreement, home, owner)
    work_off_jobs()
    if fault == "302":  # an address that leads elsewhere is not followed with the key in hand
        assert again(asked).state == "failed"
        assert not any("elsewhere" in path for _method, path in service.calls)
        return
    assert (again(asked).state, bool(again(asked).told)) == ("ordered", True)

    service.fault = ""
    a_minute()

    assert (again(asked).state, again(asked).told) == ("waiting", "")
    service.fault = fault
    a_minute()
    assert (again(asked).state, bool(again(asked).told)) == ("waiting", True)
    service.fault = ""
    service.sign()
    a_minute()
    assert again(asked).state == "signed"
    assert not Job.objects.filter(state="failed").exists()


def test_a_service_that_says_no_ends_the_request(service, agreement, home, owner):
    service.fault = "422"
    asked = ask(agreement, home, owner)
    work_off_jobs()

    assert again(asked).state == "failed"
    assert "not today" in again(asked).told


def test_a_wrong_key_ends_the_request(service, settings, agreement, home, owner):
    settings.SIGNING_SERVICE_KEY = "another"
    asked = ask(agreement, home, owner)
    work_off_jobs()

    assert again(asked).state == "failed"
    assert "wrong key" in again(asked).told


def test_what_cannot_be_sent_for_an_hour_is_given_up(service, agreement, home, owner):
    service.fault = "503"
    asked = ask(agreement, home, owner)
    work_off_jobs()
    SignatureRequest.objects.update(at=now() - timedelta(minutes=61))
    a_minute()

    assert again(asked).state == "failed"


def test_an_answer_that_was_lost_asks_nobody_twice(service, agreement, home, owner):
    asked = ask(agreement, home, owner)
    work_off_jobs()
    SignatureRequest.objects.update(state="ordered", reference="", address="")  # killed before it was written down
    a_minute()

    assert len(service.requests) == 1
    assert again(asked).reference == "å/1"


def test_taking_back_works_when_the_service_is_down(service, agreement, home, owner, asker):
    asked = ask(agreement, home, owner)
    work_off_jobs()
    service.fault = "silent"
    with pytest.raises(NotYourParty):
        take_back_signature(asked, by=asker, on_behalf_of=home.body)

    take_back_signature(asked, by=owner, on_behalf_of=home.body)
    work_off_jobs()

    assert again(asked).state == "aborted"
    assert service.only()["state"] == "waiting"
    sign_for(agreement, home, revision_of(agreement).version.content_sha256)
    service.fault = ""
    a_minute()
    assert service.only()["state"] == "aborted"
    calls = len(service.calls)
    a_minute()
    assert len(service.calls) == calls  # it knows now, and is left alone
    with pytest.raises(NothingToTakeBack):
        take_back_signature(asked, by=owner, on_behalf_of=home.body)


def test_a_signature_that_comes_after_it_was_taken_back_counts_for_nothing(service, agreement, home, owner):
    asked = ask(agreement, home, owner)
    work_off_jobs()
    take_back_signature(asked, by=owner, on_behalf_of=home.body)
    service.sign()
    a_minute()

    assert again(asked).state == "aborted"
    assert "it is closed" in again(asked).told
    assert not SignOff.objects.exists()


def test_signing_in_another_way_closes_the_request(service, agreement, home, owner):
    asked = ask(agreement, home, owner)
    work_off_jobs()

    sign_for(agreement, home, revision_of(agreement).version.content_sha256)
    a_minute()

    assert again(asked).state == "aborted"
    assert service.only()["state"] == "aborted"


def test_what_is_withdrawn_is_asked_for_no_longer(service, agreement, home, owner):
    asked = ask(agreement, home, owner)
    work_off_jobs()
    withdraw_revision(agreement, reason="Vi börjar om.", by=owner, on_behalf_of=home.body)
    service.sign()
    a_minute()

    assert again(asked).state == "aborted"
    assert not SignOff.objects.exists()


@pytest.mark.parametrize("document", [b"<html>", b""])
def test_what_is_no_document_is_no_signature(service, agreement, home, owner, document):
    asked = ask(agreement, home, owner)
    work_off_jobs()
    service.sign(document)
    a_minute()

    assert again(asked).state == "failed"
    assert not SignOff.objects.exists()


def test_the_signature_of_another_document_is_no_signature(service, agreement, home, owner):
    asked = ask(agreement, home, owner)
    work_off_jobs()
    service.sign()
    service.only()["document_sha256"] = "0" * 64
    a_minute()

    assert again(asked).state == "failed"
    assert not SignOff.objects.exists()


def test_old_requests_are_looked_at_every_tenth_minute(service, agreement, home, owner, monkeypatch):
    from agreements.operations import service as module

    ask(agreement, home, owner)
    work_off_jobs()
    SignatureRequest.objects.update(at=now() - timedelta(hours=2))
    calls = len(service.calls)
    for minute in range(20):
        monkeypatch.setattr(module, "now", lambda at=minute: now().replace(minute=at))
        a_minute()

    assert len(service.calls) == calls + 2


def test_an_address_that_no_page_may_link_to_is_left_out(service):
    spoken = SigningService(service.url, KEY)

    for text in ("javascript:alert(1)", "ftp://a.example/", "x", None, 7, f"https://a.example/{'x' * 200}"):
        assert signing_service._address(text) == ""
    assert signing_service._address("https://a.example/1") == "https://a.example/1"
    with pytest.raises(ServiceRefuses):
        spoken.look("unknown")
    with pytest.raises(ServiceDown):
        SigningService("http://127.0.0.1:9", KEY).look("a")
    with pytest.raises(ServiceRefuses):
        SigningService("file:///etc", KEY).look("passwd")
