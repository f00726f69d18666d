"""The proof after the calm: checks that are functions of facts, and say what they compared and what is wrong."""
