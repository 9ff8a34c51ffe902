"""MongoDB: documents and indexes. It may refuse by a condition in a query; it never chooses."""
