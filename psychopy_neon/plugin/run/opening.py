"""What happens before ioHub starts: the Neon is looked for, or what stands for it in pilot mode is made."""

from psychopy import core, logging

from psychopy_neon.errors import NeonError
from psychopy_neon.plugin.run.reach import find_neon

__all__ = ["Opening"]

KEY = "psychopy_neon.EyeTracker"
MOUSE_KEY = "eyetracker.hw.mouse.EyeTracker"
MOUSE_CONFIG = {"name": "tracker", "controls": {"move": [], "blink": ["MIDDLE_BUTTON"], "saccade_threshold": 0.5}}
ASK_LIMIT_S = 60.0


class Opening:
    """Finds the eye tracker that the settings mean.

    Parameters
    ----------
    settings : RunSettings
    monitor : Monitor
        Asks the experimenter.

    Attributes
    ----------
    pilot : str or None
        "simulated" or "mouse" when that stands for the Neon.
    """

    def __init__(self, settings, monitor):
        self.pilot = settings.pilot if core.getPilotMode() and settings.pilot != "real" else None
        self._settings = settings
        self._monitor = monitor
        self._leftRunning = settings.leftRunning
        self._simulated = None

    def look(self):
        """Look until the Neon is there, or until it is decided to do without.

        Returns
        -------
        str or None
            Why there is none now, if the experiment is to go on all the same.

        Raises
        ------
        NeonError
            There is none, and the experiment is not to start.
        """
        if self.pilot == "mouse":
            logging.warning("Neon: pilot mode, the mouse stands for gaze")
            return None
        while True:
            try:
                self._find()
                return None
            except NeonError as error:
                choice = self._without(str(error))
                if choice == "stop":
                    raise
                if choice == "go on":
                    return str(error)

    def iohubConfig(self, reportPort):
        """Key and value for the devices that ioHub is started with."""
        if self.pilot == "mouse":
            return MOUSE_KEY, MOUSE_CONFIG
        settings = self._settings
        return KEY, {
            "name": "tracker",
            "runtime_settings": {
                "address": settings.address,
                "serial": settings.serial,
                "phone_name": settings.phoneName,
                "record": settings.record,
                "report_port": reportPort,
                "left_running": "use" if self._leftRunning == "ask" else self._leftRunning,
                "at_end": "cancel" if settings.atEnd == "cancel" else "save",
            },
        }

    def close(self):
        """End the simulated Neon, if there is one; idempotent."""
        if self._simulated is not None:
            self._simulated.close()
            self._simulated = None

    def _find(self):
        if self.pilot == "simulated" and self._simulated is None:
            self._simulate()
        found = find_neon(self._settings)
        # Found once is found for ioHub, too.
        self._settings = self._settings._replace(address=found.address, serial="", phoneName="")
        if found.isRecording and self._leftRunning == "ask":
            self._askForRecording()

    def _simulate(self):
        from psychopy_neon.device.simulator_process import SimulatorProcess

        logging.warning("Neon: pilot mode, a simulated Neon stands for the real one")
        self._simulated = SimulatorProcess()
        self._settings = self._settings._replace(address=self._simulated.address, serial="", phoneName="")

    def _without(self, words):
        """ "stop", "go on" or "retry"."""
        if self._settings.whenMissing != "ask":
            return self._settings.whenMissing
        logging.error(f"Neon: {words}")
        choices = {
            "space": ("try again", "retry"),
            "g": ("go on without gaze", "go on"),
            "escape": ("end the experiment", "stop"),
        }
        return self._monitor.ask(words, choices, ASK_LIMIT_S, "stop")

    def _askForRecording(self):
        choices = {
            "u": ("use it for this experiment", "use"),
            "s": ("stop and save it", "save"),
            "c": ("cancel it: it is deleted", "cancel"),
        }
        self._leftRunning = self._monitor.ask("A recording runs on the phone already.", choices, ASK_LIMIT_S, "use")
