"""Learning from a user's fakes: they are added to the pool, and the detector trains on."""
