"""The demo: the gateway against the bundled stand-ins for its providers, and a page that shows people's phones."""
