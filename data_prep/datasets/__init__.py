"""One module per kind of source; each puts pictures into a staging folder and describes them."""
