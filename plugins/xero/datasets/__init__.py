"""The data sets that are pulled, one declaration each."""
