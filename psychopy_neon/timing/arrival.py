"""Host times where the device offers no time echo: the smallest delay of arrival stands for none."""

from __future__ import annotations

from collections import deque

__all__ = ["ArrivalClock"]

_WINDOW_NS = 30_000_000_000
_BLOCK_NS = 1_000_000_000


class ArrivalClock:
    """Host time of a stream's data from when they arrived, for want of something better.

    The datum that came fastest in the last half minute is taken to have come at once. So all times are late by that
    smallest delay, which nobody can tell from here: there is no bound. Their distances are those of the device's clock.
    """

    def __init__(self) -> None:
        self._blocks: deque[tuple[int, int]] = deque()  # when a second began, and its largest device minus host time

    def host_ns(self, device_ns: int, received_ns: int) -> int:
        """Host clock of a device time whose datum arrived at ``received_ns``; never later than that."""
        blocks = self._blocks
        lead_ns = device_ns - received_ns
        if blocks and received_ns - blocks[-1][0] < _BLOCK_NS:
            blocks[-1] = (blocks[-1][0], max(blocks[-1][1], lead_ns))
        else:
            blocks.append((received_ns, lead_ns))
            while received_ns - blocks[0][0] > _WINDOW_NS:
                blocks.popleft()
        return device_ns - max([lead for _, lead in blocks])

    def restart(self) -> None:
        """Forget everything: the device's clock has been set."""
        self._blocks.clear()
