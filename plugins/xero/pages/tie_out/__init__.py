"""The page of the tie-out, its button and its CSV."""
