"""Charts of a page: plain data, drawn as inline SVG and HTML labels, with a table of the same figures."""
