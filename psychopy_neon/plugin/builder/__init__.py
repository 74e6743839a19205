"""What PsychoPy's Builder sees; light, since PsychoPy imports it at every start."""

DOCS = "https://psychopy-neon.readthedocs.io/components.html"
"""The page of the components; a heading in it for each."""
