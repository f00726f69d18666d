"""What is pushed: one declaration per kind of document. The folder is searched, so a new kind is a new file."""
