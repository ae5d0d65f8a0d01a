"""What can be done with resources and bookings."""

from resources.operations.alternatives import Alternative, alternatives_to
from resources.operations.asking import (
    BookingRefused,
    KeyUsed,
    MayNotAsk,
    NotAlive,
    ResourceClosed,
    TooLate,
    answer_owner,
    cancel_booking,
    change_time,
    keep_time,
    request_booking,
)
from resources.operations.blocking import block_resource, displaced_by, end_blocking
from resources.operations.claiming import CannotBeHad, SlotTaken, TooFewUnits, is_free, span_of
from resources.operations.deciding import (
    MayNotDecide,
    NotAwaitingDecision,
    approve_booking,
    ask_for_more,
    decline_booking,
    rivals_of,
)
from resources.operations.letting_go import expire_offers, expire_requests
from resources.operations.opening import is_open, local, open_spans, open_up, red_days
from resources.operations.pricing import Price, price_of
from resources.operations.searching import Found, Need, Standing, search_resources, standings, travel_minutes
from resources.operations.series import DateState, Occurrence, Pattern, preview, request_series
from resources.operations.timeline import Row, Slot, SlotKind, timeline_of, visible_resources
from resources.operations.waiting import NothingTaken, OfferEnded, accept_offer, leave_list, wait_for

__all__ = [
    "Alternative",
    "BookingRefused",
    "CannotBeHad",
    "DateState",
    "Found",
    "KeyUsed",
    "MayNotAsk",
    "MayNotDecide",
    "Need",
    "NotAlive",
    "NotAwaitingDecision",
    "NothingTaken",
    "Occurrence",
    "OfferEnded",
    "Pattern",
    "Price",
    "ResourceClosed",
    "Row",
    "Slot",
    "SlotKind",
    "SlotTaken",
    "Standing",
    "TooFewUnits",
    "TooLate",
    "accept_offer",
    "alternatives_to",
    "answer_owner",
    "approve_booking",
    "ask_for_more",
    "block_resource",
    "cancel_booking",
    "change_time",
    "decline_booking",
    "displaced_by",
    "end_blocking",
    "expire_offers",
    "expire_requests",
    "is_free",
    "is_open",
    "keep_time",
    "leave_list",
    "local",
    "open_spans",
    "open_up",
    "preview",
    "price_of",
    "red_days",
    "request_booking",
    "request_series",
    "rivals_of",
    "search_resources",
    "span_of",
    "standings",
    "timeline_of",
    "travel_minutes",
    "visible_resources",
    "wait_for",
]
