"""Alerts of ours in PsychoPy's own list: where its apps show theirs, or on the error stream."""

from psychopy.alerts import alert, catalog

from psychopy_neon.plugin.builder import DOCS

__all__ = ["CODE", "tell"]

CODE = 4599
"""In PsychoPy's group of eye tracking, behind its own."""


def tell(component, problem):
    """Raise an alert about a component or a routine.

    Parameters
    ----------
    component : BaseComponent
        Named in the alert.
    problem : str
        A sentence that says what to do, too.
    """
    catalog.alert[CODE] = {
        "code": CODE,
        "cat": "Eyetracking",
        "label": "A setting of a Neon component cannot be used",
        "msg": "{problem}",
        "url": DOCS,
    }
    alert(CODE, component, {"problem": f"{component.name}: {problem}"})
