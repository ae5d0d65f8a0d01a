"""What the clock starts."""

import logging

from celery import shared_task

from organisations.operations import forget_what_is_due as forget

log = logging.getLogger(__name__)


@shared_task
def forget_what_is_due() -> None:
    """Every hour: take away the personal data whose keep-until has passed (`organisations.operations.RETENTION`)."""
    done = {what: rows for what, rows in forget().items() if rows}
    if done:
        log.info("Forgotten, as the keep-until rules say: %s", done)
