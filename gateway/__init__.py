"""A gateway between a business's systems and people's messengers."""
