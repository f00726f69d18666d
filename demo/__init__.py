"""`make demo`: runs the whole project on one machine against the sandbox. Needs only Python."""
