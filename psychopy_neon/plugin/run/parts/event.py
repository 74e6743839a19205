"""Events of a routine."""

from psychopy import logging

from psychopy_neon.plugin.run.parts.part import Part

__all__ = ["EventPart"]


class EventPart(Part):
    """Sends an event at the flip of its start, and perhaps another at that of its stop.

    Columns: ``event`` and ``flip_time``, ``stop_event`` and ``stop_flip_time``. Times are seconds, as those that
    PsychoPy saves as ``<name>.started``.
    """

    def reset(self):
        super().reset()
        self._columns = {"event": None}

    def start(self, eventName):
        """Send the event at the next flip.

        Parameters
        ----------
        eventName : str
            Anything else is taken as text. Nothing is sent for None and for an empty one, but PsychoPy's log says so:
            one missing event must not end an experiment.
        """
        super().start()
        self._send("event", "flip_time", eventName)

    def stop(self, eventName=None):
        """Send the second event, if there is one, at the next flip; once, and only after a start."""
        if self.isOn and eventName is not None:
            self._send("stop_event", "stop_flip_time", eventName)
        super().stop()

    def results(self):
        return self._columns

    def _send(self, column, timeColumn, eventName):
        if eventName is None or eventName == "":
            logging.error(f"{self.name}: an event without a name was not sent")
            return
        self._columns[column] = str(eventName)
        self.run.events.sendEventOnFlip(self.win, str(eventName))
        # PsychoPy's own stamp goes into the row of this moment, even when the routine is over before the flip.
        self.exp.timestampOnFlip(self.win, f"{self.name}.{timeColumn}")
