"""PsychoPy's own tests of components, for each of ours."""

from __future__ import annotations

import warnings

import pytest

pytest.importorskip("psychopy")
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what PsychoPy's own imports warn of is not ours to mend
    from builder_kit import ALL
    from psychopy.tests.test_experiment.test_components.test_base_components import (
        BaseComponentTests as _StockTests,
    )

pytestmark = [pytest.mark.once, pytest.mark.filterwarnings("ignore")]

for component in ALL:
    globals()[f"Test{component.__name__}"] = type(f"Test{component.__name__}", (_StockTests,), {"comp": component})
