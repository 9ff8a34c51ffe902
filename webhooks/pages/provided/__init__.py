"""The pages of providers' templates: the list with their states, and the editor of a draft."""
