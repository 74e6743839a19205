"""Pupil Labs Neon for PsychoPy."""
