"""The exception of this package."""


class TrainingError(Exception):
    """A fault that stops a verb; its text is a sentence for the person at the terminal."""
