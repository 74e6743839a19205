import subprocess
import sys

WITHOUT = """
import sys
sys.modules["psychopy"] = None
import psychopy_neon, psychopy_neon.screen.mapper
try:
    import psychopy_neon.plugin.visual
except ImportError as error:
    print(error)
"""


def test_without_psychopy_one_sentence_says_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=50, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 1
    assert lines[0].endswith('pip install "psychopy-neon[psychopy]"')
