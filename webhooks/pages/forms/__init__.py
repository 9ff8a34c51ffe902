"""What the forms of several pages have in common: whom they name, a template's fields, and what is wrong with them."""
