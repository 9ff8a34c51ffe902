"""The pages of own templates: the list, and the editor of one."""
