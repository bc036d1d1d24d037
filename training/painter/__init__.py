"""Landscapes and the show's illustrations, painted by program: the pictures to learn from."""
