"""The clock offset by this package: ``ours_clock.py ADDRESS SECONDS``."""

from __future__ import annotations

import json
import sys
import time

from psychopy_neon import Neon

EVERY_S = 0.5


def main(address: str, seconds: float) -> dict[str, object]:
    """At some host times: what the device's clock is said to show, and the bound."""
    looked: list[tuple[int, int, int]] = []
    with Neon(address) as neon:
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            time.sleep(EVERY_S)  # about as often as an estimate of the official client comes
            host_ns = time.perf_counter_ns()
            offset = neon.clock.offset
            looked.append((host_ns, offset.device_ns(host_ns), offset.bound_at_ns(host_ns)))
    return {"looked": looked}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], float(sys.argv[2]))))
