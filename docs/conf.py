"""Sphinx: ``nox -s docs`` builds the manual."""

from importlib.metadata import version as version_of

project = "psychopy-neon"
author = "psychopy-neon developers"
release = version_of("psychopy-neon")
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "includes"]
suppress_warnings = ["ref.python"]  # a word such as "sequence" as a type, which is a field's name elsewhere

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_mock_imports = ["psychopy"]
napoleon_google_docstring = False

html_theme = "furo"
html_title = f"psychopy-neon {release}"
