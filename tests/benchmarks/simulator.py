"""A simulated Neon for the benchmarks: prints its address, ends with its standard input."""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
from pathlib import Path

from psychopy_neon.simulator import SimulatedNeon, SimulatorSettings
from psychopy_neon.simulator.echo_paths import PATHS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--numbered", action="store_true", help="number gaze data and frames")
    parser.add_argument("--uneven", action="store_true", help="time echoes on a network that is worse one way")
    parser.add_argument("--scene", default="synthetic")
    parser.add_argument("--gaze", default="script")
    parser.add_argument("--gaze-bytes", type=int, default=65)
    args = parser.parse_args()
    if sys.platform == "linux":
        # A phone is a computer of its own: what is measured here does not make it late, where that may be asked for.
        with contextlib.suppress(PermissionError):
            os.nice(-10)
    settings = SimulatorSettings(
        truth=args.truth,
        keep_truth=False,
        number_gaze=args.numbered,
        frame_code=args.numbered,
        echo_path=PATHS["uneven" if args.uneven else "direct"],
        drift_ppm=40 if args.uneven else 0,
        scene=args.scene,
        gaze=args.gaze,
        gaze_bytes=args.gaze_bytes,
    )
    with SimulatedNeon(settings) as neon:
        gc.collect()
        gc.freeze()  # else collecting what was imported delays gaze now and then
        print(neon.address, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
