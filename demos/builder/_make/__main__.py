"""Writes all demos: ``python -m demos.builder._make [FOLDER]``."""

import sys
from pathlib import Path

from . import dwell_choice, eeg_events, fixation_gate, free_viewing, moving_window, pupil_response

MAKERS = (free_viewing, fixation_gate, dwell_choice, moving_window, pupil_response, eeg_events)


def main(folder):
    for maker in MAKERS:
        demo = maker.make()
        path = folder / demo.name / f"{demo.name}.psyexp"
        path.parent.mkdir(parents=True, exist_ok=True)
        demo.exp.saveToXML(str(path))
        print(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1])
