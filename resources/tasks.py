"""What the clock starts."""

from celery import shared_task

from records.tasks import waits_for_the_database
from resources import operations


@shared_task(ignore_result=True)
@waits_for_the_database
def end_what_is_due() -> None:
    """End requests and offers that nobody answered in time."""
    operations.expire_requests()
    operations.expire_offers()


@shared_task(ignore_result=True)
@waits_for_the_database
def open_up_all() -> None:
    """Each night another day comes within the time of which opening is worked out."""
    operations.open_up_all()


@shared_task(ignore_result=True)
@waits_for_the_database
def remind() -> None:
    """Remind of requests that run out soon: those who decide, or whoever has the owner's question to answer."""
    operations.remind_deciders()
    operations.remind_askers()
