"""The choices of docs/picture.md as pictures, short films and figures, made from a show."""
