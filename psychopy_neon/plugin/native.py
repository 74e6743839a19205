"""The Neon as a device of PsychoPy's DeviceManager, in the experiment's own process: an eye tracker without ioHub."""

from psychopy.hardware.base import BaseDevice
from psychopy.hardware.exceptions import DeviceNotConnectedError

from psychopy_neon.errors import NeonError
from psychopy_neon.plugin.words import TrackerWords

__all__ = ["NeonDevice"]

BROWSE_S = 2.0


class NeonDevice(TrackerWords, BaseDevice, aliases=["neon"]):
    """A Neon for ``DeviceManager.addDevice`` and for Coder.

    ``deviceManager.addDevice("psychopy_neon.plugin.native.NeonDevice", "eyetracker", address="192.168.1.21")``. Under
    the name ``eyetracker`` it serves PsychoPy's own Eyetracker Record and ROI, too. :attr:`neon` is the whole client.

    Parameters
    ----------
    address : str
        ``"host"`` or ``"host:port"``. Empty: found by mDNS.
    serial, phoneName : str
        Which of several is meant.
    record : {"phone", "stream"}
        What :meth:`setRecordingState` starts: the phone's recording, or nothing but what is read here.
    leftRunning : {"use", "save", "cancel"}
        What becomes of a recording that runs already.
    atEnd : {"save", "cancel"}
        What becomes of ours when the device is closed while it runs.
    waitTime : float
        How long to wait for it, s.

    Raises
    ------
    psychopy.hardware.exceptions.DeviceNotConnectedError
        It does not answer; says what was tried.
    ConfigurationError
        A choice that there is not.

    Notes
    -----
    Thread: any.
    """

    def __init__(
        self, address="", serial="", phoneName="", record="phone", leftRunning="use", atEnd="save", waitTime=8.0
    ):
        from psychopy_neon.plugin.host import HostSettings, NeonHost

        settings = {
            "address": address,
            "serial": serial,
            "phone_name": phoneName,
            "record": record,
            "left_running": leftRunning,
            "at_end": atEnd,
        }
        self._host = NeonHost(HostSettings.of(settings))
        try:
            self._host.connected(waitTime)
        except NeonError as error:
            self.close()
            raise DeviceNotConnectedError(str(error), type(self), settings) from error

    @property
    def neon(self):
        """The :class:`~psychopy_neon.Neon`."""
        return self._host.connected()

    @staticmethod
    def getAvailableDevices():
        """A profile of each Neon that answers within two seconds."""
        from psychopy_neon.device.discovery import find_devices

        return [{"deviceName": device.name, "address": device.address} for device in find_devices(BROWSE_S)]

    def isSameDevice(self, other):
        """Whether another device, or a profile, is this one."""
        address = other.get("address") if isinstance(other, dict) else getattr(other, "_address", None)
        return address == self._address

    @property
    def _address(self):
        return self._host.report()["address"]

    def close(self):
        """End the recording as asked for, and let go of the device; idempotent."""
        self._host.close()

    # Where PsychoPy expects ioHub

    def getIOHubDeviceClass(self, full=False):
        """Name of the class that Eyetracker Calibrate looks up."""
        return "psychopy.iohub.devices.psychopy_neon.EyeTracker" if full else "EyeTracker"

    def enableEventReporting(self, enabled=True):
        """There are no events here: ``neon.gaze`` and the other streams have the data."""
        return enabled

    def clearEvents(self):
        """There are none."""

    def _waitFor(self, act, *args):
        try:
            act(*args)
        except NeonError as error:
            return error
        return None

    def _storeTheRest(self):
        """Nothing is stored here."""
