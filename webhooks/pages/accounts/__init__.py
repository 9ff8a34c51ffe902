"""The page of our accounts: how each of them stands, and the binding of its webhook."""
