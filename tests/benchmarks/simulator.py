"""A simulated Neon for the benchmarks: prints its address, ends with its standard input."""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--numbered", action="store_true", help="number gaze data and frames")
    args = parser.parse_args()
    settings = SimulatorSettings(
        truth=args.truth, keep_truth=False, number_gaze=args.numbered, frame_code=args.numbered
    )
    with SimulatedNeon(settings) as neon:
        gc.collect()
        gc.freeze()  # else collecting what was imported delays gaze now and then
        print(neon.address, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
