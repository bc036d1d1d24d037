"""Layouts for the controllers that people own, and a printed cue sheet, made from the show file."""
