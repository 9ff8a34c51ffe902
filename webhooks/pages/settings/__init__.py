"""The settings' pages: opt-outs, short links, keys, users and the audit."""
