"""Faults on demand while the installation plays, judged by the pixels alone."""
