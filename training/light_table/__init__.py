"""The light table: a local web page where a person chooses among neighbours of projections."""
