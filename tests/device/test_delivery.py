"""One event on its way, without a network: what the websocket tells at an awkward moment."""

import threading

from psychopy_neon.device.delivery import EventDelivery, Patience
from psychopy_neon.device.pending import EventState, PendingEvent
from psychopy_neon.errors import LinkError
from psychopy_neon.wire.status import DeviceEvent


class Rest:
    """Takes what is said to arrive, and cuts the connection at the rest."""

    limit_s = 0.0
    was_sent = True

    def __init__(self, taken):
        self.taken = taken

    def post(self, _path, body):
        if body["name"] not in self.taken:
            raise LinkError("phone", "cut")
        return {"timestamp": body["timestamp"]}


def test_what_is_heard_of_the_event_before_does_not_confirm_the_next():
    """The message about the first comes while the second takes its place, and the second is lost."""
    rest, settled = Rest({"first"}), []
    patience = Patience(rest)

    def settle(event, state, _result=None, error=None, **_fields):
        settled.append((event.name, state))

    delivery = EventDelivery(rest, patience, settle, lambda event: None, lambda error: None)

    class HeardWhileCleared(threading.Event):
        def clear(self):
            super().clear()
            delivery.hear(DeviceEvent("first", 1, "recording"))

    delivery._has_heard = HeardWhileCleared()
    changed = threading.Condition()
    first, second = (PendingEvent(n, name, n, changed) for n, name in enumerate(("first", "second"), 1))
    for event in (first, second):
        event.device_ns, event.bound_ns, event.is_attempted = event.host_ns, 0, True
    delivery.deliver(first)
    patience.limit()
    patience._end_s += 0.3  # one attempt of the second
    delivery.deliver(second)
    assert settled == [("first", "confirmed")]
    assert second.state is EventState.UNSURE
