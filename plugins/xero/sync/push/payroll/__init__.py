"""Pay and leave: one document at a time, to pay templates and leave applications."""
