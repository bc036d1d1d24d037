"""The exception of this package."""


class CheckpointError(Exception):
    """A sentence: which file, what is wrong with it, what to do.

    One line that any terminal shows as it is: what a file or its name brings in control
    characters, changes of direction or endless text is written as escapes or cut.
    """

    def __init__(self, sentence: str) -> None:
        if len(sentence) > 1000:  # keep the file at the beginning and the reason at the end
            sentence = f"{sentence[:500]} [...] {sentence[-400:]}"
        super().__init__("".join(c if c.isprintable() else ascii(c)[1:-1] for c in sentence))
