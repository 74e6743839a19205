"""PsychoPy: the only folder that imports it."""

import importlib.util

if importlib.util.find_spec("psychopy") is None:
    raise ImportError('psychopy_neon.plugin needs PsychoPy; install it with: pip install "psychopy-neon[psychopy]"')
