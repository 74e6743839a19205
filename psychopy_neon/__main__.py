"""``python -m psychopy_neon`` is ``psychopy-neon``."""

from psychopy_neon.cli import main

main()
