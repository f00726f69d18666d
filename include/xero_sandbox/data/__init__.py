"""Made-up but believable organisations. Everything follows from the seed and the organisation's name."""
