"""From a collection of pictures to a data set archive, with its provenance."""
