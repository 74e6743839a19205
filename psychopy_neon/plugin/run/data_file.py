"""What the experiment's data file tells of the Neon."""

import psychopy_neon

__all__ = ["columns_of", "fate_of", "mark_row", "write_columns"]

OF_REPORT = {
    "neon.recording_id": "recording_id",
    "neon.phone": "phone",
    "neon.serial": "serial",
    "neon.address": "address",
    "neon.gaze_received": "gaze_received",
    "neon.gaze_lost": "gaze_lost",
    "neon.samples_stored": "stored",
    "neon.events_unconfirmed": "events_unconfirmed",
    "neon.events_refused": "events_refused",
    "neon.clock_bound_s": "clock_bound_s",
}
ROW_COLUMN = "neon.trouble"


def columns_of(report, pilot, fate, problems):
    """Columns for the whole file.

    Parameters
    ----------
    report : dict
        The host's, or empty.
    pilot : str or None
        "simulated" or "mouse" when that stood for the Neon.
    fate : str
        What became of the recording.
    problems : list of str

    Returns
    -------
    dict
    """
    columns = {column: report.get(name) for column, name in OF_REPORT.items()}
    columns |= {
        "neon.template": (report.get("template") or {}).get("name"),
        "neon.recording": fate,
        "neon.pilot": pilot,
        "neon.version": psychopy_neon.__version__,
        "neon.problems": " | ".join(problems) or None,
    }
    return {column: _cell(value) for column, value in columns.items()}


def fate_of(before, after, how, record):
    """What became of the recording, in words.

    Parameters
    ----------
    before, after : dict
        The host's reports around the end.
    how : {"save", "cancel"}
        How it was to end.
    record : {"phone", "stream"}
    """
    if after.get("recording_ended"):
        return after["recording_ended"]
    if record == "stream":
        return "streamed only"
    if before.get("is_recording"):
        return {"save": "saved", "cancel": "cancelled"}[how]
    return "saved" if after.get("recording_id") else "none"


def mark_row(exp, words):
    """Note in the row that is being filled what went wrong during it."""
    earlier = exp.thisEntry.get(ROW_COLUMN)
    exp.addData(ROW_COLUMN, _cell(f"{earlier} | {words}" if earlier else words))


def write_columns(exp, columns):
    """Put columns into every row; PsychoPy itself adds what concerns the whole file when it ends a row."""
    if isinstance(exp.extraInfo, dict):
        exp.extraInfo.update(columns)
    for entry in exp.getAllEntries():
        entry.update(columns)


def _cell(value):
    """What a csv file of PsychoPy can hold: it puts texts into quotation marks and does not look for others inside."""
    if value is None:
        return ""
    return " ".join(value.replace('"', "'").split()) if isinstance(value, str) else value
