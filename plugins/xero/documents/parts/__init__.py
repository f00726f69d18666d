"""Parts of documents and of their declarations."""
