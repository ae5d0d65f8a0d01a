"""Rivals at the same instant, with real connections: each thing happens once."""

import os
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection, transaction

from organisations.models import TravelTime
from records.messages import Message
from records.models import Correction, Event, Job, JobState, Outgoing, Part, Question, Reply
from records.operations import (
    AlreadyDecided,
    PartChanged,
    QuestionClosed,
    accept_correction,
    ask_question,
    claim_job,
    close_question,
    decline_correction,
    deliver_mail,
    gather_digests,
    order_job,
    propose_correction,
    reply_to_question,
    run_job,
    save_part,
    send,
)
from records.work import RunningJob, job_kind
from tests.factories import PartFactory, UserFactory

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROUNDS = int(os.environ.get("RACE_ROUNDS", "5"))
done: list[int] = []


@job_kind("test.counted", label="Counted")
def counted(job: RunningJob) -> None:
    done.append(job.job.pk)


def at_once(*rivals: Callable[[], Any]) -> list[Any]:
    """Start every rival at the same instant; what each answered or raised."""
    gate, answers = threading.Barrier(len(rivals)), [None] * len(rivals)

    def run(place: int) -> None:
        try:
            gate.wait()
            answers[place] = rivals[place]()
        except Exception as error:
            answers[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(rivals))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=300)
        assert not thread.is_alive(), "a rival never came back"
    return answers


@pytest.fixture(params=range(ROUNDS))
def _round(request):
    done.clear()


@pytest.mark.usefixtures("_round")
def test_twenty_orders_at_once_give_one_job(db):
    answers = at_once(*[lambda: order_job("test.counted", "a").pk] * 20)

    assert set(answers) == {Job.objects.get().pk}


@pytest.mark.usefixtures("_round")
def test_each_job_is_taken_up_once_and_never_more_than_may_be(settings):
    settings.JOBS_AT_ONCE = 3
    jobs = [order_job("test.counted", str(number)).pk for number in range(12)]

    def work() -> int:
        most = 0
        while job := claim_job():
            most = max(most, Job.objects.filter(state=JobState.RUNNING).count())
            run_job(job)
        return most

    while Job.objects.unfinished().exists():
        answers = at_once(*[work] * 5)
        assert max(answers) <= 3, answers

    assert Counter(done) == dict.fromkeys(jobs, 1)
    assert set(Job.objects.values_list("state", "attempts")) == {("done", 1)}


@pytest.mark.usefixtures("_round")
def test_each_mail_is_delivered_once_by_two_workers(settings):
    settings.EMAIL_BACKEND = "tests.records.test_races.Shared"
    rows = send(*(Message("x", "Hej", "Text", to=f"person{number}@kommun.example") for number in range(20)))

    answers = at_once(*[deliver_mail] * 4)

    assert sum(answers) == 20, answers
    assert Counter(sent.extra_headers["Message-ID"] for sent in mail.outbox) == {row.message_id: 1 for row in rows}


class Shared(EmailBackend):
    """The mail of every thread in one box."""

    def send_messages(self, messages):
        mail.outbox.extend(messages)
        return len(messages)


@pytest.mark.usefixtures("_round")
def test_a_digest_is_gathered_once_by_two_workers():
    people = [UserFactory(mail_rhythm="daily") for _ in range(4)]
    send(*(Message("x", "Hej", "Text", user=person) for person in people))
    for person in people:
        person.mail_rhythm = "at_once"
        person.save()

    answers = at_once(*[gather_digests] * 3)

    assert sum(answers) == 4, answers
    assert Outgoing.objects.filter(kind="records.digest").count() == 4


@pytest.mark.usefixtures("_round")
def test_a_zombie_and_its_successor_finish_once(owner, home):
    order_job("test.counted", "a")
    zombie = RunningJob(claim_job())
    Job.objects.update(state=JobState.QUEUED)
    successor = RunningJob(claim_job())

    def finish(running: RunningJob, name: str) -> None:
        with running.finish() as result:
            result["by"] = name

    at_once(lambda: finish(zombie, "zombie"), lambda: finish(successor, "successor"))

    assert (Job.objects.get().state, Job.objects.get().result) == (JobState.DONE, {"by": "successor"})


@pytest.mark.usefixtures("_round")
def test_a_correction_is_decided_once_by_two_at_once(owner, asker, home, neighbour):
    travel = TravelTime.objects.create(origin=home, destination=neighbour, mode="rail", minutes=25)
    correction = propose_correction(
        travel, field="minutes", proposed="27", reason="Ny tidtabell", by=asker, on_behalf_of=neighbour.body
    )
    acting = {"by": owner, "on_behalf_of": home.body}

    answers = at_once(
        lambda: accept_correction(correction, **acting, seen="25"),
        lambda: decline_correction(correction, **acting, answer="Nej."),
        lambda: accept_correction(correction, **acting, seen="25"),
    )

    assert Counter(type(answer) for answer in answers) == {Correction: 1, AlreadyDecided: 2}, answers
    travel.refresh_from_db()
    correction.refresh_from_db()
    assert (travel.minutes == 27) is (correction.state == "accepted")
    assert Event.objects.filter(name="fact.corrected").count() == (correction.state == "accepted")


def test_a_figure_of_a_municipality_is_decided_while_others_write_rows_that_point_to_it(owner, asker, home, neighbour):
    """They would wait for each other for good: the decision itself writes such a row."""
    said = {"field": "county", "proposed": "Uppsala län", "reason": "Kartan"}
    correction = propose_correction(home, **said, by=asker, on_behalf_of=neighbour.body)
    rival = connection.copy()
    try:
        with rival.cursor() as cursor:
            rival.set_autocommit(False)
            cursor.execute("SELECT 1 FROM organisations_body WHERE id = %s FOR KEY SHARE", [home.pk])
            with connection.cursor() as mine:
                mine.execute("SET lock_timeout = '1s'")
            accept_correction(correction, by=owner, on_behalf_of=home.body, seen="")
    finally:
        rival.close()
        with connection.cursor() as mine:
            mine.execute("SET lock_timeout = 0")

    home.refresh_from_db()
    assert home.county == "Uppsala län"


@pytest.mark.usefixtures("_round")
def test_a_question_is_closed_once_and_never_answered_after(owner, asker, home, neighbour):
    question = ask_question(home, to_body=home.body, title="Platser", text="?", by=asker, on_behalf_of=neighbour.body)

    answers = at_once(
        lambda: close_question(question, by=asker, on_behalf_of=neighbour.body),
        lambda: close_question(question, by=asker, on_behalf_of=neighbour.body),
        lambda: reply_to_question(question, text="Tolv.", by=owner, on_behalf_of=home.body),
    )

    assert [type(answer) for answer in answers[:2]].count(Question) == 1, answers
    assert isinstance(answers[2], Reply | QuestionClosed)
    events = list(Event.objects.order_by("pk").values_list("name", flat=True))
    assert events[-1] == "question.closed"


@pytest.mark.usefixtures("_round")
def test_of_twenty_savings_at_once_one_stands_and_none_is_lost(area, owner, asker, home, neighbour):
    part = PartFactory(subject__area=area)
    sides = [{"by": owner, "on_behalf_of": home.body}, {"by": asker, "on_behalf_of": neighbour.body}]

    def saving(number: int) -> Callable[[], Part]:
        return lambda: save_part(part, text=f"Text {number}", base_version=0, **sides[number % 2])

    answers = at_once(*[saving(number) for number in range(20)])

    assert Counter(type(answer) for answer in answers) == {Part: 1, PartChanged: 19}, answers
    part.refresh_from_db()
    assert part.version == 1
    assert part.text == next(answer.text for answer in answers if isinstance(answer, Part))
    assert set(part.wordings.values_list("text", flat=True)) == {f"Text {number}" for number in range(20)}


@pytest.mark.usefixtures("_round")
def test_savings_of_one_open_page_that_come_in_any_order_leave_the_last_text(area, owner, home):
    part = PartFactory(subject__area=area)
    side = {"by": owner, "on_behalf_of": home.body, "sitting": "a"}

    def saving(turn: int) -> Callable[[], Part]:
        return lambda: save_part(part, text=f"Text {turn}", base_version=0, turn=turn, **side)

    answers = at_once(*[saving(turn) for turn in range(1, 6)])

    assert {type(answer) for answer in answers} == {Part}, answers
    part.refresh_from_db()
    assert part.text == "Text 5"


@pytest.mark.usefixtures("_round")
def test_no_text_comes_in_after_its_subject_was_closed(area, owner, home):
    part = PartFactory(subject__area=area)

    def close() -> str:
        with transaction.atomic():
            (locked,) = Part.objects.about(part.subject).lock_in_order()
            part.subject.is_closed = True
            part.subject.save()
            return locked.text

    answers = at_once(
        close, lambda: save_part(part, text="Nytt", base_version=0, by=owner, on_behalf_of=home.body).text
    )

    part.refresh_from_db()
    assert part.text == answers[0]
