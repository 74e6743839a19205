"""The experiment's process: what components and the settings backend ask of the Neon while an experiment runs.

Loaded at first use: the Builder, which has no Neon, reads what settings may be from here.
"""

__all__ = ["NeonRun", "currentRun"]


def __getattr__(name):
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from psychopy_neon.plugin.run import neon_run

    return getattr(neon_run, name)
